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
import {
  type Bucket,
  decodeBuckets,
  decodeSamples,
  encodeBuckets,
  mergeBuckets,
  rollUp,
  SampleEncoder,
} from './codec.ts';
import { KEPT } from './kept.ts';

export interface HistoryOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly days: number;
  readonly maxBytes: number;
}

/** One line of a chart that can be had. */
export interface SeriesName {
  readonly metric: MetricName;
  readonly labels: Labels;
}

/** One line of a chart. Times in seconds since 1970; values in the base unit, of counters the rate per second. */
export interface Line {
  readonly at: readonly number[];
  readonly mean: readonly number[];
  readonly min: readonly number[];
  readonly max: readonly number[];
}

interface Series extends SeriesName {
  readonly id: number;
  readonly scale: number;
  open?: SampleEncoder;
  /** Holds samples that no checkpoint has. */
  dirty: boolean;
  lastAt: number;
  /** The counter's last value, for the rate of the next; NaN before the first. */
  counted: number;
  countedAt: number;
}

/** The series of one device. Label objects stay the same from poll to poll, so that most are found without a text. */
interface DeviceSeries {
  readonly byKey: Map<string, Series>;
  readonly byLabels: WeakMap<Labels, Map<MetricName, Series>>;
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
/** Samples that come faster are left out: the availability rounds ask several times a minute. */
const LEAST_SPACING = 30;
/** A rate over a longer gap says nothing about any part of it. */
const LONGEST_RATE_GAP = 900;
const WRITE_EVERY = 30_000 as Milliseconds;
/** Writes in which every open chunk is saved once, so that a crash costs ten minutes of chart. */
const CHECKPOINT_TURNS = 20;
const PRUNE_TURNS = 120;
const MOST_SERIES = 50_000;
const SAVE_CHUNK = 'INSERT OR REPLACE INTO chunks (resolution, series, start, closed, data) VALUES (?, ?, ?, ?, ?)';

export class History {
  readonly #options: HistoryOptions;
  readonly #database: Database;
  readonly #devices = new Map<string, DeviceSeries>();
  readonly #byId = new Map<number, Series>();
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
    const series = this.#series(device, metric, labels);
    if (!series) return;
    const second = Math.floor(at / 1000);
    const spacing = second - series.lastAt;
    if (spacing >= 0 && spacing < LEAST_SPACING) return;
    const sampled = typeof value === 'bigint' ? rateOf(series, second, value) : value;
    if (sampled === undefined) return;
    // The clock was set back: what follows is another stretch, and meets the first one in the chart.
    if (series.open && (spacing < 0 || windowOf(series.id, second) !== windowOf(series.id, series.open.start)))
      this.#close(series);
    series.open ??= new SampleEncoder(second);
    series.open.append(second, Math.round(sampled * series.scale));
    series.lastAt = second;
    series.dirty = true;
  }

  /** What can be charted of a device. */
  names(device: string): SeriesName[] {
    return [...(this.#devices.get(device)?.byKey.values() ?? [])].map(({ metric, labels }) => ({ metric, labels }));
  }

  /** One line from `from` to `to`, of at most about `points` points. */
  async line(
    device: string,
    { metric, labels }: SeriesName,
    from: WallTime,
    to: WallTime,
    points: number,
  ): Promise<Line> {
    const series = this.#devices.get(device)?.byKey.get(keyOf(metric, labels));
    const first = Math.floor(from / 1000);
    const last = Math.ceil(to / 1000);
    if (!series) return { at: [], mean: [], min: [], max: [] };
    const resolution = resolutionFor(last - first);
    const step = Math.max(resolution, Math.ceil((last - first) / points / 60) * 60, 60);
    const buckets = await this.#buckets(series, resolution, first, last);
    const merged = mergeBuckets(
      buckets.filter(({ at }) => at >= first - step && at <= last),
      step,
    );
    const scaled = (pick: (bucket: Bucket) => number) => merged.map((bucket) => pick(bucket) / series.scale);
    return {
      at: merged.map(({ at }) => at),
      mean: scaled(({ mean }) => mean),
      min: scaled(({ min }) => min),
      max: scaled(({ max }) => max),
    };
  }

  /** Bytes on disk, series known, and whether the oldest is being dropped for want of room. */
  async size(): Promise<{ bytes: number; series: number; full: boolean }> {
    return { bytes: await this.#database.size(), series: this.#byId.size, full: this.#full };
  }

  /** Ends the chunks of a device that is watched no longer. What is kept of it goes with its age. */
  forget(device: string): void {
    for (const series of this.#devices.get(device)?.byKey.values() ?? []) {
      if (series.open) this.#close(series);
      series.counted = Number.NaN;
    }
  }

  /** Writes everything that is open. */
  async flush(): Promise<void> {
    await this.#write(this.#byId.values());
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
      if (metric && KEPT[metric]) this.#add(String(row['device']), id, metric, JSON.parse(String(row['labels'])));
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
        await this.#write([...this.#byId.values()].filter(({ id }) => id % CHECKPOINT_TURNS === turn));
        if (this.#turn % PRUNE_TURNS === 1) await this.#prune();
      } catch (error) {
        log.warn('the history could not be written, the charts will have a gap', { error });
      }
    }
  }

  /** Writes what is closed, and saves these open chunks. */
  async #write(checkpoint: Iterable<Series>): Promise<void> {
    const names = this.#newSeries;
    const rows = this.#closed;
    this.#newSeries = [];
    this.#closed = [];
    for (const series of checkpoint) {
      if (!series.dirty || !series.open) continue;
      series.dirty = false;
      rows.push([0, series.id, series.open.start, 0, series.open.bytes()]);
    }
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
      'SELECT id, device FROM series WHERE id NOT IN (SELECT DISTINCT series FROM chunks)',
    );
    const gone = rows.filter(({ id }) => this.#byId.get(Number(id))?.lastAt === 0);
    if (gone.length === 0) return;
    await this.#database.write([{ sql: 'DELETE FROM series WHERE id = ?', rows: gone.map(({ id }) => [id ?? null]) }]);
    for (const { id, device } of gone) {
      const series = this.#byId.get(Number(id));
      if (!series) continue;
      if (series.lastAt === 0) {
        this.#devices.get(String(device))?.byKey.delete(keyOf(series.metric, series.labels));
        this.#byId.delete(series.id);
        // It was heard while its name was being deleted.
      } else this.#newSeries.push([series.id, String(device), series.metric, labelKey(series.labels)]);
    }
  }

  async #buckets(series: Series, resolution: Resolution, first: number, last: number): Promise<Bucket[]> {
    const rows = await this.#database.read(
      'SELECT start, data FROM chunks WHERE resolution = ? AND series = ? AND start >= ? AND start <= ?',
      [resolution, series.id, first - 2 * CHUNK_SECONDS, last],
    );
    const open = series.open;
    const kept = rows.flatMap(({ start, data }): Bucket[] => {
      if (!(data instanceof Uint8Array) || (resolution === 0 && Number(start) === open?.start)) return [];
      return resolution === 0
        ? decodeSamples(Number(start), data).map(asBucket)
        : decodeBuckets(Math.floor(Number(start) / resolution) * resolution, data, resolution);
    });
    // Closed, but not yet written.
    for (const [of, id, start, , data] of this.#closed)
      if (of === 0 && id === series.id && data instanceof Uint8Array)
        kept.push(...decodeSamples(Number(start), data).map(asBucket));
    if (open) kept.push(...open.samples().map(asBucket));
    return kept;
  }

  #close(series: Series): void {
    const { open } = series;
    if (!open) return;
    this.#closed.push(...closedRows(series.id, open.start, open.bytes()));
    delete series.open;
    series.dirty = false;
  }

  #series(device: string, metric: MetricName, labels: Labels): Series | undefined {
    const known = this.#devices.get(device)?.byLabels.get(labels)?.get(metric);
    if (known) return known;
    const series = this.#devices.get(device)?.byKey.get(keyOf(metric, labels)) ?? this.#begin(device, metric, labels);
    if (!series) return undefined;
    const byLabels = this.#devices.get(device)?.byLabels;
    const metrics = byLabels?.get(labels) ?? new Map<MetricName, Series>();
    byLabels?.set(labels, metrics.set(metric, series));
    return series;
  }

  #begin(device: string, metric: MetricName, labels: Labels): Series | undefined {
    if (this.#byId.size >= MOST_SERIES) return undefined;
    const id = this.#nextId;
    this.#nextId += 1;
    this.#newSeries.push([id, device, metric, labelKey(labels)]);
    return this.#add(device, id, metric, labels);
  }

  #add(device: string, id: number, metric: MetricName, labels: Labels): Series {
    let known = this.#devices.get(device);
    if (!known) {
      known = { byKey: new Map(), byLabels: new WeakMap() };
      this.#devices.set(device, known);
    }
    const series: Series = {
      id,
      metric,
      labels,
      scale: KEPT[metric]?.scale ?? 1,
      dirty: false,
      lastAt: 0,
      counted: Number.NaN,
      countedAt: 0,
    };
    known.byKey.set(keyOf(metric, labels), series);
    this.#byId.set(id, series);
    return series;
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

/** The rate since the last value; undefined for the first one, after a reset, and over a gap. */
function rateOf(series: Series, at: number, value: bigint): number | undefined {
  const { counted, countedAt } = series;
  // As a double: exact to a byte up to nine petabytes, and a chart shows no more beyond.
  const now = Number(value);
  series.counted = now;
  series.countedAt = at;
  series.lastAt = at;
  if (Number.isNaN(counted) || now < counted) return undefined;
  const seconds = at - countedAt;
  return seconds > 0 && seconds <= LONGEST_RATE_GAP ? (now - counted) / seconds : undefined;
}

function labelKey(labels: Labels): string {
  return JSON.stringify(Object.fromEntries(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

function keyOf(metric: MetricName, labels: Labels): string {
  return `${metric}${labelKey(labels)}`;
}
