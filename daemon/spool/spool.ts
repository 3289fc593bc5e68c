import { statfs } from 'node:fs/promises';
import type { Clock, Milliseconds, Monotonic, WallTime } from '#collectors/contract.ts';
import type { Logger } from '#daemon/log.ts';
import { StoreError } from '#daemon/store/errors.ts';
import type { Database, DatabaseOptions, Outcome, Row, SqlValue, Statement, Store } from '#daemon/store/store.ts';
import { formatNamed } from './formats.ts';
import { OutputSpool, type OutputSpoolSettings } from './output-spool.ts';
import { type QuarantineRequest, type QuarantineResult, serveRequests } from './requests.ts';
import { salvage } from './salvage.ts';
import { SPOOL_MIGRATIONS } from './schema.ts';

export interface SpoolSettings {
  readonly store: Store;
  /** Of the store; where free space is measured. */
  readonly directory: string;
  /** Bytes of free space below which the spool grows no further. */
  readonly freeFloor: number;
  readonly log: Logger;
  readonly clock: Clock;
}

export const SPOOL_NAME = 'spool';
export const SPOOL_OPTIONS: DatabaseOptions = {
  migrations: SPOOL_MIGRATIONS,
  synchronous: 'full',
  reserveBytes: 2_097_152,
};
const FREE_CHECKED_EVERY_MS = 1_000;
const ORPHANS_EVERY = 3_600_000 as Milliseconds;
/** For an output of which only the name is known. */
const UNBOUNDED = { maxBytes: Number.POSITIVE_INFINITY, maxAge: 2_592_000_000 as Milliseconds };

/** `spool.db`: every point on its way to an output, from its commit here to the receiver's word. End it by `close`. */
export async function openSpool(settings: SpoolSettings): Promise<Spool> {
  const spool = new Spool(settings);
  await spool.reopen();
  spool.serve();
  return spool;
}

export class Spool {
  readonly clock: Clock;
  readonly log: Logger;
  readonly #settings: SpoolSettings;
  #database: Database | undefined;
  #generation = 0;
  #reopening: Promise<void> | undefined;
  #freeChecked: { readonly at: Monotonic; readonly low: boolean } | undefined;
  readonly #outputs = new Map<string, OutputSpool>();
  readonly #stop = new AbortController();
  #serving: Promise<unknown> = Promise.resolve();
  readonly #started: { readonly wall: WallTime; readonly monotonic: Monotonic };

  constructor(settings: SpoolSettings) {
    this.#settings = settings;
    this.clock = settings.clock;
    this.log = settings.log;
    this.#started = { wall: settings.clock.wallNow(), monotonic: settings.clock.monotonicNow() };
  }

  /** Counts the handles so far: what was learnt from an older one may not be what is on disk. */
  get generation(): number {
    return this.#generation;
  }

  /** The spool of one output. Asked for again, it is the same one, with the settings given last. */
  async output(name: string, settings: OutputSpoolSettings): Promise<OutputSpool> {
    const key = `${settings.format.name} ${name}`;
    const known = this.#outputs.get(key);
    if (known) known.settings = settings;
    const output = known ?? new OutputSpool(this, name, settings);
    this.#outputs.set(key, output);
    await output.load();
    return output;
  }

  /** Begins to answer requests about the quarantine and to look after what outputs that are gone have left. */
  serve(): void {
    const { log, clock, directory } = this.#settings;
    const { signal } = this.#stop;
    this.#serving = Promise.all([
      serveRequests(directory, (request) => this.changeQuarantine(request), { clock, signal, log }),
      this.#expireOrphans(),
    ]);
  }

  /** Ends what `serve` began. The store is closed by whom it belongs to. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#serving;
  }

  /** Tries quarantined records again, or throws them away. */
  async changeQuarantine({ action, ids, output }: QuarantineRequest): Promise<QuarantineResult> {
    const rows = await this.read(
      `SELECT quarantine.id, output.name, output.format FROM quarantine JOIN output ON output.id = quarantine.output
        WHERE ?1 IS NULL OR output.name = ?1`,
      [output ?? null],
    );
    const chosen = ids ? rows.filter((row) => ids.includes(Number(row['id']))) : rows;
    let points = 0;
    for (const [key, group] of Map.groupBy(chosen, (row) => `${row['format']} ${row['name']}`)) {
      const [first] = group;
      const format = formatNamed(first?.['format']);
      const spool = this.#outputs.get(key) ?? (await this.output(String(first?.['name']), { ...UNBOUNDED, format }));
      const numbers = group.map((row) => Number(row['id']));
      points += action === 'retry' ? await spool.retry(numbers) : await spool.discard(numbers);
    }
    return { points };
  }

  /** An output that is no longer in the config takes its points along for as long as any output may keep them. */
  async #expireOrphans(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.clock.sleep(ORPHANS_EVERY, signal).catch(() => {});
      if (signal.aborted) return;
      try {
        await this.dropOrphans();
      } catch (thrown) {
        this.log.warn('what outputs that are gone have left could not be looked at', { error: thrown });
      }
    }
  }

  /** Drops what outputs without settings have kept for longer than 30 days. */
  async dropOrphans(): Promise<void> {
    const rows = await this.read('SELECT name, format FROM output', []);
    for (const row of rows) {
      if (this.#outputs.has(`${row['format']} ${row['name']}`)) continue;
      const orphan = new OutputSpool(this, String(row['name']), { ...UNBOUNDED, format: formatNamed(row['format']) });
      await orphan.load();
      await orphan.expire();
    }
  }

  /** @throws StoreError; after `STORE_IO` and `STORE_DAMAGED` the file is opened anew first, if it can be. */
  async write(statements: readonly Statement[]): Promise<readonly Outcome[]> {
    return await this.#guarded((database) => database.write(statements));
  }

  async read(sql: string, params: readonly SqlValue[]): Promise<readonly Row[]> {
    return await this.#guarded((database) => database.read(sql, params));
  }

  async shrink(pages: number): Promise<void> {
    await this.#guarded((database) => database.shrink(pages));
  }

  /** Whether the disk was low when it was last looked at. */
  get diskLow(): boolean {
    return this.#freeChecked?.low ?? false;
  }

  /** Whether so little of the disk is free that only the ledgers may still grow. */
  async isDiskLow(): Promise<boolean> {
    const now = this.clock.monotonicNow();
    if (!this.#freeChecked || now - this.#freeChecked.at >= FREE_CHECKED_EVERY_MS) {
      const { bavail, bsize } = await statfs(this.#settings.directory);
      const low = bavail * bsize < this.#settings.freeFloor;
      if (low !== (this.#freeChecked?.low ?? false)) this.#tellSpace(low, bavail * bsize);
      this.#freeChecked = { at: now, low };
    }
    return this.#freeChecked.low;
  }

  /**
   * The wall clock, but never ahead of what the monotonic one allows: a clock that is set wrong by a year must not make
   * a year of points too old to keep.
   */
  ageNow(): WallTime {
    const expected = this.#started.wall + (this.clock.monotonicNow() - this.#started.monotonic);
    return Math.min(this.clock.wallNow(), expected) as WallTime;
  }

  /** A new handle on the file. What a damaged one still holds is brought over. */
  async reopen(): Promise<void> {
    this.#reopening ??= this.#open().finally(() => {
      this.#reopening = undefined;
    });
    await this.#reopening;
  }

  async #open(): Promise<void> {
    const { store, log } = this.#settings;
    const { database, setAside } = await store.open(SPOOL_NAME, SPOOL_OPTIONS);
    if (setAside !== undefined) {
      const saved = await salvage(store, setAside, database);
      log.error('the spool was damaged, what could be read of it goes on', { setAside, ...saved });
    }
    this.#database = database;
    this.#generation += 1;
  }

  async #guarded<T>(work: (database: Database) => Promise<T>): Promise<T> {
    if (!this.#database) await this.reopen();
    const database = this.#database;
    if (!database) throw new StoreError('STORE_CLOSED', 'the spool is not open');
    try {
      return await work(database);
    } catch (thrown) {
      const dead = thrown instanceof StoreError && (thrown.code === 'STORE_IO' || thrown.code === 'STORE_DAMAGED');
      if (dead && this.#database === database) {
        this.log.error('the spool failed and is opened anew', { error: thrown });
        this.#database = undefined;
        await this.reopen();
      }
      throw thrown;
    }
  }

  #tellSpace(low: boolean, free: number): void {
    const fields = { freeBytes: free, floorBytes: this.#settings.freeFloor };
    if (low)
      this.log.error('little disk space is left, the spool grows no further and drops its oldest points', fields);
    else this.log.info('disk space is back, the spool may grow again', fields);
  }
}
