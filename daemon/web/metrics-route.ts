import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
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
  if (request.gzip) response.setHeader('Content-Encoding', 'gzip');
  // The lowest level: on one site's text it shrinks nearly as well as the highest, at a fraction of the time.
  const gzip = request.gzip ? createGzip({ level: constants.Z_BEST_SPEED }) : undefined;
  const sent = gzip ? pipeline(gzip, response) : finished(response);
  try {
    await Promise.all([sent, write(gzip ?? response, format, request.filter, self, devices)]);
  } catch (error) {
    // A scraper that hangs up in the middle is its own affair.
    if (!response.destroyed && !(error instanceof ReaderGone)) throw error;
  }
}

async function write(
  way: Writable,
  format: Format,
  filter: RenderFilter,
  self: SelfMetrics,
  devices: PrometheusSink,
): Promise<void> {
  for (const piece of devices.render(format, filter)) {
    await written(way, piece);
    await setImmediate();
  }
  way.end((await self.render(format)) + (format === 'openmetrics' ? '# EOF\n' : ''));
}

class ReaderGone extends Error {}

/**
 * Resolves when the octets have gone on their way, so that they may be overwritten.
 * @throws ReaderGone when nobody takes them.
 */
async function written(way: Writable, octets: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const gone = (cause?: Error) => reject(new ReaderGone('the connection was closed', { cause }));
    if (way.destroyed) {
      gone();
      return;
    }
    const closed = () => gone();
    way.once('close', closed);
    way.write(octets, (error) => {
      way.off('close', closed);
      if (error) gone(error);
      else resolve();
    });
  });
}
