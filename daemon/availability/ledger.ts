import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Clock, Milliseconds, Monotonic, WallTime } from '#collectors/contract.ts';
import type { Logger } from '../log.ts';
import { CHAIN_START, sameHash } from '../store/chain.ts';
import type { StoreError } from '../store/errors.ts';
import type { Ledger, Restoration } from '../store/ledger.ts';
import type { Database, SqlValue, Statement } from '../store/store.ts';
import {
  type AnnouncedMaintenance,
  type Correction,
  type Draft,
  type Entry,
  entryOf,
  hashOfRow,
  INSERT_ENTRY,
  type Interruption,
  rowOf,
} from './entries.ts';
import { Sums } from './sums.ts';
import { readExtract } from './timeline.ts';
import type { State } from './verdict.ts';
import { FIRST_PLAUSIBLE } from './vigil.ts';

export interface AvailabilityLedgerOptions {
  readonly ledger: Ledger;
  /** How the file came back, when it did. */
  readonly restoration?: Restoration | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
  /** The file was lost while siteward ran: all that was known of devices is to be found out anew. */
  readonly onRestored: (at: WallTime) => void;
}

/** Entries of one commit. A thousand take about ten milliseconds. */
const MOST_AT_ONCE = 1_000;
/** Entries that wait for a disk that takes none. Past this the oldest interruption is all that can be said. */
const MOST_WAITING = 200_000;
const CORRECTION_PATIENCE = 10_000;
const RETRY = 5_000 as Milliseconds;
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Entries about devices are made by a daemon that lives; those that tell of a loss are not. */
const LAST_SIGN = `SELECT max(at) AS at FROM availability_entries
  WHERE segment = ? AND kind IN ('state', 'watched', 'unwatched')`;
const HEARTBEAT = `INSERT INTO availability_heartbeat (id, segment, at, mono) VALUES (1, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET segment = excluded.segment, at = excluded.at, mono = excluded.mono`;

/**
 * The availability ledger: entries in order, each chained to the one before, and a heartbeat that says how far they
 * hold. Taking an entry never waits; a disk that fails is tried again until it takes what waits.
 */
export class AvailabilityLedger {
  readonly sums = new Sums();
  readonly #options: AvailabilityLedgerOptions;
  readonly #stopping = new AbortController();
  readonly #run = randomUUID();
  /** Watched devices, each with its SLA. */
  readonly #watched = new Map<string, string | undefined>();
  readonly #maintenance = new Map<string, AnnouncedMaintenance>();
  /** Devices that were first watched while the clock was not set yet. */
  readonly #early = new Set<string>();
  #waiting: Entry[] = [];
  #beat: { readonly segment: number; readonly at: WallTime; readonly mono: number } | undefined;
  #draining: Promise<void> | undefined;
  #head: Uint8Array = CHAIN_START;
  #seq = 0;
  #segment = 0;
  #acknowledged: WallTime | undefined;
  #fault: StoreError | undefined;

  private constructor(options: AvailabilityLedgerOptions) {
    this.#options = options;
  }

  /**
   * Seals what the run before left open at its last heartbeat, and begins a new segment.
   * @throws StoreError when the ledger can be read or written no more
   */
  static async open(options: AvailabilityLedgerOptions, now: WallTime): Promise<AvailabilityLedger> {
    const ledger = new AvailabilityLedger(options);
    await ledger.#begin(now);
    return ledger;
  }

  /** Up to when the disk has confirmed that siteward lived. Nothing past it is told to others. */
  get acknowledged(): WallTime | undefined {
    return this.#acknowledged;
  }

  /** Why entries wait; undefined while they are written. */
  get fault(): StoreError | undefined {
    return this.#fault;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Maintenance as announced up to now, without what was taken back. */
  get maintenance(): readonly AnnouncedMaintenance[] {
    return [...this.#maintenance.values()];
  }

  /** Takes an entry. It is on disk when a later heartbeat is acknowledged, or when `flush` resolves. */
  append(draft: Draft): void {
    const { clock, log } = this.#options;
    if (this.#waiting.length >= MOST_WAITING) {
      log.error('the ledger takes no entries and too many wait, the newest are dropped', { waiting: MOST_WAITING });
      return;
    }
    this.#seq += 1;
    const place = {
      seq: this.#seq,
      segment: this.#segment,
      recorded: clock.wallNow(),
      mono: Math.round(clock.monotonicNow()),
    };
    this.#waiting.push({ ...draft, ...place } as Entry);
    this.#drain();
  }

  /** Watches these devices, each under its SLA, and no others. Their time begins now, or goes on. */
  watch(devices: ReadonlyMap<string, string | undefined>, at: WallTime): void {
    for (const device of this.#watched.keys()) {
      if (devices.has(device)) continue;
      this.append({ kind: 'unwatched', device, at });
      this.#watched.delete(device);
    }
    for (const [device, sla] of devices)
      if (!this.#watched.has(device) || this.#watched.get(device) !== sla) this.#begins(device, sla, at);
  }

  #begins(device: string, sla: string | undefined, at: WallTime): void {
    const isNew = !this.#watched.has(device);
    this.append({ kind: 'watched', device, at, detail: sla === undefined ? {} : { sla } });
    this.#watched.set(device, sla);
    if (!isNew) return;
    if (at < FIRST_PLAUSIBLE) this.#early.add(device);
    else this.sums.open(device, at);
  }

  /** Notes which maintenance is announced: what is new since the last call, and what was taken back. */
  announce(windows: readonly AnnouncedMaintenance[], at: WallTime): void {
    const next = new Map(windows.map((window) => [window.key, window]));
    for (const { key, name } of this.#maintenance.values())
      if (!next.has(key)) this.append({ kind: 'maintenance-removed', at, detail: { key, name } });
    for (const window of windows)
      if (!this.#maintenance.has(window.key)) this.append({ kind: 'maintenance', at, detail: window });
    this.#maintenance.clear();
    for (const [key, window] of next) this.#maintenance.set(key, window);
  }

  /** A person ends maintenance: from now on it holds no longer, and what it was stays. On disk when the promise resolves. */
  async endMaintenance(
    { key, name }: AnnouncedMaintenance,
    author: string,
    reason: string,
    at: WallTime,
  ): Promise<void> {
    this.append({ kind: 'maintenance-removed', at, detail: { key, name, author, reason } });
    this.#maintenance.delete(key);
    await this.flush(AbortSignal.timeout(CORRECTION_PATIENCE));
  }

  /** Enters a person's word beside what was observed. On disk when the promise resolves. */
  async correct(device: string, from: WallTime, correction: Correction): Promise<void> {
    this.append({ kind: 'correction', device, at: from, detail: correction });
    await this.flush(AbortSignal.timeout(CORRECTION_PATIENCE));
  }

  /** Nobody watched from `from` to `to`: one segment ends, another begins, and all is unknown until it is found out. */
  interrupt(from: WallTime, to: WallTime, why: Interruption): void {
    this.append({ kind: 'end', at: from, detail: { why } });
    this.#segment += 1;
    this.append({ kind: 'segment', at: to, detail: this.#segmentDetail(why) });
    for (const device of this.#watched.keys()) {
      this.sums.enter(device, from, 'unknown');
      this.sums.settle(device, to);
    }
    if (to >= FIRST_PLAUSIBLE) this.#beginAgain(from, to);
  }

  /** Devices that are new since the clock was never set have been watched since now, not since 1970. */
  #beginAgain(from: WallTime, to: WallTime): void {
    for (const device of this.#early) {
      const sla = this.#watched.get(device);
      this.append({ kind: 'unwatched', device, at: from });
      this.#watched.delete(device);
      this.#begins(device, sla, to);
    }
    this.#early.clear();
  }

  /** A device entered a state, for the counters; what was observed goes in by `append`. */
  enter(device: string, at: WallTime, live: State): void {
    this.sums.enter(device, at, live);
  }

  /** Says that siteward lives. What is known now holds until here, whatever comes. */
  beat(at: WallTime, mono: Monotonic): void {
    this.#beat = { segment: this.#segment, at, mono: Math.round(mono) };
    this.#drain();
  }

  /** Resolves when all that was taken is on disk, or rejects with the signal's reason. */
  async flush(signal: AbortSignal): Promise<void> {
    while (this.#draining) {
      await Promise.race([this.#draining, aborted(signal)]);
      signal.throwIfAborted();
    }
  }

  /** Ends the segment: siteward was stopped, and did not crash. */
  async close(at: WallTime, signal: AbortSignal): Promise<void> {
    this.append({ kind: 'end', at, detail: { why: 'stopped' } });
    for (const device of this.#watched.keys()) this.sums.enter(device, at, 'unknown');
    this.sums.saveAgain();
    this.beat(at, this.#options.clock.monotonicNow());
    try {
      await this.flush(signal);
    } finally {
      this.#stopping.abort();
    }
  }

  async #begin(now: WallTime): Promise<void> {
    const { ledger, restoration, log } = this.#options;
    await this.#readHead();
    if (restoration) await this.#restored(restoration, now);
    const lived = await this.#seal();
    this.#segment += 1;
    this.append({ kind: 'segment', at: now, detail: this.#segmentDetail('started') });
    await this.#readStanding(ledger.database);
    this.sums.load(await ledger.database.read('SELECT * FROM availability_sums'), lived ?? now, now);
    await this.#countAnew(lived ?? now, now);
    await this.flush(AbortSignal.timeout(30_000));
    if (lived !== undefined && lived < now)
      log.info('the time in which siteward did not run is unknown', {
        from: new Date(lived).toISOString(),
        to: new Date(now).toISOString(),
      });
  }

  /** Counters that were never saved, or lost with a file, are what the ledger's intervals sum to. */
  async #countAnew(lived: WallTime, now: WallTime): Promise<void> {
    const missing = [...this.#watched.keys()].filter((device) => this.sums.of(device) === undefined);
    if (missing.length === 0) return;
    const { database } = this.#options.ledger;
    const { timelines } = await readExtract(database, { from: FIRST_PLAUSIBLE as WallTime, to: now }, lived);
    for (const device of missing) {
      const pieces = timelines.get(device) ?? [];
      this.sums.open(device, pieces[0]?.from ?? now);
      for (const { from, state } of pieces) this.sums.enter(device, from, state);
      this.sums.enter(device, lived, 'unknown');
      this.sums.settle(device, now);
    }
  }

  async #readHead(): Promise<void> {
    const { database } = this.#options.ledger;
    const [last] = await database.read('SELECT seq, hash FROM availability_entries ORDER BY seq DESC LIMIT 1');
    const [segment] = await database.read('SELECT max(segment) AS segment FROM availability_entries');
    this.#seq = Number(last?.['seq'] ?? 0);
    this.#head = last?.['hash'] instanceof Uint8Array ? last['hash'] : CHAIN_START;
    this.#segment = Number(segment?.['segment'] ?? 0);
  }

  /** Takes from the damaged file what continues the chain of the copy: such entries are proven. */
  async #restored({ setAside, copy, restored }: Restoration, now: WallTime): Promise<void> {
    const { ledger, log } = this.#options;
    let saved = 0;
    if (setAside !== undefined) {
      const rows = await ledger.salvage(setAside, 'SELECT * FROM availability_entries WHERE seq > ? ORDER BY seq', [
        this.#seq,
      ]);
      const proven: SqlValue[][] = [];
      for (const row of rows) {
        const hash = hashOfRow(row, this.#head);
        if (Number(row['seq']) !== this.#seq + 1 || !sameHash(row['hash'], hash)) break;
        proven.push([...Object.values(row)]);
        this.#head = hash;
        this.#seq += 1;
        this.#segment = Math.max(this.#segment, Number(row['segment']));
      }
      if (proven.length > 0) await ledger.database.write([{ sql: INSERT_ENTRY, rows: proven }]);
      saved = proven.length;
      log.warn('entries were saved from the damaged ledger', { entries: saved });
    }
    const detail = {
      ...(copy === undefined ? {} : { copy }),
      ...(setAside === undefined ? {} : { set_aside: setAside }),
      entries: restored + saved,
    };
    this.append({ kind: 'restored', at: now, detail });
  }

  /** Ends the segment that a crash left open, where it is proven to have lived. @returns that time */
  async #seal(): Promise<WallTime | undefined> {
    const { database } = this.#options.ledger;
    const [last] = await database.read(`SELECT * FROM availability_entries
      WHERE kind IN ('segment', 'end') ORDER BY seq DESC LIMIT 1`);
    if (!last) return undefined;
    if (last['kind'] === 'end') return Number(last['at']) as WallTime;
    const [beat] = await database.read('SELECT segment, at FROM availability_heartbeat WHERE segment = ?', [
      this.#segment,
    ]);
    const [entered] = await database.read(LAST_SIGN, [this.#segment]);
    const at = Math.max(Number(beat?.['at'] ?? 0), Number(entered?.['at'] ?? 0), Number(last['at'])) as WallTime;
    this.append({ kind: 'end', at, detail: { why: this.#options.restoration ? 'restored' : 'crashed' } });
    return at;
  }

  /** Which devices and windows the ledger knows, from its last entries about them. */
  async #readStanding(database: Database): Promise<void> {
    const rows = await database.read(`SELECT * FROM availability_entries
      WHERE kind IN ('watched', 'unwatched', 'maintenance', 'maintenance-removed') ORDER BY seq`);
    for (const entry of rows.map(entryOf)) {
      if (entry.kind === 'watched') this.#watched.set(entry.device, entry.detail.sla);
      if (entry.kind === 'unwatched') this.#watched.delete(entry.device);
      if (entry.kind === 'maintenance') this.#maintenance.set(entry.detail.key, entry.detail);
      if (entry.kind === 'maintenance-removed') this.#maintenance.delete(entry.detail.key);
    }
  }

  #segmentDetail(why: Interruption) {
    return { why, run: this.#run, boot: bootId(), version: this.#options.version };
  }

  #drain(): void {
    this.#draining ??= this.#write().finally(() => {
      this.#draining = undefined;
      // What came in after the last look of the writer.
      if ((this.#waiting.length > 0 || this.#beat) && !this.#stopping.signal.aborted) this.#drain();
    });
  }

  async #write(): Promise<void> {
    // A turn of the loop first: all that one round brings goes into one commit.
    await new Promise((resolve) => setImmediate(resolve));
    while ((this.#waiting.length > 0 || this.#beat) && !this.#stopping.signal.aborted) {
      const entries = this.#waiting.slice(0, MOST_AT_ONCE);
      const beat = entries.length === this.#waiting.length ? this.#beat : undefined;
      try {
        await this.#commit(entries, beat);
      } catch (error) {
        await this.#failed(error as StoreError);
        continue;
      }
      this.#waiting.splice(0, entries.length);
      if (this.#beat === beat) this.#beat = undefined;
      if (beat) this.#acknowledged = beat.at;
      if (this.#fault) this.#options.log.info('the ledger takes entries again');
      this.#fault = undefined;
    }
  }

  async #commit(
    entries: readonly Entry[],
    beat: { segment: number; at: WallTime; mono: number } | undefined,
  ): Promise<void> {
    let head = this.#head;
    const rows = entries.map((entry) => {
      const { row, hash } = rowOf(entry, head);
      head = hash;
      return row;
    });
    const statements: Statement[] = [];
    if (rows.length > 0) statements.push({ sql: INSERT_ENTRY, rows });
    if (beat) statements.push(...this.sums.save(), { sql: HEARTBEAT, params: [beat.segment, beat.at, beat.mono] });
    await this.#options.ledger.database.write(statements);
    this.#head = head;
  }

  async #failed(error: StoreError): Promise<void> {
    const { clock, log, ledger } = this.#options;
    if (this.#fault?.code !== error.code)
      log.error('the ledger takes no entries, they wait in memory', { error, waiting: this.#waiting.length });
    this.#fault = error;
    this.sums.saveAgain();
    const { signal } = this.#stopping;
    // At once the first time: a handle that a failed sync has killed is replaced without delay.
    if (error.code === 'STORE_IO' || error.code === 'STORE_DAMAGED') {
      try {
        const restoration = await ledger.reopen();
        if (restoration) await this.#restoredWhileRunning(restoration);
        else await this.#readBack();
        return;
      } catch (thrown) {
        log.error('the ledger cannot be opened again', { error: thrown });
      }
    }
    await clock.sleep(RETRY, signal).catch(() => undefined);
  }

  /** A commit that failed may have reached the disk all the same: what is there is not written twice. */
  async #readBack(): Promise<void> {
    const waiting = this.#waiting;
    const { seq, segment } = { seq: this.#seq, segment: this.#segment };
    await this.#readHead();
    this.#waiting = waiting.filter((entry) => entry.seq > this.#seq);
    this.#seq = seq;
    this.#segment = segment;
  }

  /** What waited refers to entries that are lost: the ledger goes on from what was restored, with a new segment. */
  async #restoredWhileRunning(restoration: Restoration): Promise<void> {
    const now = this.#options.clock.wallNow();
    const watched = new Map(this.#watched);
    this.#waiting = [];
    await this.#readHead();
    await this.#restored(restoration, now);
    await this.#seal();
    this.#segment += 1;
    this.append({ kind: 'segment', at: now, detail: this.#segmentDetail('restored') });
    this.#watched.clear();
    this.#maintenance.clear();
    await this.#readStanding(this.#options.ledger.database);
    this.watch(watched, now);
    this.#options.onRestored(now);
  }
}

function bootId(): string {
  try {
    return readFileSync(BOOT_ID, 'utf8').trim();
  } catch {
    return '';
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
