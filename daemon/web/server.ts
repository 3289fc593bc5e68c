/**
 * Listens, and keeps too many and too slow connections out. What machines ask for is answered at the front door, all else
 * by the application, which is loaded when somebody asks for it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SitewardError } from '#config/errors.ts';
import type { Logger } from '../log.ts';
import { type Http, type Https, http, https } from '../node-http.ts';
import { Guard } from './access/guard.ts';
import type { App } from './app.ts';
import { frontDoor } from './front-door.ts';
import type { Route, WebParts } from './route.ts';
import { securityHeaders } from './security-headers.ts';

export interface WebOptions {
  /** `127.0.0.1:9720`, `[::1]:9720`; port 0 takes a free one. */
  readonly listen: string;
  /** Certificate chain and key in PEM, as they are now. Absent: plain HTTP. */
  readonly tls?: () => TlsFiles;
  readonly parts: WebParts;
}

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface WebServer {
  /** Where it listens: `http://127.0.0.1:9720`. */
  readonly url: string;
  /** Everything that can be asked for, and by whom. */
  routes(): Promise<readonly Pick<Route, 'method' | 'path' | 'access'>[]>;
  close(): Promise<void>;
}

/** @throws SitewardError `HTTP_LISTEN` when the address is taken or not ours. */
export async function startWeb(options: WebOptions): Promise<WebServer> {
  const limits = {
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    maxHeaderSize: 16_384,
    // Left alone, Node.js would look only every half a minute whether anybody is too slow.
    connectionsCheckingInterval: 2_000,
  };
  const { answer, app } = answering(options.parts);
  const server = options.tls
    ? https().createServer({ ...limits, ...options.tls(), minVersion: 'TLSv1.2' }, answer)
    : http.createServer(limits, answer);
  server.maxConnections = MOST_CONNECTIONS;
  limitPerSource(server);
  const renewing =
    options.tls && 'setSecureContext' in server ? renew(server, options.tls, options.parts.log) : undefined;
  const port = Number(options.listen.slice(options.listen.lastIndexOf(':') + 1));
  const host = options.listen.slice(0, options.listen.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  await listening(server, host, port);
  const address = server.address() as AddressInfo;
  return {
    url: `${options.tls ? 'https' : 'http'}://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    routes: async () => (await app()).routes,
    close: async () => {
      clearInterval(renewing);
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function loadApp(parts: WebParts, guard: Guard): Promise<App> {
  const { createApp } = await import('./app.ts');
  return createApp(parts, guard);
}

function answering(parts: WebParts) {
  const guard = new Guard({ http: parts.http, clock: parts.clock });
  const atTheDoor = frontDoor(parts, guard);
  let loading: Promise<App> | undefined;
  const app = (): Promise<App> => {
    loading ??= loadApp(parts, guard).catch((error: unknown) => {
      // For want of memory or of file descriptors: the next request may have more luck.
      loading = undefined;
      throw error;
    });
    return loading;
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    // Node.js would make it by the local time, for which it loads the tables of all time zones.
    response.setHeader('Date', new Date().toUTCString());
    securityHeaders(request, response, () => {
      if (atTheDoor(request, response)) return;
      app().then(
        ({ handle }) => handle(request, response),
        (error) => {
          parts.log.error('a request failed inside siteward', { method: request.method, path: request.url, error });
          response.destroy();
        },
      );
    });
  };
  return { answer, app };
}

const MOST_CONNECTIONS = 256;
/** Half of all: whoever opens connections and says nothing leaves the other half to the others. */
const MOST_CONNECTIONS_PER_SOURCE = MOST_CONNECTIONS / 2;

function limitPerSource(server: Http.Server): void {
  const open = new Map<string, number>();
  server.on('connection', (socket) => {
    const source = socket.remoteAddress ?? '';
    const count = (open.get(source) ?? 0) + 1;
    if (count > MOST_CONNECTIONS_PER_SOURCE) {
      socket.destroy();
      return;
    }
    open.set(source, count);
    socket.once('close', () => {
      const left = (open.get(source) ?? 1) - 1;
      if (left > 0) open.set(source, left);
      else open.delete(source);
    });
  });
}

const RENEW_EVERY = 60_000;

/** Takes a renewed certificate from its file without a restart. A damaged file leaves the old one in use. */
function renew(server: Https.Server, read: () => TlsFiles, log: Logger): NodeJS.Timeout {
  let inUse = read();
  return setInterval(() => {
    try {
      const files = read();
      if (files.cert === inUse.cert && files.key === inUse.key) return;
      server.setSecureContext(files);
      inUse = files;
      log.info('the certificate was renewed');
    } catch (error) {
      log.warn('the certificate cannot be renewed, the old one stays in use', { error });
    }
  }, RENEW_EVERY).unref();
}

async function listening(server: Http.Server, host: string, port: number): Promise<void> {
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
