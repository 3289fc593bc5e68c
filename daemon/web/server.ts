import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import helmet from 'helmet';
import { SitewardError } from '#config/errors.ts';
import type { Logger } from '../log.ts';
import { problem } from './answer.ts';
import type { AddRoutes, Answer, Principal, Route, WebParts, WebRequest } from './route.ts';
import { deviceRoutes } from './routes/devices.ts';
import { healthRoutes } from './routes/health.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { pageRoutes } from './routes/page.ts';
import { siteRoutes } from './routes/site.ts';

/** Every topic, one file each. */
const ROUTES: readonly AddRoutes[] = [healthRoutes, metricsRoutes, siteRoutes, deviceRoutes, pageRoutes];

export interface WebOptions {
  /** `127.0.0.1:9720`, `[::1]:9720`; port 0 takes a free one. */
  readonly listen: string;
  readonly parts: WebParts;
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
    createApp(options.parts),
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

function createApp(parts: WebParts): Express {
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
  app.use(express.json({ limit: '1mb' }), express.urlencoded({ extended: false, limit: '64kb', parameterLimit: 100 }));
  const router = {
    add: <Query, Body>(route: Route<Query, Body>) => {
      app[route.method](route.path, async (request, response) => {
        await send(response, request, await answer(route, request));
      });
    },
  };
  for (const addRoutes of ROUTES) addRoutes(router, parts);
  app.use(async (request, response) => {
    const detail = `no such page or call: ${request.method} ${request.path}`;
    await send(response, request, problem(404, 'there is nothing here', detail));
  });
  app.use(failed(parts.log));
  return app;
}

const LOCAL: Principal = { name: 'local', role: 'admin' };

async function answer<Query, Body>(route: Route<Query, Body>, request: Request): Promise<Answer> {
  const query = route.query ? route.query.safeParse(request.query) : undefined;
  if (query && !query.success) return unfit(query.error);
  const body = route.body ? route.body.safeParse(request.body ?? {}) : undefined;
  if (body && !body.success) return unfit(body.error);
  const asked: WebRequest<Query, Body> = {
    method: request.method,
    path: request.path,
    params: Object.fromEntries(Object.entries(request.params).map(([name, value]) => [name, String(value)])),
    query: query?.data as Query,
    body: body?.data as Body,
    principal: LOCAL,
    source: request.socket.remoteAddress ?? '',
    language: request.acceptsLanguages('en', 'de') || 'en',
    wantsHtml: request.accepts(['json', 'html']) === 'html',
    header: (name) => request.get(name) ?? '',
    acceptsGzip: () => request.acceptsEncodings('gzip') === 'gzip',
  };
  return await route.handle(asked);
}

function unfit(error: {
  readonly issues: readonly { readonly path: PropertyKey[]; readonly message: string }[];
}): Answer {
  const detail = error.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`).join('; ');
  return problem(400, 'the request cannot be understood', detail);
}

async function send(response: Response, request: Request, answered: Answer): Promise<void> {
  switch (answered.kind) {
    case 'json':
      response.status(answered.status ?? 200).json(answered.body);
      return;
    case 'problem': {
      const { status, title, detail } = answered;
      response.status(status).type('application/problem+json').send(JSON.stringify({ title, status, detail }));
      return;
    }
    case 'page':
      response
        .status(answered.status ?? 200)
        .set('Cache-Control', 'no-store')
        .type('html')
        .send(answered.html);
      return;
    case 'text':
      response
        .status(answered.status ?? 200)
        .type('text')
        .send(answered.text);
      return;
    case 'file':
      response.set('Content-Type', answered.type);
      response.set('Cache-Control', answered.maxAgeSeconds ? `max-age=${answered.maxAgeSeconds}` : 'no-store');
      if (answered.name !== undefined) response.attachment(answered.name).set('Content-Type', answered.type);
      response.send(typeof answered.bytes === 'string' ? answered.bytes : Buffer.from(answered.bytes));
      return;
    case 'redirect':
      if (answered.cookie !== undefined) response.set('Set-Cookie', answered.cookie);
      response.redirect(303, answered.to);
      return;
    case 'stream':
      await answered.write(response, request);
      return;
    default:
      answered satisfies never;
  }
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
    void send(
      response,
      request,
      status >= 500
        ? problem(status, 'siteward failed', 'see the log')
        : problem(status, 'the request cannot be understood', String(error.message)),
    );
  };
}
