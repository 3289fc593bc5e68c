import type { Clock, Milliseconds, WallTime } from '#collectors/contract.ts';
import type { Logger } from '#daemon/log.ts';
import type { ClaimLimits } from './backlog.ts';
import type { Dialect, Verdict } from './dialect.ts';
import { excerpt } from './dialect.ts';
import type { Claim, OutputSpool, Settlement } from './output-spool.ts';
import { RateLimit } from './rate-limit.ts';
import { type Interruption, type Part, type Sent, SizeLimit, sendClaim, waitAfter } from './sending.ts';
import type { Transport } from './transport.ts';

export interface DelivererSettings {
  readonly spool: OutputSpool;
  readonly transport: Transport;
  readonly dialect: Dialect;
  /** Of one exchange, from the first byte sent to the last received. */
  readonly timeout: Milliseconds;
  readonly maxBytesPerSecond?: number | undefined;
  /** Whether new points may overtake a backlog. Not where the receiver wants each series in order. */
  readonly overtaking: boolean;
  /** Tries to put right what holds the output (a missing database). True when it is worth trying again at once. */
  readonly repair?: ((held: Interruption, signal: AbortSignal) => Promise<boolean>) | undefined;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random?: () => number;
}

/** `held`: someone must change something. `unavailable`: it will be back by itself. */
export interface DeliveryState {
  readonly kind: 'starting' | 'delivering' | 'unavailable' | 'held';
  readonly since: WallTime;
  readonly message?: string;
  readonly hint?: string;
  /** When the receiver last took something. */
  readonly lastWrittenAt?: WallTime;
}

const LIMITS: ClaimLimits = { points: 5_000, rawBytes: 2_000_000 };
/** New points are waited for this long, so that they go in few requests. */
const GATHERED_FOR = 1_000 as Milliseconds;
const OVERTAKEN_EVERY = 1_000 as Milliseconds;
const SETTLED_AGAIN_AFTER = 1_000 as Milliseconds;
/** A larger body that times out may be too much for the line. */
const LEAST_SPLIT_BYTES = 16_384;

/** TLS says that the other side is not whom it should be: waiting does not help. */
const TLS_FAULT = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH)|_CERT/;
const FILE_FAULT = /^(ENOENT|EACCES|EISDIR)$/;

/**
 * Brings an output's spool to its receiver, oldest first, one request at a time; and beside it the newest points, so
 * that a screen shows now while three days of backlog follow.
 */
export class Deliverer {
  readonly #settings: DelivererSettings;
  readonly #limit = new SizeLimit(LIMITS.points);
  readonly #rate: RateLimit | undefined;
  readonly #stop = new AbortController();
  readonly #lanes: Promise<void>[] = [];
  #state: DeliveryState;
  /** Batches whose last answer was lost: whether they are stored, nobody knows. */
  readonly #doubtful = new Set<number>();
  #compressed = true;

  constructor(settings: DelivererSettings) {
    this.#settings = settings;
    this.#state = { kind: 'starting', since: settings.clock.wallNow() };
    const { maxBytesPerSecond, clock } = settings;
    this.#rate = maxBytesPerSecond === undefined ? undefined : new RateLimit(maxBytesPerSecond, clock);
  }

  get state(): DeliveryState {
    return this.#state;
  }

  start(): void {
    this.#lanes.push(this.#run(() => this.#backlogLane()));
    if (this.#settings.overtaking) this.#lanes.push(this.#run(() => this.#newestLane()));
  }

  /** Lets go of what is under way: it stays in the spool. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#lanes);
    this.#settings.transport.close();
  }

  async #run(lane: () => Promise<void>): Promise<void> {
    const { log, clock, spool } = this.#settings;
    while (!this.#stop.signal.aborted) {
      try {
        await lane();
      } catch (thrown) {
        if (this.#stop.signal.aborted) return;
        log.error('the spool cannot be read, delivery waits', { output: spool.name, error: thrown });
        await clock.sleep(SETTLED_AGAIN_AFTER, this.#stop.signal).catch(() => {});
      }
    }
  }

  async #backlogLane(): Promise<void> {
    const { spool, clock, random = Math.random } = this.#settings;
    const { signal } = this.#stop;
    let failures = 0;
    while (!signal.aborted) {
      await spool.expire();
      await spool.waitForBatch(signal);
      if (failures === 0 && spool.counts.pending < LIMITS.points) await clock.sleep(GATHERED_FOR, signal);
      const interruption = await this.#deliver('oldest');
      failures = interruption ? failures + 1 : 0;
      if (interruption && !(await this.#repaired(interruption))) {
        await clock.sleep(waitAfter(interruption, failures, random()), signal);
      }
    }
  }

  /** Only while there is a backlog to overtake, and a receiver that takes it. */
  async #newestLane(): Promise<void> {
    const { spool, clock } = this.#settings;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await clock.sleep(OVERTAKEN_EVERY, signal);
      if (this.#state.kind === 'delivering' && spool.counts.pending > LIMITS.points) await this.#deliver('newest');
    }
  }

  async #deliver(end: 'oldest' | 'newest'): Promise<Interruption | undefined> {
    const { spool, dialect } = this.#settings;
    const claim = await spool.claim(end, LIMITS);
    if (!claim) return undefined;
    const doubtful = claim.batches.some(({ id }) => this.#doubtful.has(id));
    let sent: Sent;
    try {
      sent = await sendClaim(claim, dialect, this.#limit, (part) => this.#exchange(part, doubtful));
    } catch (thrown) {
      spool.release(claim);
      throw thrown;
    }
    if (sent.settlement) await this.#settle(claim, sent.settlement);
    else spool.release(claim);
    for (const { id } of claim.batches) {
      if (sent.interruption?.kind === 'unavailable') this.#doubtful.add(id);
      else this.#doubtful.delete(id);
    }
    this.#tell(sent);
    return sent.interruption;
  }

  /** What the receiver has taken must leave the spool: a disk that is full now is asked again until it is not. */
  async #settle(claim: Claim, settlement: Settlement): Promise<void> {
    const { spool, clock, log } = this.#settings;
    for (let attempt = 1; ; attempt++) {
      try {
        await spool.settle(claim, settlement);
        return;
      } catch (thrown) {
        if (attempt === 1)
          log.error('the spool cannot be written, delivery waits', { output: spool.name, error: thrown });
        if (this.#stop.signal.aborted) return;
        await clock.sleep(SETTLED_AGAIN_AFTER, this.#stop.signal).catch(() => {});
      }
    }
  }

  async #exchange(part: Part, doubtful: boolean): Promise<{ status: number; verdict: Verdict }> {
    const { dialect, transport, timeout, clock } = this.#settings;
    const { signal } = this.#stop;
    const { body, headers } = await dialect.encode(
      part.raw,
      this.#compressed ? part.gzip : undefined,
      this.#compressed,
    );
    await this.#rate?.take(body.length, signal);
    try {
      const limited = AbortSignal.any([signal, clock.timeout(timeout)]);
      const outgoing = {
        method: 'POST',
        path: dialect.path,
        headers: { ...dialect.headers(), ...headers },
        body,
      } as const;
      const answer = await transport.exchange(outgoing, limited);
      const verdict = dialect.verdict(answer, part.records, doubtful);
      if (verdict.kind === 'uncompressed' && this.#compressed) this.#compressed = false;
      return { status: answer.status, verdict };
    } catch (thrown) {
      signal.throwIfAborted();
      const late = thrown instanceof Error && thrown.name === 'TimeoutError';
      if (late && body.length > LEAST_SPLIT_BYTES) this.#limit.timedOut();
      return { status: 0, verdict: verdictOfFailure(thrown, timeout) };
    }
  }

  async #repaired(interruption: Interruption): Promise<boolean> {
    const { repair, log, spool } = this.#settings;
    if (interruption.kind !== 'held' || !repair) return false;
    try {
      return await repair(interruption, this.#stop.signal);
    } catch (thrown) {
      log.warn('what holds the output could not be put right', { output: spool.name, error: thrown });
      return false;
    }
  }

  /** Changes of state are logged, repetitions are not. */
  #tell({ settlement, interruption }: Sent): void {
    const { spool, log, clock } = this.#settings;
    const output = spool.name;
    const rejected = settlement?.quarantined ?? [];
    if (rejected[0]) {
      log.error('the receiver refuses some points, they are quarantined', {
        output,
        points: rejected.reduce((sum, { points }) => sum + points, 0),
        message: excerpt(rejected[0].message),
      });
    }
    const now = clock.wallNow();
    const previous = this.#state;
    const wrote = settlement && settlement.written > 0;
    const lastWrittenAt = wrote ? now : previous.lastWrittenAt;
    const kind = interruption?.kind ?? 'delivering';
    this.#state = {
      kind,
      since: kind === previous.kind ? previous.since : now,
      ...(interruption && { message: excerpt(interruption.message) }),
      ...(interruption?.kind === 'held' && { hint: interruption.hint }),
      ...(lastWrittenAt !== undefined && { lastWrittenAt }),
    };
    if (kind === previous.kind) return;
    const fields = {
      output,
      message: this.#state.message,
      hint: this.#state.hint,
      pendingPoints: spool.counts.pending,
    };
    if (kind === 'held') log.error('the output is held until its settings or its receiver are put right', fields);
    else if (kind === 'unavailable') log.warn('the receiver does not take points, they stay in the spool', fields);
    else log.info('the receiver takes points', { output, pendingPoints: spool.counts.pending });
  }
}

function verdictOfFailure(thrown: unknown, timeout: Milliseconds): Interruption {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (error.name === 'TimeoutError') return { kind: 'unavailable', message: `no whole answer within ${timeout} ms` };
  if (TLS_FAULT.test(code)) {
    const hint = 'check ca, certificate and key of the output, and the name and age of the certificate of the receiver';
    return { kind: 'held', message: `TLS: ${error.message}`, hint };
  }
  if (FILE_FAULT.test(code)) {
    return { kind: 'held', message: error.message, hint: 'check the paths of ca, certificate and key of the output' };
  }
  return { kind: 'unavailable', message: error.message || code };
}
