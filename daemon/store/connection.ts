/** One SQLite file: opened, checked, brought to its version, written and read. The only file that knows `node:sqlite`. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { freeBytes } from './ballast.ts';
import { asStoreError, isReadOnlyFault, StoreError, type StoreErrorCode } from './errors.ts';
import type { WriteResult } from './messages.ts';
import type { DatabaseOptions, Outcome, Row, SqlValue, Statement } from './store.ts';

const BUSY_TIMEOUT_MS = 5_000;
/** Pages of 4 KiB between checkpoints, and the length to which the log is cut back after one. */
const CHECKPOINT_PAGES = 1_000;
const LOG_BYTES = 4_194_304;
/** Up to these sizes a file is read whole when it is opened: with its indexes, then without them. */
const WHOLE_CHECK_BYTES = 67_108_864;
const QUICK_CHECK_BYTES = 268_435_456;
/** A slice is a little longer than what is written between two checkpoints. */
const RESERVE_SLICE_BYTES = 1_048_576;
const RESERVED_CHECKPOINT_PAGES = 200;
const CACHED_STATEMENTS = 200;
const FAULTS_LISTED = 20;
const LEAST_FREE_BYTES = 262_144;

/**
 * Refuses an SQLite with the WAL-reset race, which can damage a file that two connections write (3.7.0 to 3.51.2).
 * @throws StoreError `STORE_SQLITE`
 */
export function assertSqliteVersion(version = sqliteVersion()): void {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  if (major > 3 || (major === 3 && (minor > 51 || (minor === 51 && patch >= 3)))) return;
  throw new StoreError('STORE_SQLITE', `SQLite ${version} can damage its files (3.51.3 or later is needed)`);
}

function sqliteVersion(): string {
  const database = new DatabaseSync(':memory:');
  try {
    return String(database.prepare('SELECT sqlite_version() AS version').get()?.['version']);
  } finally {
    database.close();
  }
}

export interface OpenedConnection {
  readonly connection: Connection;
  readonly setAside?: string;
}

/**
 * Opens `path`, or makes it. A file that is damaged is moved aside with its log, and an empty one takes its place.
 * `former` is the handle that it replaces, dead or alive.
 * @throws StoreError `STORE_VERSION` (file untouched), `STORE_ACCESS`, `STORE_FULL`, `STORE_IO`; and where `readOnly`,
 *   `STORE_DAMAGED` for a damaged file and `STORE_ACCESS` for a missing one.
 */
export function openConnection(
  path: string,
  options: DatabaseOptions,
  { readOnly, former }: { readonly readOnly: boolean; readonly former?: Connection | undefined },
): OpenedConnection {
  try {
    if (former?.deadBy === 'STORE_DAMAGED') throw new StoreError('STORE_DAMAGED', `${path} was found damaged`);
    const connection = readOnly ? openForReading(path, options) : openForWriting(path, options);
    // Only now, when the new handle holds the file: the last one to go would checkpoint, and so sync a failed log again.
    former?.close();
    return { connection };
  } catch (thrown) {
    const error = asOpenError(thrown, path);
    if (readOnly || error.code !== 'STORE_DAMAGED') throw error;
    // Before the file moves: at its end a handle deletes the log by name, and that name will be the new file's.
    former?.close();
    const setAside = moveAside(path);
    return { connection: openForWriting(path, options), setAside };
  }
}

/** Without a free block SQLite cannot make its index, and says that it cannot open the file or that the disk fails. */
function asOpenError(thrown: unknown, path: string): StoreError {
  const error = asStoreError(thrown, path);
  const misleading = error.code === 'STORE_IO' || error.code === 'STORE_ACCESS';
  if (!misleading || freeBytes(dirname(path)) >= LEAST_FREE_BYTES) return error;
  return new StoreError('STORE_FULL', `${path}: the disk is full`, { cause: error });
}

function openForReading(path: string, options: DatabaseOptions): Connection {
  if (!existsSync(path)) throw new StoreError('STORE_ACCESS', `${path} is not there`);
  const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    refuseNewer(database, path, options);
    return new Connection(database, path);
  } catch (thrown) {
    database.close();
    throw asStoreError(thrown, path);
  }
}

function openForWriting(path: string, options: DatabaseOptions): Connection {
  if (existsSync(path)) refuseNewerUntouched(path, options);
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  try {
    refuseNewer(database, path, options);
    configure(database, options, path);
    refuseDamaged(database, path);
    claimFor(database, path);
    migrate(database, options);
    if (options.maxBytes !== undefined) {
      const pages = Math.max(16, Math.floor(options.maxBytes / number(database, 'page_size')));
      database.exec(`PRAGMA max_page_count = ${pages}`);
    }
    const connection = new Connection(database, path);
    if (options.reserveBytes !== undefined) connection.reserve(options.reserveBytes);
    return connection;
  } catch (thrown) {
    const error = asStoreError(thrown, path);
    if (error.code === 'STORE_IO') closeUnsynced(database, path);
    else database.close();
    throw error;
  }
}

/** Looks without the right to write, so that a newer file stays as it is, down to its modification time. */
function refuseNewerUntouched(path: string, options: DatabaseOptions): void {
  try {
    openForReading(path, options).close();
  } catch (thrown) {
    // A kill has left a transaction half done, and only a writer may roll it back: the writer looks again.
    if (!(thrown instanceof StoreError && isReadOnlyFault(thrown.cause))) throw thrown;
  }
}

/**
 * Closes a handle on which a sync has failed. The last handle to go would checkpoint and so sync again, and be told that
 * all is well; so another one, which may only read and therefore never syncs, goes last.
 */
function closeUnsynced(database: DatabaseSync, path: string): void {
  let last: DatabaseSync | undefined;
  try {
    last = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    last.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch {
    // A file that nobody can read has nothing that a checkpoint could spoil.
  }
  database.close();
  last?.close();
}

function refuseNewer(database: DatabaseSync, path: string, { migrations }: DatabaseOptions): void {
  const version = number(database, 'user_version');
  if (version > migrations.length) {
    throw new StoreError('STORE_VERSION', `${path} has version ${version}, this siteward knows ${migrations.length}`);
  }
}

/** Each setting is read back: a file system that cannot do it must be known now, not after a power cut. */
function configure(database: DatabaseSync, { synchronous }: DatabaseOptions, path: string): void {
  // Before the journal mode: after it, it would be ignored and the file would never shrink.
  database.exec('PRAGMA auto_vacuum = INCREMENTAL');
  const mode = database.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'];
  if (mode !== 'wal') {
    throw new StoreError('STORE_ACCESS', `${path}: its file system does not stand a write-ahead log (mode is ${mode})`);
  }
  const level = synchronous === 'full' ? 2 : 1;
  database.exec(`PRAGMA synchronous = ${level}; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
    PRAGMA journal_size_limit = ${LOG_BYTES}`);
  if (number(database, 'synchronous') !== level || number(database, 'busy_timeout') !== BUSY_TIMEOUT_MS) {
    throw new StoreError('STORE_IO', `${path}: SQLite did not take its settings`);
  }
}

function refuseDamaged(database: DatabaseSync, path: string): void {
  const bytes = statSync(path).size;
  const faults =
    bytes <= WHOLE_CHECK_BYTES
      ? listed(database, 'integrity_check')
      : bytes <= QUICK_CHECK_BYTES
        ? listed(database, 'quick_check')
        : [];
  database.prepare('SELECT count(*) FROM sqlite_schema').get();
  if (faults.length > 0) throw new StoreError('STORE_DAMAGED', `${path} is damaged: ${faults.join('; ')}`);
}

/** Marks a file with the database that it is: one that stands in another's place is no better than a damaged one. */
function claimFor(database: DatabaseSync, path: string): void {
  const expected = crc32(`siteward ${basename(path)}`) & 0x7fffffff;
  const found = number(database, 'application_id');
  if (found === expected) return;
  if (found !== 0) throw new StoreError('STORE_DAMAGED', `${path} is another database under this name`);
  database.exec(`PRAGMA application_id = ${expected}`);
}

function migrate(database: DatabaseSync, { migrations }: DatabaseOptions): void {
  for (let version = number(database, 'user_version'); version < migrations.length; version++) {
    const migration = migrations[version];
    if (!migration) return;
    // The version moves in the same transaction: a kill in between leaves the file at one version or the other.
    database.exec(`BEGIN IMMEDIATE; ${migration.sql}; PRAGMA user_version = ${version + 1}; COMMIT`);
  }
}

/** Never deletes: what cannot be read today may be read by someone with better tools. */
function moveAside(path: string): string {
  const stamp = new Date().toISOString().replaceAll(':', '-');
  let target = `${path}.damaged-${stamp}`;
  for (let turn = 2; existsSync(target); turn++) target = `${path}.damaged-${stamp}-${turn}`;
  renameSync(path, target);
  // A log left behind would be played into the new file.
  for (const suffix of ['-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, target + suffix);
  }
  return target;
}

function number(database: DatabaseSync, pragma: string): number {
  const row = database.prepare(`PRAGMA ${pragma}`).get() ?? {};
  return Number(Object.values(row)[0] ?? 0);
}

function listed(database: DatabaseSync, check: 'integrity_check' | 'quick_check'): string[] {
  const rows = database.prepare(`PRAGMA ${check}(${FAULTS_LISTED})`).all();
  return rows.map((row) => String(Object.values(row)[0])).filter((line) => line !== 'ok');
}

export class Connection {
  readonly #database: DatabaseSync;
  readonly #path: string;
  /** In order of use, so that the first one is the one to let go. */
  readonly #statements = new Map<string, StatementSync>();
  #dead: StoreError | undefined;
  #reserveBytes = 0;

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
  }

  /** Why the handle can be used no more. */
  get deadBy(): StoreErrorCode | undefined {
    return this.#dead?.code;
  }

  /**
   * Each write happens as a whole or not at all. All share one commit, and so one sync; where that fails, each is tried
   * alone, so that one bad write costs no other.
   */
  write(writes: readonly (readonly Statement[])[]): readonly WriteResult[] {
    if (writes.length > 1) {
      try {
        return this.#transaction(() => writes.map((write) => ({ ok: true, outcomes: this.#runAll(write) })));
      } catch {
        // Told again below, to whom it concerns. A handle that is dead now says so to each.
      }
    }
    return writes.map((write) => {
      try {
        return { ok: true, outcomes: this.#transaction(() => this.#runAll(write)) };
      } catch (thrown) {
        const { code, message } = asStoreError(thrown, this.#path);
        return { ok: false, fault: { code, message } };
      }
    });
  }

  read(sql: string, params: readonly SqlValue[]): readonly Row[] {
    return this.#guarded(() => this.#statement(sql).all(...params) as Row[]).map(readable);
  }

  size(): number {
    return [this.#path, `${this.#path}-wal`].reduce(
      (sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  }

  /** Gives up to `pages` free pages back to the file system, but none of the reserve. */
  shrink(pages: number): void {
    this.#guarded(() => {
      const spare = number(this.#database, 'freelist_count') - this.#reservePages();
      if (spare > 0) this.#database.exec(`PRAGMA incremental_vacuum(${Math.min(pages, spare)})`);
    });
  }

  /**
   * Keeps free pages inside the file, which a stranger who fills the disk cannot take. The same slices give the log its
   * length, and checkpoints come before it is used up: so commits and checkpoints find their room whatever else happens
   * on the volume.
   */
  reserve(bytes: number): void {
    this.#reserveBytes = bytes;
    this.#database.exec(`PRAGMA wal_autocheckpoint = ${RESERVED_CHECKPOINT_PAGES}`);
    // Left by a kill while the reserve was made; as free pages it counts.
    this.#database.exec('DROP TABLE IF EXISTS siteward_reserve');
    const missing = (this.#reservePages() - number(this.#database, 'freelist_count')) * this.#pageSize();
    try {
      this.#database.exec('CREATE TABLE siteward_reserve (filling BLOB)');
      // In slices, for a value of the whole reserve would be held in memory. One at least, for the log.
      for (let left = Math.max(missing, RESERVE_SLICE_BYTES); left > 0; left -= RESERVE_SLICE_BYTES) {
        this.#database.exec(`INSERT INTO siteward_reserve VALUES (zeroblob(${RESERVE_SLICE_BYTES}))`);
      }
    } catch (thrown) {
      if (asStoreError(thrown, this.#path).code !== 'STORE_FULL') throw thrown;
      // No room for a whole reserve: what was got is kept.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    }
    this.#database.exec('DROP TABLE IF EXISTS siteward_reserve; PRAGMA wal_checkpoint(RESTART)');
  }

  check(): readonly string[] {
    return this.#guarded(() => listed(this.#database, 'integrity_check'));
  }

  close(): void {
    this.#statements.clear();
    if (!this.#database.isOpen) return;
    if (this.#dead) closeUnsynced(this.#database, this.#path);
    else this.#database.close();
  }

  #transaction<T>(work: () => T): T {
    return this.#guarded(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        this.#database.exec('COMMIT');
        return result;
      } catch (thrown) {
        // On a full disk SQLite has rolled back already, and a second ROLLBACK would hide the reason.
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw thrown;
      }
    });
  }

  /** After a fault of disk or file the handle is used no more: it would say that a lost sync was good. */
  #guarded<T>(work: () => T): T {
    if (this.#dead) throw this.#dead;
    try {
      return work();
    } catch (thrown) {
      const error = asStoreError(thrown, this.#path);
      if (error.code === 'STORE_IO' || error.code === 'STORE_DAMAGED') this.#dead = error;
      throw error;
    }
  }

  #runAll(statements: readonly Statement[]): readonly Outcome[] {
    return statements.map(({ sql, params = [], rows }) => {
      const statement = this.#statement(sql);
      let changes = 0;
      let lastInsertRowid = 0n;
      for (const row of rows ?? [params]) {
        const result = statement.run(...row);
        changes += Number(result.changes);
        lastInsertRowid = BigInt(result.lastInsertRowid);
      }
      return { changes, lastInsertRowid };
    });
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement) {
      this.#statements.delete(sql);
    } else {
      statement = this.#database.prepare(sql);
      statement.setReadBigInts(true);
      const oldest = this.#statements.keys().next();
      if (this.#statements.size >= CACHED_STATEMENTS && !oldest.done) this.#statements.delete(oldest.value);
    }
    this.#statements.set(sql, statement);
    return statement;
  }

  #pageSize(): number {
    return number(this.#database, 'page_size');
  }

  #reservePages(): number {
    return Math.ceil(this.#reserveBytes / this.#pageSize());
  }
}

/**
 * A copy of the file at `from`, in one read transaction: what others write meanwhile is not in it, and does not wait for
 * it.
 */
export function copyDatabase(from: string, to: string): void {
  if (!existsSync(from)) throw new StoreError('STORE_ACCESS', `${from} is not there`);
  rmSync(to, { force: true });
  const database = new DatabaseSync(from, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    database.prepare('VACUUM INTO ?').run(to);
  } catch (thrown) {
    throw asStoreError(thrown, from);
  } finally {
    database.close();
  }
  syncFile(to);
  syncFile(dirname(to));
}

/**
 * The rows that a damaged file still gives, up to the first that it does not. Opened for writing, since a log beside it
 * may have to be played in first; nothing is written.
 */
export function readDamaged(path: string, sql: string, params: readonly SqlValue[]): readonly Row[] {
  const rows: Row[] = [];
  try {
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      const statement = database.prepare(sql);
      statement.setReadBigInts(true);
      for (const row of statement.iterate(...params)) rows.push(readable(row as Row));
    } finally {
      database.close();
    }
  } catch (thrown) {
    const { code } = asStoreError(thrown, path);
    if (code !== 'STORE_DAMAGED' && code !== 'STORE_IO' && code !== 'STORE_STATEMENT') throw thrown;
  }
  return rows;
}

/** SQLite's integers all come as bigint, for none may be rounded on its way; those that fit become numbers here. */
function readable(row: Row): Row {
  const result: Record<string, SqlValue> = {};
  for (const [name, value] of Object.entries(row)) {
    const fits = typeof value === 'bigint' && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
    result[name] = fits ? Number(value) : value;
  }
  return result;
}

function syncFile(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Takes the folder for this process, by a lock that ends with it however it ends.
 * @returns what gives it back
 * @throws StoreError `STORE_LOCKED`
 */
export function lockDatabase(path: string): () => void {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    // An empty file would be given its first page by the lock, which a full disk does not allow.
    if (number(database, 'page_count') === 0) database.exec('PRAGMA user_version = 1');
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (thrown) {
    database.close();
    throw asStoreError(thrown, path);
  }
  return () => database.close();
}
