import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { BerError, decodeMessage, encodeMessage, type Pdu, type WireVarbind } from '#collectors/snmp/ber.ts';
import type { ObjectTree } from './object-tree.ts';
import { type AgentUser, UsmEngine } from './usm-engine.ts';

/** What fits into an Ethernet frame behind the headers of IPv4 and UDP. */
const DEFAULT_MAX_OCTETS = 1472;
/** RFC 3416, section 3. */
const ERROR = { tooBig: 1, noSuchName: 2 } as const;

export interface AgentOptions {
  readonly objects: ObjectTree;
  /** Answers SNMPv1 and SNMPv2c to those who know it. */
  readonly community?: string;
  /** Answers SNMPv3 to this user, at no lower level of security. */
  readonly user?: AgentUser;
  /** An address of 127.0.0.0/8. */
  readonly address?: string;
  /** Left out: any that is free. */
  readonly port?: number;
  /** Largest message that it sends. */
  readonly maxOctets?: number;
}

type Request = Exclude<Pdu, { readonly type: 'response' | 'report' }>;
/** Makes the whole message around a PDU. */
type Seal = (pdu: Pdu) => Uint8Array;

/** An SNMP agent on one UDP socket, which answers GET, GETNEXT and GETBULK by RFC 1157 and RFC 3416. */
export class SimulatedAgent {
  readonly address: string;
  readonly port: number;
  /** While it gives true: hears everything and answers nothing, as a device without power would. */
  silent: () => boolean = () => false;
  #requests = 0;
  readonly #socket: Socket;
  readonly #objects: ObjectTree;
  readonly #community: Buffer | undefined;
  readonly #engine: UsmEngine | undefined;
  readonly #maxOctets: number;

  /** @throws Error with the code EADDRINUSE or EADDRNOTAVAIL where it cannot listen. */
  static async start(options: AgentOptions): Promise<SimulatedAgent> {
    const socket = createSocket('udp4');
    socket.bind(options.port ?? 0, options.address ?? '127.0.0.1');
    await once(socket, 'listening');
    return new SimulatedAgent(options, socket);
  }

  private constructor(options: AgentOptions, socket: Socket) {
    const { address, port } = socket.address();
    this.address = address;
    this.port = port;
    this.#socket = socket;
    this.#objects = options.objects;
    this.#community = options.community === undefined ? undefined : Buffer.from(options.community);
    this.#engine = options.user && new UsmEngine(options.user, options.objects);
    this.#maxOctets = options.maxOctets ?? DEFAULT_MAX_OCTETS;
    socket.on('error', () => {}); // a port that closed before its answer came is no concern of ours
    socket.on('message', (datagram, peer) => {
      const answer = this.#answer(datagram);
      if (answer) socket.send(answer, peer.port, peer.address);
    });
  }

  /** Requests answered so far. */
  get requests(): number {
    return this.#requests;
  }

  async close(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  /** Undefined for what is no message, or not from someone who may ask: neither gets an answer. */
  #answer(datagram: Buffer): Uint8Array | undefined {
    if (this.silent()) return undefined;
    try {
      const opened = this.#engine?.open(datagram);
      if (opened?.kind === 'report') return opened.octets;
      return opened ? this.#answerV2(opened.pdu, opened.seal) : this.#answerCommunity(datagram);
    } catch (error) {
      if (error instanceof BerError) return undefined;
      throw error;
    }
  }

  #answerCommunity(datagram: Buffer): Uint8Array | undefined {
    const { version, community, pdu } = decodeMessage(datagram);
    if (!this.#community?.equals(community)) return undefined;
    const seal: Seal = (response) => encodeMessage({ version, community, pdu: response });
    return version === '1' ? this.#answerV1(pdu, seal) : this.#answerV2(pdu, seal);
  }

  /** RFC 1157, section 4.1: one bad name spoils the whole request. GETBULK does not exist. */
  #answerV1(request: Pdu, seal: Seal): Uint8Array | undefined {
    if (!isRequest(request) || request.type === 'get-bulk') return undefined;
    this.#requests += 1;
    const varbinds: WireVarbind[] = [];
    for (const [index, { oid }] of request.varbinds.entries()) {
      const found = request.type === 'get' ? this.#getV1(oid) : this.#objects.next(oid, isOfV1);
      if (!found) return seal(response(request, request.varbinds, ERROR.noSuchName, index + 1));
      varbinds.push(found);
    }
    const answer = seal(response(request, varbinds));
    return answer.length <= this.#maxOctets ? answer : seal(response(request, request.varbinds, ERROR.tooBig));
  }

  #answerV2(request: Pdu, seal: Seal): Uint8Array | undefined {
    if (!isRequest(request)) return undefined;
    this.#requests += 1;
    if (request.type === 'get-bulk') return this.#answerBulk(request, seal);
    const varbinds = request.varbinds.map(({ oid }) => (request.type === 'get' ? this.#getV2(oid) : this.#nextV2(oid)));
    const answer = seal(response(request, varbinds));
    return answer.length <= this.#maxOctets ? answer : seal(response(request, [], ERROR.tooBig));
  }

  /** RFC 3416, section 4.2.3: as many repetitions as fit, never an error because of the size. */
  #answerBulk(request: Request & { readonly type: 'get-bulk' }, seal: Seal): Uint8Array {
    const single = Math.min(Math.max(0, request.nonRepeaters), request.varbinds.length);
    const varbinds = request.varbinds.slice(0, single).map(({ oid }) => this.#nextV2(oid));
    let row = request.varbinds.slice(single);
    let octets = roughly(varbinds);
    for (let left = request.maxRepetitions; left > 0 && row.length > 0 && octets < this.#maxOctets; left -= 1) {
      row = row.map(({ oid }) => this.#nextV2(oid));
      varbinds.push(...row);
      octets += roughly(row);
      if (row.every(({ value }) => value.type === 'end-of-mib-view')) break;
    }
    let answer = seal(response(request, varbinds));
    while (answer.length > this.#maxOctets && varbinds.length > 0) {
      varbinds.pop();
      answer = seal(response(request, varbinds));
    }
    return answer;
  }

  #getV1(oid: string): WireVarbind | undefined {
    const value = this.#objects.get(oid);
    return value && isOfV1(value) ? { oid, value } : undefined;
  }

  #getV2(oid: string): WireVarbind {
    const value = this.#objects.get(oid);
    if (value) return { oid, value };
    return { oid, value: { type: this.#objects.hasObjectOf(oid) ? 'no-such-instance' : 'no-such-object' } };
  }

  #nextV2(oid: string): WireVarbind {
    return this.#objects.next(oid) ?? { oid, value: { type: 'end-of-mib-view' } };
  }
}

function isRequest(pdu: Pdu): pdu is Request {
  return pdu.type !== 'response' && pdu.type !== 'report';
}

function response({ requestId }: Request, varbinds: readonly WireVarbind[], errorStatus = 0, errorIndex = 0): Pdu {
  return { type: 'response', requestId, errorStatus, errorIndex, varbinds: varbinds.map(writable) };
}

/** Names in a refusal come back with whatever stood beside them; what could not be read cannot be written either. */
function writable({ oid, value }: WireVarbind): WireVarbind {
  return { oid, value: value.type === 'unreadable' ? { type: 'null' } : value };
}

/** RFC 3584, section 4.1.2.1: SNMPv1 has no Counter64, so that GET does not find them and GETNEXT passes over them. */
function isOfV1(value: WireVarbind['value']): boolean {
  return value.type !== 'counter64';
}

/** Octets that these varbinds take at least: enough to know when to stop collecting more. */
function roughly(varbinds: readonly WireVarbind[]): number {
  return varbinds.reduce((sum, { oid, value }) => sum + oid.split('.').length + valueOctets(value) + 6, 0);
}

function valueOctets(value: WireVarbind['value']): number {
  return value.type === 'octet-string' || value.type === 'opaque' ? value.value.length : 1;
}
