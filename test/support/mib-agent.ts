/** An SNMPv1 and v2c agent on loopback that serves given varbinds, and can be told to misbehave. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Oid, Varbind } from '#collectors/snmp/agent.ts';
import {
  BerError,
  type CommunityMessage,
  decodeMessage,
  encodeMessage,
  type Pdu,
  type WireVarbind,
} from '#collectors/snmp/ber.ts';

type RequestPdu = Pdu & { readonly type: 'get' | 'get-next' | 'get-bulk' };

/** One request as the agent sees it. */
export interface Incident {
  readonly request: CommunityMessage & { readonly pdu: RequestPdu };
  /** What a well-behaved agent would answer. */
  readonly reply: CommunityMessage;
  /** Requests served before this one. */
  readonly served: number;
  /** Sends octets from the agent's own address and port. */
  send(octets: Uint8Array): void;
  /** Sends octets from another port of 127.0.0.1, or from another address when given. */
  sendFrom(address: string, octets: Uint8Array): void;
}

export interface MibAgentOptions {
  readonly varbinds: ReadonlyMap<Oid, Varbind>;
  readonly community?: string;
  /** Longest reply; GETBULK is cut to it, others are refused with tooBig. */
  readonly maxOctets?: number;
  /** Most names in a request; more are refused with tooBig. */
  readonly maxNames?: number;
  /** Answers GETBULK with silence, as agents do that do not know it. */
  readonly bulk?: boolean;
  /** Loopback address to listen on. */
  readonly address?: string;
  /** Left out or 0: a free one. */
  readonly port?: number;
  /** Replaces the answer. Left out: the reply is sent. */
  readonly behave?: (incident: Incident) => void;
}

export interface MibAgent extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** Every request it understood, in order. */
  readonly requests: readonly (CommunityMessage & { readonly pdu: RequestPdu })[];
  /** Resolves with the next request. */
  next(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts an agent on a free port. */
export async function startMibAgent(options: MibAgentOptions): Promise<MibAgent> {
  const { address = '127.0.0.1', behave = ({ reply, send }) => send(encodeMessage(reply)) } = options;
  const mib = new Mib(options);
  const socket = await bound(address, options.port);
  const elsewhere = new Map<string, Socket>();
  const requests: (CommunityMessage & { readonly pdu: RequestPdu })[] = [];
  const waiting: (() => void)[] = [];
  let isStopped = false;

  socket.on('message', (datagram, source) => {
    const request = requestIn(datagram);
    if (!request) return;
    if (options.community !== undefined && Buffer.from(request.community).toString() !== options.community) return;
    const served = requests.push(request) - 1;
    const send = (octets: Uint8Array) => {
      if (!isStopped) socket.send(octets, source.port, source.address);
    };
    const sendFrom = (other: string, octets: Uint8Array) => {
      const open = elsewhere.get(other);
      if (open) open.send(octets, source.port, source.address);
      else
        void bound(other, other === address ? 0 : socket.address().port).then((opened) => {
          elsewhere.set(other, opened);
          opened.send(octets, source.port, source.address);
        });
    };
    const reply = mib.answer(request);
    if (reply) behave({ request, reply, served, send, sendFrom });
    for (const resolve of waiting.splice(0)) resolve();
  });

  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    for (const open of [socket, ...elsewhere.values()]) {
      open.close();
      await once(open, 'close');
    }
  };
  return {
    address,
    port: socket.address().port,
    requests,
    next: () => new Promise((resolve) => waiting.push(resolve)),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function bound(address: string, port = 0): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4').bind(port, address);
  await once(socket, 'listening');
  return socket;
}

function requestIn(datagram: Uint8Array): (CommunityMessage & { readonly pdu: RequestPdu }) | undefined {
  try {
    const message = decodeMessage(datagram);
    const { pdu } = message;
    if (pdu.type === 'get' || pdu.type === 'get-next' || pdu.type === 'get-bulk') {
      return { ...message, pdu: pdu as RequestPdu };
    }
  } catch (error) {
    if (!(error instanceof BerError)) throw error;
  }
  return undefined;
}

/** The order of OIDs. */
export function compareOids(a: Oid, b: Oid): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

const FRAME_OCTETS = 60;

class Mib {
  readonly #options: MibAgentOptions;
  readonly #oids: readonly Oid[];

  constructor(options: MibAgentOptions) {
    this.#options = options;
    this.#oids = [...options.varbinds.keys()].sort(compareOids);
  }

  answer(request: CommunityMessage & { readonly pdu: RequestPdu }): CommunityMessage | undefined {
    const { pdu, version } = request;
    const { maxNames = 1_000, maxOctets = 65_000, bulk = true } = this.#options;
    const respond = (errorStatus: number, errorIndex: number, varbinds: readonly WireVarbind[]): CommunityMessage => ({
      ...request,
      pdu: { type: 'response', requestId: pdu.requestId, errorStatus, errorIndex, varbinds },
    });
    if (pdu.varbinds.length > maxNames) return respond(1, 0, []);
    if (pdu.type === 'get-bulk') {
      return bulk && version !== '1' ? respond(0, 0, this.#bulk(pdu, maxOctets)) : undefined;
    }
    const varbinds = pdu.varbinds.map(({ oid }) => (pdu.type === 'get' ? this.#at(oid) : this.#after(oid)));
    const missing = varbinds.findIndex(({ value }) => !('value' in value));
    if (version === '1' && missing >= 0) return respond(2, missing + 1, pdu.varbinds);
    const reply = respond(0, 0, varbinds);
    return encodeMessage(reply).length > maxOctets ? respond(1, 0, []) : reply;
  }

  #at(oid: Oid): WireVarbind {
    return { oid, value: this.#options.varbinds.get(oid) ?? { type: 'no-such-object' } };
  }

  #after(oid: Oid): WireVarbind {
    let low = 0;
    let high = this.#oids.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareOids(this.#oids[middle] ?? '', oid) > 0) high = middle;
      else low = middle + 1;
    }
    const next = this.#oids[low];
    const value = next === undefined ? undefined : this.#options.varbinds.get(next);
    return next !== undefined && value ? { oid: next, value } : { oid, value: { type: 'end-of-mib-view' } };
  }

  #bulk(pdu: Extract<Pdu, { type: 'get-bulk' }>, maxOctets: number): WireVarbind[] {
    const varbinds: WireVarbind[] = [];
    let octets = FRAME_OCTETS;
    const put = (varbind: WireVarbind): boolean => {
      octets += sizeOf(varbind);
      if (octets > maxOctets) return false;
      varbinds.push(varbind);
      return true;
    };
    const fixed = pdu.varbinds.slice(0, pdu.nonRepeaters);
    for (const { oid } of fixed) if (!put(this.#after(oid))) return varbinds;
    let row = pdu.varbinds.slice(pdu.nonRepeaters);
    for (let repetition = 0; repetition < pdu.maxRepetitions && row.length > 0; repetition++) {
      row = row.map(({ oid }) => this.#after(oid));
      for (const varbind of row) if (!put(varbind)) return varbinds;
    }
    return varbinds;
  }
}

function sizeOf(varbind: WireVarbind): number {
  const alone: CommunityMessage = {
    version: '2c',
    community: new Uint8Array(),
    pdu: { type: 'response', requestId: 0, errorStatus: 0, errorIndex: 0, varbinds: [varbind] },
  };
  return encodeMessage(alone).length - 18;
}

/** A table of varbinds: `rows` rows of each column, by `cell`. */
export function table(
  columns: readonly Oid[],
  rows: number,
  cell: (column: Oid, row: number) => Varbind = (_column, row) => ({ type: 'gauge32', value: row }),
): Map<Oid, Varbind> {
  const varbinds = new Map<Oid, Varbind>();
  for (const column of columns)
    for (let row = 1; row <= rows; row++) varbinds.set(`${column}.${row}`, cell(column, row));
  return varbinds;
}

export const text = (value: string): Varbind => ({ type: 'octet-string', value: new TextEncoder().encode(value) });
