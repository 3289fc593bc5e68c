/**
 * `ledger.db`: what money hangs on. One file for availability, meters and inventory, each with tables and a chain of its
 * own; a commit survives a power cut. A verified copy is made every day, and restored when the file is lost or damaged.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Milliseconds } from '#collectors/contract.ts';
import type { Logger } from '../log.ts';
import { METER_TABLES } from '../meters/schema.ts';
import { openStore } from './sqlite-store.ts';
import type { Database, DatabaseOptions, Migration, Row, SqlValue, Store } from './store.ts';

/** The only list of changes to the ledger, for all areas. Entries are appended, never changed: files out there have them. */
const MIGRATIONS: readonly Migration[] = [
  {
    name: 'availability',
    sql: `
      CREATE TABLE availability_entries (
        seq INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        segment INTEGER NOT NULL,
        device TEXT,
        at INTEGER NOT NULL,
        recorded INTEGER NOT NULL,
        mono INTEGER NOT NULL,
        state TEXT,
        rule TEXT,
        rule_version INTEGER,
        detail TEXT,
        hash BLOB NOT NULL
      ) STRICT;
      CREATE INDEX availability_by_device ON availability_entries (device, segment, seq);
      CREATE INDEX availability_by_time ON availability_entries (at);
      CREATE INDEX availability_by_kind ON availability_entries (kind) WHERE kind <> 'state';
      CREATE TRIGGER availability_entries_stay BEFORE UPDATE ON availability_entries
        BEGIN SELECT RAISE(ABORT, 'ledger entries are never changed'); END;
      CREATE TRIGGER availability_entries_remain BEFORE DELETE ON availability_entries
        BEGIN SELECT RAISE(ABORT, 'ledger entries are never deleted'); END;
      CREATE TABLE availability_heartbeat (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        segment INTEGER NOT NULL,
        at INTEGER NOT NULL,
        mono INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE availability_sums (
        device TEXT PRIMARY KEY,
        up INTEGER NOT NULL,
        down INTEGER NOT NULL,
        unreachable INTEGER NOT NULL,
        maintenance INTEGER NOT NULL,
        unknown INTEGER NOT NULL,
        horizon INTEGER NOT NULL,
        state TEXT NOT NULL
      ) STRICT, WITHOUT ROWID`,
  },
  {
    name: 'notices',
    sql: `
      CREATE TABLE notices (
        id INTEGER PRIMARY KEY,
        channel TEXT NOT NULL,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        payload TEXT NOT NULL,
        created INTEGER NOT NULL,
        due INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        delivered INTEGER,
        last_error TEXT
      ) STRICT;
      CREATE INDEX notices_waiting ON notices (due) WHERE delivered IS NULL;
      CREATE TABLE notice_incidents (
        key TEXT PRIMARY KEY,
        opened INTEGER NOT NULL,
        content TEXT NOT NULL
      ) STRICT, WITHOUT ROWID`,
  },
  {
    name: 'inventory',
    sql: `
      CREATE TABLE inventory_devices (
        id TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        name TEXT,
        content TEXT NOT NULL,
        updated INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE UNIQUE INDEX inventory_by_name ON inventory_devices (name) WHERE name IS NOT NULL;
      CREATE TABLE inventory_events (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        device TEXT NOT NULL,
        kind TEXT NOT NULL,
        detail TEXT NOT NULL
      ) STRICT;
      CREATE INDEX inventory_events_by_device ON inventory_events (device, seq);
      CREATE TRIGGER inventory_events_stay BEFORE UPDATE ON inventory_events
        BEGIN SELECT RAISE(ABORT, 'ledger entries are never changed'); END;
      CREATE TRIGGER inventory_events_remain BEFORE DELETE ON inventory_events
        BEGIN SELECT RAISE(ABORT, 'ledger entries are never deleted'); END;
      CREATE TABLE inventory_scans (
        range TEXT PRIMARY KEY,
        started INTEGER NOT NULL,
        finished INTEGER,
        next_slice INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID`,
  },
  { name: 'meters', sql: METER_TABLES },
  {
    name: 'audit',
    sql: `
      CREATE TABLE audit_entries (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        who TEXT NOT NULL,
        source TEXT NOT NULL,
        what TEXT NOT NULL,
        why TEXT NOT NULL,
        outcome INTEGER NOT NULL
      ) STRICT;
      CREATE TRIGGER audit_entries_stay BEFORE UPDATE ON audit_entries
        BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END;
      CREATE TRIGGER audit_entries_remain BEFORE DELETE ON audit_entries
        BEGIN SELECT RAISE(ABORT, 'audit entries are never deleted'); END`,
  },
];

/** Thirty days of transitions and meter reads fit into this, also when a stranger has filled the disk. */
const RESERVE_BYTES = 4_194_304;
const COPY_EVERY = 86_400_000 as Milliseconds;
const COPIES_KEPT = 3;

export const LEDGER_OPTIONS: DatabaseOptions = {
  migrations: MIGRATIONS,
  synchronous: 'full',
  reserveBytes: RESERVE_BYTES,
};

/** Something in a ledger that does not hold. */
export interface LedgerFault {
  /** `availability`, `meters`, `file`, … */
  readonly what: string;
  /** The entry, device or period. */
  readonly where: string;
  readonly message: string;
}

/** What one area says of its own tables. */
export interface LedgerCheck {
  /** How much was looked at, for the report of `siteward verify`. */
  readonly checked: Readonly<Record<string, number>>;
  readonly faults: readonly LedgerFault[];
}

/** Checks the tables of one area: chain, order, sums. */
export type LedgerVerifier = (database: Database) => Promise<LedgerCheck>;

export interface LedgerOptions {
  readonly store: Store;
  /** Of the store: `ledger.db` lies in it, its copies in `copies/`. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** What a copy must stand before it counts as one. */
  readonly verifiers: readonly LedgerVerifier[];
}

/** How the file came back after it was lost or damaged. */
export interface Restoration {
  /** Where the damaged file is now; absent when it was missing. */
  readonly setAside?: string;
  /** The copy that was restored; absent when there was none that is whole. */
  readonly copy?: string;
  /** Rows taken from the copy, and from the damaged file after it. */
  readonly restored: number;
}

export interface OpenedLedger {
  readonly ledger: Ledger;
  readonly restoration?: Restoration;
}

/**
 * Opens the ledger. A damaged file is set aside, a missing one made anew, and the last verified copy is restored into it.
 * @throws StoreError as `Store.open` does
 */
export async function openLedger(options: LedgerOptions): Promise<OpenedLedger> {
  const { database, restoration } = await openWhole(options);
  return { ledger: new Ledger(options, database), ...(restoration ? { restoration } : {}) };
}

async function openWhole(options: LedgerOptions): Promise<{ database: Database; restoration?: Restoration }> {
  const missing = !existsSync(join(options.directory, 'ledger.db'));
  const { database, setAside } = await options.store.open('ledger', LEDGER_OPTIONS);
  if (setAside === undefined && !missing) return { database };
  const restored = await restore(options, database, setAside);
  if (restored)
    options.log.error('the ledger was restored from a copy, what is missing counts as unknown', { ...restored });
  if (restored) return { database, restoration: restored };
  return setAside === undefined ? { database } : { database, restoration: { setAside, restored: 0 } };
}

/** The open ledger, and its daily copies. */
export class Ledger {
  readonly #options: LedgerOptions;
  readonly #stopping = new AbortController();
  readonly #reopened: (() => Promise<void>)[] = [];
  #database: Database;
  #copying: Promise<void> = Promise.resolve();

  constructor(options: LedgerOptions, database: Database) {
    this.#options = options;
    this.#database = database;
  }

  /** The handle of now: ask for it at each use, for a fault of the disk brings another one. */
  get database(): Database {
    return this.#database;
  }

  /** What a file that was set aside still gives, as `Store.readDamaged`. */
  async salvage(path: string, sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return await this.#options.store.readDamaged(path, sql, params);
  }

  /**
   * Opens the file once more after `STORE_IO` or `STORE_DAMAGED`, and restores it where it is damaged.
   * @throws StoreError as `Store.open` does
   */
  async reopen(): Promise<Restoration | undefined> {
    const { database, restoration } = await openWhole(this.#options);
    this.#database = database;
    await Promise.all(this.#reopened.map((tell) => tell()));
    return restoration;
  }

  /** Told after the file was opened once more: what is known of its tables may be no longer so. */
  whenReopened(tell: () => Promise<void>): void {
    this.#reopened.push(tell);
  }

  /** Makes a verified copy now if today's is missing, then one each day. */
  keepCopies(): void {
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    const loop = async () => {
      while (!signal.aborted) {
        try {
          if (!(await this.#hasCopyOfToday())) await this.copy();
        } catch (error) {
          log.error('no verified copy of the ledger could be made', { error });
        }
        await clock.sleep((COPY_EVERY / 24) as Milliseconds, signal).catch(() => undefined);
      }
    };
    this.#copying = loop();
  }

  /**
   * Makes a copy beside running writes, checks it as `siteward verify` would, and only then lets it take its place.
   * @returns its path
   * @throws Error when the copy does not stand the check
   */
  async copy(): Promise<string> {
    const { directory, clock, log, verifiers } = this.#options;
    const folder = join(directory, 'copies');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const fresh = join(folder, 'ledger-new.db');
    await this.#database.backup(fresh);
    const faults = await checkFile(folder, 'ledger-new', verifiers, log);
    if (faults.length > 0) throw new Error(`the copy is not whole: ${faults[0]?.message}`);
    const path = join(folder, `ledger-${new Date(clock.wallNow()).toISOString().slice(0, 10)}.db`);
    await rename(fresh, path);
    for (const old of (await copiesIn(directory)).slice(COPIES_KEPT)) await rm(old, { force: true });
    log.info('a verified copy of the ledger was made', { path });
    return path;
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#copying;
  }

  async #hasCopyOfToday(): Promise<boolean> {
    const today = new Date(this.#options.clock.wallNow()).toISOString().slice(0, 10);
    return existsSync(join(this.#options.directory, 'copies', `ledger-${today}.db`));
  }
}

/** Verified copies in the store's folder, newest first. */
export async function copiesIn(directory: string): Promise<string[]> {
  const folder = join(directory, 'copies');
  const names = existsSync(folder) ? await readdir(folder) : [];
  return names
    .filter((name) => /^ledger-\d{4}-\d{2}-\d{2}\.db$/.test(name))
    .toSorted()
    .toReversed()
    .map((name) => join(folder, name));
}

/** Opens a database file beside the daemon and asks SQLite and every area about it. */
async function checkFile(
  folder: string,
  name: string,
  verifiers: readonly LedgerVerifier[],
  log: Logger,
): Promise<LedgerFault[]> {
  const store = await openStore({ directory: folder, log, readOnly: true });
  try {
    const { database } = await store.open(name, LEDGER_OPTIONS);
    return (await verifyDatabase(database, verifiers)).faults as LedgerFault[];
  } finally {
    await store.close();
  }
}

/** What SQLite says of the file, and every area of its tables. */
export async function verifyDatabase(database: Database, verifiers: readonly LedgerVerifier[]): Promise<LedgerCheck> {
  const file = (await database.check()).map((message): LedgerFault => ({ what: 'file', where: 'ledger.db', message }));
  const checks = [];
  for (const verify of verifiers) checks.push(await verify(database));
  return {
    checked: Object.assign({}, ...checks.map(({ checked }) => checked)),
    faults: [...file, ...checks.flatMap(({ faults }) => faults)],
  };
}

/** Fills the empty database from the newest copy that is whole, and then from what the damaged file still gives. */
async function restore(
  { store, directory, log, verifiers }: LedgerOptions,
  database: Database,
  setAside: string | undefined,
): Promise<Restoration | undefined> {
  for (const copy of await copiesIn(directory)) {
    const faults = await checkFile(join(directory, 'copies'), copy.replace(/^.*\/|\.db$/g, ''), verifiers, log).catch(
      (error: Error): LedgerFault[] => [{ what: 'file', where: copy, message: error.message }],
    );
    if (faults.length > 0) {
      log.error('a copy of the ledger is not whole, an older one is tried', { copy, fault: faults[0]?.message });
      continue;
    }
    let restored = 0;
    for (const { name } of await store.readDamaged(copy, TABLES))
      restored += await fill(store, database, copy, String(name));
    return { ...(setAside === undefined ? {} : { setAside }), copy, restored };
  }
  return undefined;
}

const TABLES = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'siteward_%'`;
const ROWS_AT_ONCE = 5_000;

/** Copies one table row by row: a copy made by an older version has fewer columns than the file that it goes into. */
async function fill(store: Store, database: Database, from: string, table: string): Promise<number> {
  const rows = await store.readDamaged(from, `SELECT * FROM "${table}"`);
  const columns = Object.keys(rows[0] ?? {});
  if (columns.length === 0) return 0;
  const sql = `INSERT OR IGNORE INTO "${table}" (${columns.map((name) => `"${name}"`).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
  for (let start = 0; start < rows.length; start += ROWS_AT_ONCE)
    await database.write([
      { sql, rows: rows.slice(start, start + ROWS_AT_ONCE).map((row) => columns.map((name) => columnOf(row, name))) },
    ]);
  return rows.length;
}

const columnOf = (row: Row, name: string): SqlValue => row[name] ?? null;
