/** A SQLite file on disk: opened, checked, brought to its version, set aside, copied. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { freeBytes } from './ballast.ts';
import { BUSY_TIMEOUT_MS, Connection, closeUnsynced, faultsOf, pragmaNumber, readable } from './connection.ts';
import { asStoreError, isReadOnlyFault, StoreError } from './errors.ts';
import type { DatabaseOptions, Row, SqlValue } from './store.ts';

/** The length to which the log is cut back when it has grown past it. */
const LOG_BYTES = 4_194_304;
/** Up to these sizes a file is read whole when it is opened: with its indexes, then without them. */
/** Of each file; the system's own cache holds what is read again. */
const CACHE_KIB = 512;
const WHOLE_CHECK_BYTES = 67_108_864;
const QUICK_CHECK_BYTES = 268_435_456;
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
      const pages = Math.max(16, Math.floor(options.maxBytes / pragmaNumber(database, 'page_size')));
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

function refuseNewer(database: DatabaseSync, path: string, { migrations }: DatabaseOptions): void {
  const version = pragmaNumber(database, 'user_version');
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
    PRAGMA cell_size_check = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -${CACHE_KIB};
    PRAGMA journal_size_limit = ${LOG_BYTES}`);
  if (pragmaNumber(database, 'synchronous') !== level || pragmaNumber(database, 'busy_timeout') !== BUSY_TIMEOUT_MS) {
    throw new StoreError('STORE_IO', `${path}: SQLite did not take its settings`);
  }
}

function refuseDamaged(database: DatabaseSync, path: string): void {
  const bytes = statSync(path).size;
  const faults =
    bytes <= WHOLE_CHECK_BYTES
      ? faultsOf(database, 'integrity_check')
      : bytes <= QUICK_CHECK_BYTES
        ? faultsOf(database, 'quick_check')
        : [];
  database.prepare('SELECT count(*) FROM sqlite_schema').get();
  if (faults.length > 0) throw new StoreError('STORE_DAMAGED', `${path} is damaged: ${faults.join('; ')}`);
}

/** Marks a file with the database that it is: one that stands in another's place is no better than a damaged one. */
function claimFor(database: DatabaseSync, path: string): void {
  const expected = crc32(`siteward ${basename(path)}`) & 0x7fffffff;
  const found = pragmaNumber(database, 'application_id');
  if (found === expected) return;
  if (found !== 0) throw new StoreError('STORE_DAMAGED', `${path} is another database under this name`);
  database.exec(`PRAGMA application_id = ${expected}`);
}

function migrate(database: DatabaseSync, { migrations }: DatabaseOptions): void {
  for (let version = pragmaNumber(database, 'user_version'); version < migrations.length; version++) {
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
    if (pragmaNumber(database, 'page_count') === 0) database.exec('PRAGMA user_version = 1');
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (thrown) {
    database.close();
    throw asStoreError(thrown, path);
  }
  return () => database.close();
}
