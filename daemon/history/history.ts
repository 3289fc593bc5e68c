/**
 * The page's own memory of readings, in `history.db`. It may be lost: nothing that money hangs on is in it. A series is
 * kept as samples for a few days, in buckets of five minutes for weeks, and in buckets of an hour for as long as the
 * config says; all of it in chunks of two hours, which are written when they are full.
 */
import { METRIC_NAMES, type MetricName } from '#collectors/catalogue.ts';
import type { Clock, Labels, Milliseconds, WallTime } from '#collectors/contract.ts';
import type { Logger } from '../log.ts';
import { StoreError } from '../store/errors.ts';
import type { Database, SqlValue, Statement, Store } from '../store/store.ts';
import { type Bucket, decodeBuckets, decodeSamples, encodeBuckets, mergeBuckets, rollUp } from './codec.ts';
import { Intake } from './intake.ts';
import { KEPT, scaleOf } from './kept.ts';
import { OpenChunks } from './open-chunks.ts';
import { labelText, NONE, type SeriesName, SeriesTable } from './series-table.ts';

export type { SeriesName };

export interface HistoryOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly days: number;
  readonly maxBytes: number;
}

/** One line of a chart. Times in seconds since 1970; values in the base unit, of counters the rate per second. */
export interface Line {
  readonly at: readonly number[];
  readonly mean: readonly number[];
  readonly min: readonly number[];
  readonly max: readonly number[];
}

const MIGRATIONS = [
  {
    name: 'chunks',
    sql: `
      CREATE TABLE series (
        id INTEGER PRIMARY KEY,
        device TEXT NOT NULL,
        metric TEXT NOT NULL,
        labels TEXT NOT NULL,
        UNIQUE (device, metric, labels)
      ) STRICT;
      CREATE TABLE chunks (
        resolution INTEGER NOT NULL,
        series INTEGER NOT NULL,
        start INTEGER NOT NULL,
        closed INTEGER NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (resolution, series, start)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX chunks_open ON chunks (closed) WHERE closed = 0`,
  },
];

/** Seconds in a bucket; 0 are the samples themselves. */
const RESOLUTIONS = [0, 300, 3600] as const;
type Resolution = (typeof RESOLUTIONS)[number];
const DAY = 86_400;
/** How long each resolution is kept; the last one as long as the config says. */
const KEPT_SECONDS: Record<Resolution, number> = { 0: 8 * DAY, 300: 92 * DAY, 3600: Number.POSITIVE_INFINITY };
const CHUNK_SECONDS = 7_200;
const WRITE_EVERY = 30_000 as Milliseconds;
/** Writes in which every open chunk is saved once, so that a crash costs ten minutes of chart. */
const CHECKPOINT_TURNS = 20;
const PRUNE_TURNS = 120;
const MOST_SERIES = 50_000;
const SAVE_CHUNK = 'INSERT OR REPLACE INTO chunks (resolution, series, start, closed, data) VALUES (?, ?, ?, ?, ?)';

export class History {
  readonly #options: HistoryOptions;
  readonly #database: Database;
  readonly #series = new SeriesTable();
  readonly #intake = new Intake();
  readonly #chunks = new OpenChunks();
  readonly #stopping = new AbortController();
  #newSeries: SqlValue[][] = [];
  #closed: SqlValue[][] = [];
  #nextId = 1;
  #turn = 0;
  #running: Promise<void> = Promise.resolve();
  #full = false;

  private constructor(options: HistoryOptions, database: Database) {
    this.#options = options;
    this.#database = database;
  }

  /** @throws StoreError as `Store.open` does; a damaged file is set aside and an empty one begun */
  static async open(options: HistoryOptions): Promise<History> {
    const { database } = await options.store.open('history', {
      migrations: MIGRATIONS,
      synchronous: 'normal',
      // Room for the log and for what is written until the next pruning.
      maxBytes: Math.max(2_000_000, options.maxBytes),
    });
    const history = new History(options, database);
    await history.#load();
    history.#running = history.#run();
    return history;
  }

  /** Takes one value. Returns at once; what is new is written within half a minute. */
  append(device: string, metric: MetricName, labels: Labels, at: WallTime, value: number | bigint): void {
    let slot = this.#series.find(device, metric, labels);
    if (slot === NONE) slot = this.#begin(device, metric, labels);
    if (slot === NONE) return;
    const second = Math.floor(at / 1000);
    const before = this.#intake.heardAt(slot);
    const sample = this.#intake.take(slot, second, value);
    if (sample === undefined) return;
    // The clock was set back: what follows is another stretch, and meets the first one in the chart.
    if (this.#chunks.isOpen(slot) && (second < before || this.#isOver(slot, second))) this.#close(slot);
    this.#chunks.append(slot, second, Math.round(sample * scaleOf(metric)));
  }

  /** What can be charted of a device. */
  names(device: string): SeriesName[] {
    return this.#series.of(device).map(({ metric, labels }) => ({ metric, labels }));
  }

  /** One line from `from` to `to`, of at most about `points` points. */
  async line(
    device: string,
    { metric, labels }: SeriesName,
    from: WallTime,
    to: WallTime,
    points: number,
  ): Promise<Line> {
    const slot = this.#series.find(device, metric, labels);
    const first = Math.floor(from / 1000);
    const last = Math.ceil(to / 1000);
    if (slot === NONE) return { at: [], mean: [], min: [], max: [] };
    const resolution = resolutionFor(last - first);
    const step = Math.max(resolution, Math.ceil((last - first) / points / 60) * 60, 60);
    const buckets = await this.#buckets(slot, resolution, first, last);
    const merged = mergeBuckets(
      buckets.filter(({ at }) => at >= first - step && at <= last),
      step,
    );
    const scale = scaleOf(metric);
    const scaled = (pick: (bucket: Bucket) => number) => merged.map((bucket) => pick(bucket) / scale);
    return {
      at: merged.map(({ at }) => at),
      mean: scaled(({ mean }) => mean),
      min: scaled(({ min }) => min),
      max: scaled(({ max }) => max),
    };
  }

  /** Bytes on disk, series known, and whether the oldest is being dropped for want of room. */
  async size(): Promise<{ bytes: number; series: number; full: boolean }> {
    return { bytes: await this.#database.size(), series: this.#series.size, full: this.#full };
  }

  /** Ends the chunks of a device that is watched no longer. What is kept of it goes with its age. */
  forget(device: string): void {
    for (const { slot } of this.#series.of(device)) {
      if (this.#chunks.isOpen(slot)) this.#close(slot);
      this.#intake.forgetCounter(slot);
    }
  }

  /** Writes everything that is open. */
  async flush(): Promise<void> {
    await this.#write(this.#series.slots());
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.flush();
  }

  async #load(): Promise<void> {
    for (const row of await this.#database.read('SELECT id, device, metric, labels FROM series')) {
      const id = Number(row['id']);
      const metric = METRIC_NAMES.find((name) => name === row['metric']);
      this.#nextId = Math.max(this.#nextId, id + 1);
      if (metric && KEPT[metric]) this.#add(String(row['device']), metric, String(row['labels']), id);
    }
    // Chunks that a crash left open: their samples are there, their roll-ups are not.
    const open = await this.#database.read('SELECT series, start, data FROM chunks WHERE closed = 0');
    const rows = open.flatMap((row) => {
      const data = row['data'];
      return data instanceof Uint8Array ? closedRows(Number(row['series']), Number(row['start']), data) : [];
    });
    if (rows.length > 0) await this.#database.write([{ sql: SAVE_CHUNK, rows }]);
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await clock.sleep(WRITE_EVERY, signal);
      } catch {
        return;
      }
      this.#turn += 1;
      try {
        const turn = this.#turn % CHECKPOINT_TURNS;
        await this.#write(this.#series.slots().filter((slot) => this.#series.id(slot) % CHECKPOINT_TURNS === turn));
        if (this.#turn % PRUNE_TURNS === 1) await this.#prune();
      } catch (error) {
        log.warn('the history could not be written, the charts will have a gap', { error });
      }
    }
  }

  /** Writes what is closed, and saves these open chunks. */
  async #write(checkpoint: Iterable<number>): Promise<void> {
    const names = this.#newSeries;
    const rows = this.#closed;
    this.#newSeries = [];
    this.#closed = [];
    for (const slot of checkpoint)
      if (this.#chunks.isUnsaved(slot))
        rows.push([0, this.#series.id(slot), this.#chunks.start(slot), 0, this.#chunks.save(slot)]);
    const statements: Statement[] = [];
    if (names.length > 0)
      statements.push({
        sql: 'INSERT OR IGNORE INTO series (id, device, metric, labels) VALUES (?, ?, ?, ?)',
        rows: names,
      });
    if (rows.length > 0) statements.push({ sql: SAVE_CHUNK, rows });
    if (statements.length === 0) return;
    try {
      await this.#database.write(statements);
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'STORE_FULL') throw error;
      // The names must be there before any chunk of theirs; the samples of this turn are given up for the next ones.
      this.#newSeries = [...names, ...this.#newSeries];
      await this.#makeRoom();
    }
  }

  /** Drops what is older than its resolution is kept, and more while the file is too large. */
  async #prune(): Promise<void> {
    const now = Math.floor(this.#options.clock.wallNow() / 1000);
    const limits = RESOLUTIONS.map((resolution) => [
      resolution,
      now - Math.min(KEPT_SECONDS[resolution], this.#options.days * DAY),
    ]);
    await this.#database.write([{ sql: 'DELETE FROM chunks WHERE resolution = ? AND start < ?', rows: limits }]);
    await this.#dropEmptySeries();
    if ((await this.#database.size()) > this.#options.maxBytes * 0.95) await this.#makeRoom();
    else this.#full = false;
    await this.#database.shrink(2_000);
  }

  /** Gives the oldest tenth of the finest resolution up that has more than a day. */
  async #makeRoom(): Promise<void> {
    if (!this.#full) this.#options.log.warn('the history is as large as it may be, its oldest part goes');
    this.#full = true;
    for (const resolution of RESOLUTIONS) {
      const [row] = await this.#database.read(
        'SELECT MIN(start) AS oldest, MAX(start) AS newest FROM chunks WHERE resolution = ?',
        [resolution],
      );
      const oldest = Number(row?.['oldest'] ?? 0);
      const length = Number(row?.['newest'] ?? 0) - oldest;
      if (length < DAY) continue;
      await this.#database.write([
        {
          sql: 'DELETE FROM chunks WHERE resolution = ? AND start < ?',
          params: [resolution, oldest + Math.max(CHUNK_SECONDS, length / 10)].map(Math.ceil),
        },
      ]);
      await this.#database.shrink(5_000);
      return;
    }
  }

  /** Those of devices that are long gone: no chunk is left, and nothing came since the start. */
  async #dropEmptySeries(): Promise<void> {
    const rows = await this.#database.read(
      'SELECT id, device, metric, labels FROM series WHERE id NOT IN (SELECT DISTINCT series FROM chunks)',
    );
    const silent = rows
      .map(({ id, device, metric, labels }) => [id ?? null, String(device), String(metric), String(labels)] as const)
      .filter(([, ...name]) => this.#isSilent(this.#series.findByText(...name)));
    if (silent.length === 0) return;
    await this.#database.write([{ sql: 'DELETE FROM series WHERE id = ?', rows: silent.map(([id]) => [id]) }]);
    for (const [id, ...name] of silent) {
      if (this.#isSilent(this.#series.findByText(...name))) this.#series.remove(...name);
      // It was heard while its name was being deleted.
      else this.#newSeries.push([id, ...name]);
    }
  }

  /** Whether nothing came for the series since the start. */
  #isSilent(slot: number): boolean {
    return slot !== NONE && this.#intake.heardAt(slot) === 0;
  }

  async #buckets(slot: number, resolution: Resolution, first: number, last: number): Promise<Bucket[]> {
    const id = this.#series.id(slot);
    const rows = await this.#database.read(
      'SELECT start, data FROM chunks WHERE resolution = ? AND series = ? AND start >= ? AND start <= ?',
      [resolution, id, first - 2 * CHUNK_SECONDS, last],
    );
    // The series may have been dropped meanwhile, and another be in its slot.
    const isOpen = this.#series.id(slot) === id && this.#chunks.isOpen(slot);
    const openSince = isOpen ? this.#chunks.start(slot) : undefined;
    const kept = rows.flatMap(({ start, data }): Bucket[] => {
      if (!(data instanceof Uint8Array) || (resolution === 0 && Number(start) === openSince)) return [];
      return resolution === 0
        ? decodeSamples(Number(start), data).map(asBucket)
        : decodeBuckets(Math.floor(Number(start) / resolution) * resolution, data, resolution);
    });
    // Closed, but not yet written.
    for (const [of, series, start, , data] of this.#closed)
      if (of === 0 && series === id && data instanceof Uint8Array)
        kept.push(...decodeSamples(Number(start), data).map(asBucket));
    if (isOpen) kept.push(...this.#chunks.samples(slot).map(asBucket));
    return kept;
  }

  /** Whether the open chunk's two hours are over. */
  #isOver(slot: number, second: number): boolean {
    const id = this.#series.id(slot);
    return windowOf(id, second) !== windowOf(id, this.#chunks.start(slot));
  }

  #close(slot: number): void {
    const start = this.#chunks.start(slot);
    this.#closed.push(...closedRows(this.#series.id(slot), start, this.#chunks.close(slot)));
  }

  /** `NONE` where there are too many. */
  #begin(device: string, metric: MetricName, labels: Labels): number {
    if (this.#series.size >= MOST_SERIES) return NONE;
    const id = this.#nextId;
    const text = labelText(labels);
    this.#nextId += 1;
    this.#newSeries.push([id, device, metric, text]);
    return this.#add(device, metric, text, id);
  }

  #add(device: string, metric: MetricName, text: string, id: number): number {
    const slot = this.#series.add(device, metric, text, id);
    this.#intake.begin(slot);
    return slot;
  }
}

/** The history, or nothing where it cannot be had: the ledgers and the outputs go on without charts. */
export async function openHistory(options: HistoryOptions): Promise<History | undefined> {
  try {
    return await History.open(options);
  } catch (error) {
    options.log.error('the history cannot be opened, the page has no charts', { error });
    return undefined;
  }
}

/** A chunk that is complete: its samples, and their roll-ups. */
function closedRows(series: number, start: number, data: Uint8Array): SqlValue[][] {
  const samples = decodeSamples(start, data);
  // A row begins at its first sample, not at its first bucket: two chunks may share the bucket in which they meet.
  const rollUps = RESOLUTIONS.filter((resolution) => resolution > 0).map((resolution): SqlValue[] => [
    resolution,
    series,
    start,
    1,
    encodeBuckets(rollUp(samples, resolution), resolution),
  ]);
  return [[0, series, start, 1, data], ...rollUps];
}

const asBucket = ({ at, value }: { at: number; value: number }): Bucket => ({
  at,
  count: 1,
  mean: value,
  min: value,
  max: value,
});

/** Each series turns its chunk at another time, by whole buckets of five minutes, so that the writes are spread. */
function windowOf(id: number, second: number): number {
  return Math.floor((second + ((id * 7) % 24) * 300) / CHUNK_SECONDS);
}

function resolutionFor(seconds: number): Resolution {
  if (seconds <= 1.5 * DAY) return 0;
  return seconds <= 8 * DAY ? 300 : 3600;
}
