import { statfs } from 'node:fs/promises';
import type { Clock, Monotonic, WallTime } from '#collectors/contract.ts';
import type { Logger } from '#daemon/log.ts';
import { StoreError } from '#daemon/store/errors.ts';
import type { Database, DatabaseOptions, Outcome, Row, SqlValue, Statement, Store } from '#daemon/store/store.ts';
import { OutputSpool, type OutputSpoolSettings } from './output-spool.ts';
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

/** `spool.db`: every point on its way to an output, from its commit here to the receiver's word. */
export async function openSpool(settings: SpoolSettings): Promise<Spool> {
  const spool = new Spool(settings);
  await spool.reopen();
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

  /** The spool of one output. Asked for twice, it is the same one. */
  async output(name: string, settings: OutputSpoolSettings): Promise<OutputSpool> {
    const known = this.#outputs.get(name);
    if (known) return known;
    const output = new OutputSpool(this, name, settings);
    this.#outputs.set(name, output);
    await output.load();
    return output;
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
