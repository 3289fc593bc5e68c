/**
 * What machines ask for every few seconds, answered without the web framework: many an appliance is scraped for years and
 * never looked at, and does not load pages, their schemas and the framework, which are twelve megabytes.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { askingOf, type Guard } from './access/guard.ts';
import { healthy, ready } from './health.ts';
import { sendMetrics } from './metrics-route.ts';
import type { Access, WebParts } from './route.ts';

interface Call {
  readonly access: Access;
  readonly answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

/** Answers a request and returns true, or leaves it alone: what is not welcome is told why by the application. */
export type FrontDoor = (request: IncomingMessage, response: ServerResponse) => boolean;

export function frontDoor({ view, self, devices, log }: WebParts, guard: Guard): FrontDoor {
  // The same as the routes of these paths, but for what can be asked of them after a `?`.
  const calls: Readonly<Record<string, Call>> = {
    '/metrics': {
      access: 'metrics',
      answer: async ({ headers }, response) => {
        const gzip = acceptsGzip(String(headers['accept-encoding'] ?? ''));
        await sendMetrics(response, { accept: headers.accept ?? '', gzip, filter: {} }, self, devices);
      },
    },
    '/-/healthy': { access: 'open', answer: async (_request, response) => sendText(response, healthy()) },
    '/-/ready': { access: 'open', answer: async (_request, response) => sendText(response, ready(view)) },
  };
  return (request, response) => {
    const { method, url = '' } = request;
    const call = method === 'GET' && Object.hasOwn(calls, url) ? calls[url] : undefined;
    if (!call) return false;
    const asking = askingOf(request);
    if (guard.judgeHost(asking.host) || guard.judge(call.access, asking).kind === 'refused') return false;
    call.answer(request, response).catch((error) => {
      log.error('a request failed inside siteward', { method, path: url, error });
      response.destroy();
    });
    return true;
  };
}

function sendText(response: ServerResponse, { text, status }: ReturnType<typeof ready>): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** Named, and not with the weight 0 (RFC 9110, 12.5.3). */
function acceptsGzip(header: string): boolean {
  return /(?:^|,)\s*gzip\s*(?:;\s*q=(?:1(?:\.0*)?|0?\.\d*[1-9]\d*)\s*)?(?:,|$)/i.test(header);
}
