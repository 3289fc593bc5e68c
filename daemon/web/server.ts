import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import helmet from 'helmet';
import { SitewardError } from '#config/errors.ts';
import type { SelfMetrics } from '../exposition/self.ts';
import type { Logger } from '../log.ts';
import type { PrometheusSink, RenderFilter } from '../sinks/prometheus.ts';
import { deviceJson, isoTime, jsonNumber } from './json.ts';
import { sendMetrics } from './metrics-route.ts';
import { STYLE_SHEET, sitePage } from './page.ts';
import type { SiteView } from './site-view.ts';

export interface WebOptions {
  /** `127.0.0.1:9720`, `[::1]:9720`; port 0 takes a free one. */
  readonly listen: string;
  readonly view: SiteView;
  readonly self: SelfMetrics;
  readonly devices: PrometheusSink;
  readonly log: Logger;
}

export interface WebServer {
  /** Where it listens: `http://127.0.0.1:9720`. */
  readonly url: string;
  close(): Promise<void>;
}

/** @throws SitewardError `HTTP_LISTEN` when the address is taken or not ours. */
export async function startWeb(options: WebOptions): Promise<WebServer> {
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, maxHeaderSize: 16_384 },
    createApp(options),
  );
  server.maxConnections = 256;
  const port = Number(options.listen.slice(options.listen.lastIndexOf(':') + 1));
  const host = options.listen.slice(0, options.listen.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  await listening(server, host, port);
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listening(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new SitewardError(
          'HTTP_LISTEN',
          `cannot listen on ${host}:${port}: ${error.message}`,
          'end what listens there, or write another http.listen',
          { cause: error },
        ),
      );
    });
    server.listen(port, host, resolve);
  });
}

function createApp({ view, self, devices, log }: WebOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'"],
          styleSrc: ["'self'"],
          connectSrc: ["'self'"],
          imgSrc: ["'self'", 'data:'],
          formAction: ["'self'"],
          baseUri: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
      strictTransportSecurity: false,
    }),
  );

  app.get('/metrics', async (request, response) => {
    await sendMetrics(
      response,
      {
        accept: request.get('accept') ?? '',
        gzip: request.acceptsEncodings('gzip') === 'gzip',
        filter: filterOf(request),
      },
      self,
      devices,
    );
  });
  app.get('/-/healthy', (_request, response) => void response.type('text').send('siteward is healthy\n'));
  app.get('/-/ready', (_request, response) => {
    const reasons = view.notReady();
    response
      .status(reasons.length === 0 ? 200 : 503)
      .type('text')
      .send(reasons.length === 0 ? 'siteward is ready\n' : `${reasons.join('\n')}\n`);
  });
  app.post('/-/reload', async (_request, response) => {
    const faults = await view.reload();
    response
      .status(faults.length === 0 ? 200 : 422)
      .type('text')
      .send(
        faults.length === 0 ? 'the config was read again\n' : `the old config stays in force\n${faults.join('\n')}\n`,
      );
  });
  app.get('/api/v1/site', (_request, response) => void response.json(siteJson(view)));
  app.get(
    '/api/v1/devices',
    (_request, response) => void response.json(view.devices().map((device) => deviceJson(device, view.site.timezone))),
  );
  app.get('/api/v1/devices/:name', (request, response) => sendDevice(view, request.params.name, response));
  app.get(
    '/style.css',
    (_request, response) => void response.type('css').set('Cache-Control', 'max-age=3600').send(STYLE_SHEET),
  );
  app.get(
    '/',
    (_request, response) => void response.type('html').set('Cache-Control', 'no-store').send(sitePage(view)),
  );

  app.use((request, response) =>
    problem(response, 404, 'there is nothing here', `no such page or call: ${request.method} ${request.path}`),
  );
  app.use(failed(log));
  return app;
}

function filterOf({ query }: Request): RenderFilter {
  const set = (value: unknown) =>
    typeof value === 'string' ? new Set([value]) : Array.isArray(value) ? new Set(value.map(String)) : undefined;
  const names = set(query.device);
  const classes = set(query.class);
  return { ...(names ? { devices: names } : {}), ...(classes ? { classes } : {}) };
}

function siteJson(view: SiteView): Record<string, unknown> {
  const { site, version, startedAt, demo } = view;
  const states = Object.groupBy(view.devices(), ({ state }) => state);
  return {
    ...site,
    version,
    demo,
    started_at: isoTime(startedAt, site.timezone),
    ready: view.notReady().length === 0,
    devices: Object.fromEntries(Object.entries(states).map(([state, list]) => [state, list.length])),
  };
}

function sendDevice(view: SiteView, name: string, response: Response): void {
  const device = view.device(name);
  if (!device) {
    problem(
      response,
      404,
      'no such device',
      `there is no device ${JSON.stringify(name)} (GET /api/v1/devices lists them)`,
    );
    return;
  }
  response.json({
    ...deviceJson(device, view.site.timezone),
    sys_name: device.identity?.sysName ?? null,
    profile: device.identity?.profile ?? null,
    problems: device.problems,
    readings: view.readings(name).map(({ metric, labels, value }) => ({ metric, labels, value: jsonNumber(value) })),
  });
}

/** RFC 9457. */
function problem(response: Response, status: number, title: string, detail: string): void {
  response.status(status).type('application/problem+json').send(JSON.stringify({ title, status, detail }));
}

/** Four parameters: that is how express knows an error handler. */
function failed(log: Logger): ErrorRequestHandler {
  return (error, request, response, next) => {
    if (response.headersSent) return next(error);
    const status =
      typeof error === 'object' && error !== null && 'status' in error && typeof error.status === 'number'
        ? error.status
        : 500;
    if (status >= 500)
      log.error('a request failed inside siteward', { method: request.method, path: request.path, error });
    problem(
      response,
      status,
      status >= 500 ? 'siteward failed' : 'the request cannot be understood',
      status >= 500 ? 'see the log' : String(error.message),
    );
  };
}
