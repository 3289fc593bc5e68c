import type { Clock, Milliseconds, Observation, WallTime } from '#collectors/contract.ts';
import type { Logger } from '#daemon/log.ts';
import type { Sink } from '#daemon/sinks/sink.ts';
import type { SpoolCounts } from './counts.ts';
import type { Deliverer, DeliveryState } from './deliverer.ts';
import type { Block, OutputSpool } from './output-spool.ts';

/** One record as an output's encoder makes it. */
export interface EncodedRecord {
  readonly bytes: Uint8Array;
  readonly important: boolean;
}

/** Observations as records of one format. Remembers what it needs to know about devices. */
export interface ObservationEncoder {
  encode(observation: Observation): { readonly records: readonly EncodedRecord[]; readonly refused: number };
  /** What is to be said when a device is watched no longer. */
  forget(device: string, at: WallTime): readonly EncodedRecord[];
}

export interface OutputStatus extends SpoolCounts {
  readonly output: string;
  readonly dialect: string;
  readonly delivery: DeliveryState;
  /** In memory, on their way to disk; `pending` and `produced` hold them too. */
  readonly queued: number;
  readonly bytes: number;
  readonly batches: number;
  readonly oldestAt?: WallTime;
  /**
   * `low`: the disk is below the floor of free space, the oldest points make room. `failing`: the disk takes nothing,
   * memory holds what it can.
   */
  readonly storing: 'ok' | 'low' | 'failing';
  /** Readings that the format has no word for. */
  readonly refusedReadings: number;
}

/** A sink that puts everything on disk before it is sent, with what can be told of it. */
export interface SpooledOutput extends Sink {
  status(): OutputStatus;
  /** The part of the spool behind it, for the quarantine. */
  readonly spool: OutputSpool;
}

export interface SpooledSinkSettings {
  readonly name: string;
  readonly dialect: string;
  readonly spool: OutputSpool;
  readonly deliverer: Deliverer;
  readonly encoder: ObservationEncoder;
  readonly log: Logger;
  readonly clock: Clock;
}

const COMMIT_AFTER = 250 as Milliseconds;
const COMMIT_AT_POINTS = 500;
const TRIED_AGAIN_AFTER = 1_000 as Milliseconds;
/** What memory holds while the disk does not take it. */
const MOST_QUEUED_POINTS = 20_000;
const MOST_QUEUED_BYTES = 8_388_608;

interface Queued extends EncodedRecord {
  readonly at: WallTime;
}

export class SpooledSink implements SpooledOutput {
  readonly name: string;
  readonly spool: OutputSpool;
  readonly #settings: SpooledSinkSettings;
  readonly #stop = new AbortController();
  #queue: Queued[] = [];
  #queuedBytes = 0;
  /** Points in the commit that is under way. */
  #committing = 0;
  /** Thrown away for want of room, and not yet counted on disk. */
  #lost = 0;
  #refused = 0;
  #failing = false;
  #committer: Promise<void> | undefined;
  #hurry = new AbortController();

  constructor(settings: SpooledSinkSettings) {
    this.#settings = settings;
    this.name = settings.name;
    this.spool = settings.spool;
  }

  accept(observation: Observation): void {
    if (this.#stop.signal.aborted) return;
    const { records, refused } = this.#settings.encoder.encode(observation);
    this.#refused += refused;
    this.#enqueue(records, observation.at);
  }

  forget(device: string): void {
    const at = this.#settings.clock.wallNow();
    const records = this.#settings.encoder.forget(device, at);
    if (!this.#stop.signal.aborted) this.#enqueue(records, at);
  }

  #enqueue(records: readonly EncodedRecord[], at: WallTime): void {
    for (const record of records) {
      this.#queue.push({ ...record, at });
      this.#queuedBytes += record.bytes.length;
    }
    this.#shed();
    if (this.#queue.length === 0) return;
    this.#committer ??= this.#commitAll().finally(() => {
      this.#committer = undefined;
    });
    if (this.#queue.length >= COMMIT_AT_POINTS && !this.#failing) this.#hurry.abort();
  }

  status(): OutputStatus {
    const { counts, bytes, batches, oldestAt } = this.spool;
    const queued = this.#queue.length + this.#committing;
    const oldest = oldestAt ?? this.#queue[0]?.at;
    return {
      ...counts,
      output: this.name,
      dialect: this.#settings.dialect,
      delivery: this.#settings.deliverer.state,
      produced: counts.produced + queued + this.#lost,
      pending: counts.pending + queued,
      dropped: { ...counts.dropped, queue_full: counts.dropped.queue_full + this.#lost },
      queued,
      bytes,
      batches,
      ...(oldest !== undefined && { oldestAt: oldest }),
      storing: this.#failing ? 'failing' : this.spool.diskLow ? 'low' : 'ok',
      refusedReadings: this.#refused,
    };
  }

  async flush(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    while (this.#committer) {
      this.#hurry.abort();
      await new Promise<void>((resolve, reject) => {
        const abort = (): void => reject(signal.reason);
        signal.addEventListener('abort', abort, { once: true });
        void this.#committer?.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
      });
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#hurry.abort();
    await Promise.all([this.#settings.deliverer.stop(), this.#committer]);
  }

  /** Until the queue is empty: first gathers for a moment, then puts all of it on disk in one commit. */
  async #commitAll(): Promise<void> {
    const { clock } = this.#settings;
    while (this.#queue.length > 0) {
      this.#hurry = new AbortController();
      if (this.#stop.signal.aborted) this.#hurry.abort();
      const enough = this.#queue.length >= COMMIT_AT_POINTS && !this.#failing;
      const wait = this.#failing ? TRIED_AGAIN_AFTER : COMMIT_AFTER;
      if (!enough) await clock.sleep(wait, this.#hurry.signal).catch(() => {});
      const stored = await this.#commit();
      if (!stored && this.#stop.signal.aborted) return;
    }
  }

  async #commit(): Promise<boolean> {
    const { log } = this.#settings;
    const batch = this.#queue;
    const lost = this.#lost;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#committing = batch.length;
    try {
      const losses = lost > 0 ? [{ reason: 'queue_full', points: lost } as const] : [];
      await this.spool.append(blocksOf(batch), losses);
      this.#lost -= lost;
      this.#committing = 0;
      if (this.#failing) log.info('points are put on disk again', { output: this.name });
      this.#failing = false;
      void this.spool.mergeWhenDue();
      return true;
    } catch (thrown) {
      this.#committing = 0;
      this.#queue = [...batch, ...this.#queue];
      this.#queuedBytes = this.#queue.reduce((bytes, record) => bytes + record.bytes.length, 0);
      this.#shed();
      if (!this.#failing)
        log.error('points cannot be put on disk, memory holds them', { output: this.name, error: thrown });
      this.#failing = true;
      return false;
    }
  }

  /** Oldest first, once memory holds as much as it may. */
  #shed(): void {
    let shed = 0;
    let bytes = this.#queuedBytes;
    const excess = this.#queue.length + this.#committing - MOST_QUEUED_POINTS;
    while (shed < this.#queue.length && (shed < excess || bytes > MOST_QUEUED_BYTES)) {
      bytes -= this.#queue[shed]?.bytes.length ?? 0;
      shed += 1;
    }
    if (shed === 0) return;
    this.#queue = this.#queue.slice(shed);
    this.#queuedBytes = bytes;
    this.#lost += shed;
  }
}

/** Routine and important points apart, for the former are thrown away first. */
function blocksOf(records: readonly Queued[]): readonly Block[] {
  return [false, true].flatMap((important) => {
    const chosen = records.filter((record) => record.important === important);
    const [first] = chosen;
    if (!first) return [];
    const times = chosen.map(({ at }) => at);
    return {
      raw: Buffer.concat(chosen.map(({ bytes }) => bytes)),
      points: chosen.length,
      important,
      firstAt: times.reduce((a, b) => Math.min(a, b) as WallTime),
      lastAt: times.reduce((a, b) => Math.max(a, b) as WallTime),
    };
  });
}
