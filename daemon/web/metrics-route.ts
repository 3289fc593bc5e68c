import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { constants, createGzip } from 'node:zlib';
import type { SelfMetrics } from '../exposition/self.ts';
import { CONTENT_TYPES, type Format } from '../exposition/text.ts';
import type { PrometheusSink, RenderFilter } from '../sinks/prometheus.ts';

export interface MetricsRequest {
  readonly accept: string;
  readonly gzip: boolean;
  readonly filter: RenderFilter;
}

/** OpenMetrics only where it is asked for, as Prometheus does. */
export function formatFor(accept: string): Format {
  return /application\/openmetrics-text/i.test(accept) ? 'openmetrics' : 'text';
}

/**
 * Writes all series, a piece at a time: between two pieces the loop runs, so that a large scrape moves nobody's
 * schedule, and a slow reader is waited for.
 */
export async function sendMetrics(
  response: ServerResponse,
  request: MetricsRequest,
  self: SelfMetrics,
  devices: PrometheusSink,
): Promise<void> {
  const format = formatFor(request.accept);
  response.setHeader('Content-Type', CONTENT_TYPES[format]);
  response.setHeader('Vary', 'Accept, Accept-Encoding');
  const text = pieces(format, request.filter, self, devices);
  if (request.gzip) response.setHeader('Content-Encoding', 'gzip');
  try {
    // The lowest level: on one site's text it shrinks nearly as well as the highest, at a fraction of the time.
    if (request.gzip) await pipeline(text, createGzip({ level: constants.Z_BEST_SPEED }), response);
    else await pipeline(text, response);
  } catch (error) {
    // A scraper that hangs up in the middle is its own affair.
    if (!response.destroyed) throw error;
  }
}

async function* pieces(
  format: Format,
  filter: RenderFilter,
  self: SelfMetrics,
  devices: PrometheusSink,
): AsyncGenerator<Buffer | string> {
  for (const piece of devices.render(format, filter)) {
    yield piece;
    await setImmediate();
  }
  yield (await self.render(format)) + (format === 'openmetrics' ? '# EOF\n' : '');
}
