import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

/** One request as it came. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  /** Of line protocol, unpacked. */
  readonly lines: readonly string[];
}

/** What the receiver does with a request. `stored` lines count as written whatever it says about them. */
export type Reply =
  | {
      readonly status: number;
      readonly body?: string | Buffer;
      readonly headers?: Readonly<Record<string, string>>;
      readonly stored?: readonly string[];
    }
  /** Closes the connection instead of an answer, or after the headers of one. */
  | { readonly close: 'at-once' | 'after-headers'; readonly stored?: readonly string[] }
  /** Never ends its answer: says nothing, only the headers, or a byte now and then. */
  | { readonly hang: 'silent' | 'after-headers' | 'dripping'; readonly stored?: readonly string[] }
  /** Answers something that is no HTTP. */
  | { readonly garbage: string };

export interface Receiver {
  readonly url: string;
  readonly requests: readonly Received[];
  /** Every line that was stored, as often as it was. */
  readonly stored: readonly string[];
  close(): Promise<void>;
}

export type Behaviour = (request: Received, turn: number) => Reply;

const CERTIFICATES = join(import.meta.dirname, 'certificates');
export const certificate = (name: string): string => join(CERTIFICATES, name);

/** A receiver that does as it is told, on loopback; `turn` counts its requests from 0. Closed with the test. */
export async function startReceiver(
  behaviour: Behaviour,
  options: { readonly port?: number; readonly tls?: string; readonly clientCertificates?: boolean } = {},
): Promise<Receiver> {
  const requests: Received[] = [];
  const stored: string[] = [];
  const sockets = new Set<Socket>();
  const handle = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    void readAll(request).then(
      (body) => {
        const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
        const lines = plain
          .toString('utf8')
          .split('\n')
          .filter((line) => line !== '');
        const { method = '', url = '', headers } = request;
        const received = { method, url, headers, body, lines };
        requests.push(received);
        const reply = behaviour(received, requests.length - 1);
        if ('status' in reply && reply.status >= 200 && reply.status < 300 && !reply.stored) stored.push(...lines);
        if ('stored' in reply && reply.stored) stored.push(...reply.stored);
        answer(request, response, reply);
      },
      () => {},
    );
  };
  const server = options.tls
    ? https.createServer(
        {
          cert: readFileSync(certificate(`${options.tls}.pem`)),
          key: readFileSync(certificate(`${options.tls}.key`)),
          ca: readFileSync(certificate('ca.pem')),
          requestCert: options.clientCertificates === true,
          rejectUnauthorized: options.clientCertificates === true,
        },
        handle,
      )
    : http.createServer(handle);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  return { url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`, requests, stored, close };
}

function answer(request: http.IncomingMessage, response: http.ServerResponse, reply: Reply): void {
  if ('status' in reply) {
    response.writeHead(reply.status, reply.headers);
    response.end(reply.body);
  } else if ('close' in reply) {
    if (reply.close === 'after-headers') response.writeHead(500, { 'content-length': '10' }).flushHeaders();
    setImmediate(() => request.socket.destroy());
  } else if ('garbage' in reply) {
    request.socket.end(reply.garbage);
  } else if (reply.hang !== 'silent') {
    response.writeHead(200, { 'content-length': '1000000' }).flushHeaders();
    if (reply.hang === 'dripping') {
      const drip = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(drip));
    }
  }
}

async function readAll(request: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
