/** A session asks one agent with one credential: PDUs in, PDUs out, whatever the SNMP version. */
import type { Clock } from '#collectors/contract.ts';
import type { Name, PduOf, PduView, Written } from './ber.ts';
import type { Cost, Transport } from './transport.ts';

/** Names are read when the request is asked, and hold until it has been answered. */
export type Request =
  | { readonly type: 'get' | 'get-next'; readonly names: readonly Name[] }
  | {
      readonly type: 'get-bulk';
      readonly names: readonly Name[];
      readonly nonRepeaters: number;
      readonly maxRepetitions: number;
    };

export interface RequestContext {
  readonly signal: AbortSignal;
  /** Where packets and timeouts of this request are added up. */
  readonly cost: Cost;
  /** Fewer tries than the session would make. */
  readonly tries?: number;
}

export interface Session {
  readonly version: '1' | '2c' | '3';
  /** Address and port, for messages. */
  readonly agent: string;
  /**
   * Asks and gives the response, whatever error-status it has.
   * @throws SnmpError when nobody answers or the agent refuses the credential; the signal's reason when it aborts.
   */
  request(request: Request, context: RequestContext): Promise<PduView>;
}

/** How long to wait for an answer and how often to ask. */
export interface Patience {
  /** Of the first try, in milliseconds. */
  readonly timeout: number;
  /** At least 1. */
  readonly tries: number;
  /** Each further try waits this many times longer. */
  readonly backoff: number;
}

export interface SessionOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly patience: Patience;
}

/** Milliseconds that each try waits. */
export function waits({ timeout, tries, backoff }: Patience): readonly number[] {
  return Array.from({ length: Math.max(1, tries) }, (_, n) => Math.round(timeout * backoff ** n));
}

/** The PDU of a request. */
export function requestPdu(request: Request, requestId: number): PduOf<Written> {
  return request.type === 'get-bulk'
    ? { ...request, requestId, varbinds: request.names }
    : { type: request.type, requestId, errorStatus: 0, errorIndex: 0, varbinds: request.names };
}
