/**
 * One UDP socket per address family for all devices. A reply counts only when it comes from the address and port that
 * were asked, carries the unpredictable id of a request in flight, and its session finds it genuine; whatever else
 * arrives is counted and dropped and never ends a request.
 */
import { randomInt } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { Clock } from '#collectors/contract.ts';
import { type CommunityView, communityView } from './ber.ts';
import { agentAt, noAnswer, notSent, type SnmpError } from './errors.ts';
import { type SecuredView, securedView } from './secured-message.ts';
import { BerError, BerReader, TAG } from './tlv.ts';
import { TokenBucket } from './token-bucket.ts';

/** Why a datagram was dropped. `unexpected`: no request has or had its id. `foreign`: another source answered. */
export const DROP_REASONS = [
  'malformed',
  'unexpected',
  'foreign',
  'late',
  'doubled',
  'wrong_version',
  'wrong_community',
  'not_authentic',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export type Incoming = CommunityView | SecuredView;

/** What a session makes of a reply that has the right id and source. */
export type Verdict<T> = { readonly accept: T } | { readonly drop: DropReason };

/** Counts of one user of the transport, such as one poll. */
export interface Cost {
  /** Packets sent. */
  requests: number;
  /** Packets that nothing came back for in time. */
  timeouts: number;
}

export interface Question<T> {
  readonly version: '1' | '2c' | '3';
  readonly address: string;
  readonly port: number;
  /** The message for the id that was drawn. A repetition sends the same octets. */
  readonly message: (id: number) => Uint8Array;
  readonly judge: (incoming: Incoming, datagram: Buffer) => Verdict<T>;
  /** How long each try waits, in milliseconds; as many tries as entries. */
  readonly waits: readonly number[];
  readonly signal: AbortSignal;
  readonly cost: Cost;
}

export interface TransportCounters {
  requests: number;
  answers: number;
  timeouts: number;
  /** Packets that had to wait for the cap of the appliance. */
  throttled: number;
  sentBytes: number;
  receivedBytes: number;
  readonly dropped: Record<DropReason, number>;
}

export interface TransportOptions {
  readonly clock: Clock;
  /** Cap on packets sent by the whole appliance. */
  readonly maxPacketsPerSecond: number;
}

type Ending = 'answered' | 'given-up';

interface InFlight {
  readonly question: Question<unknown>;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (reason: unknown) => void;
  readonly octets: Uint8Array;
  tries: number;
  waited: number;
  timer: NodeJS.Timeout | undefined;
  /** Another address that sent an answer with the right id. */
  elsewhere: string | undefined;
  sendError: Error | undefined;
}

/**
 * Requests by their ids. A map that is filled and emptied all the time leaves tables behind that still point to what was in
 * them; once such a table has grown old, whole polls are kept with it until the next full collection. Here the map holds
 * numbers only, and the requests lie in places that are cleared.
 */
class InFlightRequests {
  readonly #places = new Map<number, number>();
  readonly #requests: (InFlight | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#places.size;
  }

  has(id: number): boolean {
    return this.#places.has(id);
  }

  get(id: number): InFlight | undefined {
    const place = this.#places.get(id);
    return place === undefined ? undefined : this.#requests[place];
  }

  set(id: number, request: InFlight): void {
    const place = this.#free.pop() ?? this.#requests.length;
    this.#requests[place] = request;
    this.#places.set(id, place);
  }

  delete(id: number): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    this.#places.delete(id);
    this.#requests[place] = undefined;
    this.#free.push(place);
  }

  ids(): number[] {
    return [...this.#places.keys()];
  }

  requests(): InFlight[] {
    return this.#requests.filter((request) => request !== undefined);
  }
}

/** So many requests that ended lately are remembered at least, to tell late and doubled replies from strangers' guesses. */
const REMEMBERED_ENDED = 2_048;
/** A timer that is later than this was held up, in milliseconds. */
const STALL = 20;
/** A burst of replies from many agents at once must find room while the loop is busy. */
const RECEIVE_BUFFER = 4_194_304;

export class Transport {
  readonly counters: TransportCounters = {
    requests: 0,
    answers: 0,
    timeouts: 0,
    throttled: 0,
    sentBytes: 0,
    receivedBytes: 0,
    dropped: Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as Record<DropReason, number>,
  };
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  readonly #inFlight = new InFlightRequests();
  /** What each signal would abort. One listener for all requests of a read: there are many requests, and few aborts. */
  readonly #bySignal = new WeakMap<AbortSignal, Set<number>>();
  /** Requests that ended lately. Two generations, so that none has to be taken out. */
  #ended = new Map<number, Ending>();
  #endedBefore: ReadonlyMap<number, Ending> = new Map();
  readonly #sockets = new Map<'udp4' | 'udp6', Socket>();
  #closed = false;

  constructor({ clock, maxPacketsPerSecond }: TransportOptions) {
    this.#clock = clock;
    this.#bucket = new TokenBucket(clock, maxPacketsPerSecond);
  }

  /** Changes the cap, as when the config is loaded anew. */
  set maxPacketsPerSecond(rate: number) {
    this.#bucket.rate = rate;
  }

  /** Requests waiting for an answer. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /**
   * Sends a request, again when nothing comes back, and gives what `judge` accepts.
   * @throws SnmpError SNMP_TIMEOUT or SNMP_NOT_SENT; the signal's reason when it aborts.
   * @throws BerError when the message cannot be written.
   */
  ask<T>(question: Question<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      question.signal.throwIfAborted();
      if (this.#closed) throw new Error('the SNMP transport is closed');
      const id = this.#drawId();
      const octets = question.message(id);
      this.#abortedBy(question.signal).add(id);
      this.#inFlight.set(id, {
        question: question as Question<unknown>,
        resolve: resolve as (reply: unknown) => void,
        reject,
        octets,
        tries: 0,
        waited: 0,
        timer: undefined,
        elsewhere: undefined,
        sendError: undefined,
      });
      this.#send(id);
    });
  }

  #abortedBy(signal: AbortSignal): Set<number> {
    let ids = this.#bySignal.get(signal);
    if (!ids) {
      const all = new Set<number>();
      signal.addEventListener(
        'abort',
        () => {
          for (const id of [...all]) this.#end(id, 'given-up')?.reject(signal.reason);
        },
        { once: true },
      );
      this.#bySignal.set(signal, all);
      ids = all;
    }
    return ids;
  }

  /** Ends what is in flight and closes the sockets. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const id of this.#inFlight.ids()) {
      this.#end(id, 'given-up')?.reject(new Error('the SNMP transport was closed'));
    }
    const sockets = [...this.#sockets.values()];
    this.#sockets.clear();
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
  }

  /** 31 bits from the system's generator, so that nobody who does not see the request can answer it. */
  #drawId(): number {
    let id: number;
    do id = randomInt(1, 0x7fff_ffff);
    while (this.#inFlight.has(id) || this.#ending(id) !== undefined);
    return id;
  }

  #end(id: number, how: Ending): InFlight | undefined {
    const request = this.#inFlight.get(id);
    if (!request) return undefined;
    this.#inFlight.delete(id);
    clearTimeout(request.timer);
    this.#bySignal.get(request.question.signal)?.delete(id);
    if (this.#ended.size >= REMEMBERED_ENDED) {
      this.#endedBefore = this.#ended;
      this.#ended = new Map();
    }
    this.#ended.set(id, how);
    return request;
  }

  #ending(id: number): Ending | undefined {
    return this.#ended.get(id) ?? this.#endedBefore.get(id);
  }

  #send(id: number): void {
    if (this.#bucket.take()) {
      this.#sendNow(id);
      return;
    }
    this.counters.throttled++;
    this.#bucket.wait(() => {
      const waiting = this.#inFlight.has(id);
      if (waiting) this.#sendNow(id);
      return waiting; // an aborted request leaves its token to the next
    });
  }

  #sendNow(id: number): void {
    const request = this.#inFlight.get(id);
    if (!request) return;
    const { question, octets } = request;
    const wait = question.waits[request.tries] ?? 0;
    request.tries++;
    request.sendError = undefined;
    this.counters.requests++;
    this.counters.sentBytes += octets.length;
    question.cost.requests++;
    const sent = (error: Error | null) => {
      if (error) request.sendError = error;
    };
    try {
      this.#socket(question.address).send(octets, question.port, question.address, sent);
    } catch (error) {
      sent(error instanceof Error ? error : new Error(String(error)));
    }
    const due = this.#clock.monotonicNow() + wait;
    request.timer = setTimeout(() => this.#expire(id, wait, due), wait);
  }

  /**
   * A timer that fires late means that this process stood still, and that the answer may lie in the socket unread: what
   * came while nobody looked is read before the agent is blamed.
   */
  #expire(id: number, wait: number, due: number): void {
    const request = this.#inFlight.get(id);
    if (!request) return;
    const late = this.#clock.monotonicNow() - due;
    if (late < STALL) this.#unanswered(id, wait);
    else request.timer = setTimeout(() => this.#unanswered(id, wait), Math.min(late, wait));
  }

  #unanswered(id: number, waited: number): void {
    const request = this.#inFlight.get(id);
    if (!request) return;
    request.waited += waited;
    this.counters.timeouts++;
    request.question.cost.timeouts++;
    if (request.tries < request.question.waits.length) {
      this.#send(id);
      return;
    }
    this.#end(id, 'given-up')?.reject(this.#failure(request));
  }

  #failure({ question, tries, waited, elsewhere, sendError }: InFlight): SnmpError {
    const agent = agentAt(question.address, question.port);
    if (sendError) return notSent(agent, sendError);
    return noAnswer(agent, { version: question.version, tries, waited, elsewhere });
  }

  #socket(address: string): Socket {
    const type = socketType(address);
    const known = this.#sockets.get(type);
    if (known) return known;
    const family = type === 'udp6' ? 6 : 4;
    const socket = createSocket({
      type,
      ipv6Only: family === 6,
      recvBufferSize: RECEIVE_BUFFER,
      // Addresses only, names are resolved by the daemon: without this every packet would go through getaddrinfo.
      lookup: (host, _options, done) => done(null, host, family),
    });
    socket.on('message', (datagram, source) => this.#receive(datagram, source));
    // Without a listener the first error would end the process. The next request opens a new socket.
    socket.on('error', (error) => {
      if (this.#sockets.get(type) !== socket) return;
      this.#sockets.delete(type);
      socket.close();
      for (const request of this.#inFlight.requests()) {
        if (socketType(request.question.address) === type) request.sendError = error;
      }
    });
    socket.unref(); // what is in flight holds the process by its timers
    this.#sockets.set(type, socket);
    return socket;
  }

  #receive(datagram: Buffer, source: RemoteInfo): void {
    this.counters.receivedBytes += datagram.length;
    const reason = this.#judge(datagram, source);
    if (reason === undefined) this.counters.answers++;
    else this.counters.dropped[reason]++;
  }

  /** Hands a genuine reply to its request; otherwise says why it is none. */
  #judge(datagram: Buffer, source: RemoteInfo): DropReason | undefined {
    let incoming: Incoming;
    try {
      incoming = readIncoming(datagram);
    } catch (error) {
      if (error instanceof BerError) return 'malformed';
      throw error;
    }
    const id = incoming.version === 3 ? incoming.msgId : incoming.pdu.requestId;
    const request = this.#inFlight.get(id);
    if (!request) {
      const ended = this.#ending(id);
      return ended === undefined ? 'unexpected' : ended === 'answered' ? 'doubled' : 'late';
    }
    const { question } = request;
    if (source.port !== question.port || source.address !== question.address) {
      if (source.port === question.port) request.elsewhere = source.address;
      return 'foreign';
    }
    if (incoming.version !== VERSION_NUMBERS[question.version]) return 'wrong_version';
    let verdict: Verdict<unknown>;
    try {
      verdict = question.judge(incoming, datagram);
    } catch (error) {
      this.#end(id, 'given-up')?.reject(error); // a fault of ours: it ends this request, not the process
      return 'malformed';
    }
    if ('drop' in verdict) return verdict.drop;
    this.#end(id, 'answered')?.resolve(verdict.accept);
    return undefined;
  }
}

const socketType = (address: string) => (address.includes(':') ? 'udp6' : 'udp4');

const VERSION_NUMBERS = { '1': 0, '2c': 1, '3': 3 } as const;

/** @throws BerError unless the datagram is one sound SNMP message. */
function readIncoming(datagram: Buffer): Incoming {
  const reader = new BerReader(datagram);
  reader.enter(TAG.sequence);
  const version = reader.int32();
  if (version === 0 || version === 1) return communityView(reader, version);
  if (version === 3) return securedView(reader);
  throw new BerError(`version ${version}`, reader.at);
}
