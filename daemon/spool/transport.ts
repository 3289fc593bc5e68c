import { readFileSync } from 'node:fs';
import { type Http, http, https } from '#daemon/node-http.ts';

export interface TransportSettings {
  readonly url: string;
  /** Paths of PEM files: the authorities to trust beside none else, and this client's certificate and key. */
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** An HTTP proxy; TLS goes through it by CONNECT. */
  readonly proxy?: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Http.IncomingHttpHeaders;
  /** Its beginning, where it is long. */
  readonly body: string;
}

export interface Outgoing {
  readonly method: 'GET' | 'POST';
  /** Path and query below the URL of the settings. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

const SOCKETS = 3;
const LONGEST_BODY = 65_536;

/**
 * HTTP to one receiver over kept-alive connections. It never follows a redirect, for that would carry the token to
 * whomever the redirect names. How long an exchange may take is the caller's matter: its signal covers all of it, also a
 * body that drips.
 */
export class Transport {
  readonly #settings: TransportSettings;
  readonly #base: URL;
  #agent: Http.Agent | undefined;

  constructor(settings: TransportSettings) {
    this.#settings = settings;
    this.#base = new URL(settings.url);
  }

  /** @throws the signal's reason, or the error of connection or TLS */
  async exchange(outgoing: Outgoing, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    try {
      return await this.#attempt(outgoing, signal);
    } catch (thrown) {
      signal.throwIfAborted();
      // A kept connection may close just as it is used again: that says nothing about the receiver.
      if (!(thrown instanceof StaleConnection)) throw this.#renewed(thrown);
      return await this.#attempt(outgoing, signal).catch((again: unknown) => {
        signal.throwIfAborted();
        throw this.#renewed(again instanceof StaleConnection ? again.cause : again);
      });
    }
  }

  close(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
  }

  async #attempt({ method, path, headers, body }: Outgoing, signal: AbortSignal): Promise<Answer> {
    const secure = this.#base.protocol === 'https:';
    this.#agent ??= this.#makeAgent(secure);
    const agent = this.#agent;
    const url = new URL(this.#base.pathname.replace(/\/$/, '') + path, this.#base);
    return await new Promise((resolve, reject) => {
      const options = {
        method,
        agent,
        signal,
        headers: { 'user-agent': 'siteward', ...(body && { 'content-length': body.length }), ...headers },
      };
      const request = (secure ? https() : http).request(url, options, (response) => {
        readBody(response).then(
          (text) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
          reject,
        );
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        const stale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        reject(stale ? new StaleConnection('connection closed', { cause: error }) : error);
      });
      request.end(body);
    });
  }

  /** After a fault the files are read and the proxy is asked anew: a renewed certificate needs no restart. */
  #renewed(thrown: unknown): unknown {
    this.close();
    return thrown;
  }

  #makeAgent(secure: boolean): Http.Agent {
    const { ca, certificate, key, proxy } = this.#settings;
    const options = {
      keepAlive: true,
      maxSockets: SOCKETS,
      ...(proxy !== undefined && { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } }),
    };
    if (!secure) return new http.Agent(options);
    return new (https().Agent)({
      ...options,
      ...(ca !== undefined && { ca: readFileSync(ca) }),
      ...(certificate !== undefined && { cert: readFileSync(certificate) }),
      ...(key !== undefined && { key: readFileSync(key) }),
    });
  }
}

class StaleConnection extends Error {}

async function readBody(response: Http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    const bytes = chunk as Buffer;
    // What comes after is read and thrown away, so that the connection can be used again.
    if (length < LONGEST_BODY) chunks.push(bytes.subarray(0, LONGEST_BODY - length));
    length += bytes.length;
  }
  return Buffer.concat(chunks).toString('utf8');
}
