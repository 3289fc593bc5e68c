import type { Milliseconds } from '#collectors/contract.ts';
import type { RecordFormat } from './records.ts';
import type { Answer } from './transport.ts';

/** What a receiver's answer means for the records that were sent. */
export type Verdict =
  | { readonly kind: 'written' }
  /** It named the records that it refuses, by their place. The others are stored, or must be sent without those. */
  | {
      readonly kind: 'named';
      readonly records: ReadonlyMap<number, string>;
      readonly others: 'written' | 'unwritten';
    }
  /** All are stored but `points` of them, of which it keeps none: too old, or behind others of their series. */
  | { readonly kind: 'thinned'; readonly points: number; readonly reason: Unwanted }
  /** Something in it is refused; which record that is only halving can tell. `unwanted`: no record worth keeping. */
  | { readonly kind: 'refused'; readonly message: string; readonly unwanted?: Unwanted }
  | { readonly kind: 'too-large'; readonly message: string }
  /** It does not take compressed bodies. */
  | { readonly kind: 'uncompressed'; readonly message: string }
  /** Sending again changes nothing until a person changes something: all is kept. */
  | { readonly kind: 'held'; readonly message: string; readonly hint: string }
  /** It will be back: all is kept. */
  | { readonly kind: 'unavailable'; readonly message: string; readonly retryAfter?: Milliseconds };

export type Unwanted = 'beyond_retention' | 'out_of_order';

/** How one kind of receiver is spoken to. Pure: it makes requests and reads answers, and sends nothing. */
export interface Dialect {
  readonly name: string;
  readonly format: RecordFormat;
  /** Path and query below the output's URL. */
  readonly path: string;
  /** Called for each request, so that no clear secret is kept. */
  headers(): Readonly<Record<string, string>>;
  /** The body for these records; `gzip` is the same compressed, where it is at hand. `compressed`: it may be. */
  encode(raw: Uint8Array, gzip: Uint8Array | undefined, compressed: boolean): Promise<EncodedBody>;
  /** `doubtful`: an earlier answer about the same records was lost, so that they may be stored already. */
  verdict(answer: Answer, records: readonly Uint8Array[], doubtful: boolean): Verdict;
}

export interface EncodedBody {
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

const LONGEST_WAIT_MS = 600_000;

/**
 * Retry-After (RFC 9110, 10.2.3): seconds or a date, at most ten minutes, for a receiver that says "in three years" would
 * be obeyed. Undefined where it cannot be read.
 */
export function retryAfter(header: string | undefined, now: number): Milliseconds | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(wait) ? undefined : (Math.min(Math.max(0, wait), LONGEST_WAIT_MS) as Milliseconds);
}

/** What every receiver means by a status, where it does not say more. Undefined for those that each reads itself. */
export function commonVerdict({ status, headers, body }: Answer, now: number): Verdict | undefined {
  const said = body.trim() === '' ? `status ${status}` : `status ${status}: ${excerpt(body)}`;
  if (status >= 300 && status < 400) {
    const location = typeof headers['location'] === 'string' ? ` to ${excerpt(headers['location'])}` : '';
    return {
      kind: 'held',
      message: `it redirects${location}`,
      hint: 'write the address that it redirects to as url, if you trust it: the token is not sent after a redirect',
    };
  }
  switch (status) {
    case 401:
    case 403:
      return { kind: 'held', message: said, hint: 'check user, password or token of the output, and their rights' };
    case 404:
    case 405:
    case 410:
      return { kind: 'held', message: said, hint: 'check url, dialect and database of the output' };
    case 413:
      return { kind: 'too-large', message: said };
    case 415:
      return { kind: 'uncompressed', message: said };
    case 408:
    case 425:
    case 429:
    case 503: {
      const after = retryAfter(headers['retry-after'], now);
      return { kind: 'unavailable', message: said, ...(after !== undefined && { retryAfter: after }) };
    }
    default:
      if (status >= 500 || status < 200) return { kind: 'unavailable', message: said };
      return undefined;
  }
}

/** Foreign words for a log line or the page: on one line, not too long. */
export function excerpt(text: string): string {
  const line = text.replace(/\p{Cc}+/gu, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
