/** An open SQLite file: written, read, checkpointed, and given up when the disk has failed it. */
import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { asStoreError, type StoreError, type StoreErrorCode } from './errors.ts';
import type { WriteResult } from './messages.ts';
import type { Outcome, Row, SqlValue, Statement } from './store.ts';

export const BUSY_TIMEOUT_MS = 5_000;
/** Pages of 4 KiB that the log holds before they are moved into the file. */
const CHECKPOINT_PAGES = 1_000;
/** A slice is a little longer than what is written between two checkpoints. */
const RESERVE_SLICE_BYTES = 1_048_576;
const RESERVED_CHECKPOINT_PAGES = 200;
const CACHED_STATEMENTS = 200;
const FAULTS_LISTED = 20;

export class Connection {
  readonly #database: DatabaseSync;
  readonly #path: string;
  /** In order of use, so that the first one is the one to let go. */
  readonly #statements = new Map<string, StatementSync>();
  #dead: StoreError | undefined;
  #reserveBytes = 0;
  #checkpointPages = CHECKPOINT_PAGES;

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
    const results = this.#writeAll(writes);
    // What is committed stays so whatever comes of this: a fault of the disk is met by the next write.
    if (!this.#dead) this.#checkpoint();
    return results;
  }

  #writeAll(writes: readonly (readonly Statement[])[]): readonly WriteResult[] {
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
      const spare = pragmaNumber(this.#database, 'freelist_count') - this.#reservePages();
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
    this.#checkpointPages = RESERVED_CHECKPOINT_PAGES;
    // Left by a kill while the reserve was made; as free pages it counts.
    this.#database.exec('DROP TABLE IF EXISTS siteward_reserve');
    const missing = (this.#reservePages() - pragmaNumber(this.#database, 'freelist_count')) * this.#pageSize();
    try {
      this.#database.exec('CREATE TABLE siteward_reserve (filling BLOB)');
      // In slices, for a value of the whole reserve would be held in memory. One at least, for the log.
      for (let left = Math.max(missing, RESERVE_SLICE_BYTES); left > 0; left -= RESERVE_SLICE_BYTES) {
        this.#database.exec(`INSERT INTO siteward_reserve VALUES (zeroblob(${RESERVE_SLICE_BYTES}))`);
        this.#checkpoint();
        if (this.#dead) throw this.#dead;
      }
    } catch (thrown) {
      if (asStoreError(thrown, this.#path).code !== 'STORE_FULL') throw thrown;
      // No room for a whole reserve: what was got is kept.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    }
    this.#database.exec('DROP TABLE IF EXISTS siteward_reserve; PRAGMA wal_checkpoint(RESTART)');
  }

  check(): readonly string[] {
    return this.#guarded(() => faultsOf(this.#database, 'integrity_check'));
  }

  close(): void {
    this.#statements.clear();
    if (!this.#database.isOpen) return;
    if (this.#dead) closeUnsynced(this.#database, this.#path);
    else this.#database.close();
  }

  /**
   * Moves the log into the file once it is long enough. SQLite would do so by itself and keep a failed sync to itself;
   * here the handle dies of it.
   */
  #checkpoint(): void {
    try {
      this.#guarded(() => {
        const [state] = this.#statement('PRAGMA wal_checkpoint(NOOP)').all();
        if (Number(state?.['log']) < this.#checkpointPages) return;
        this.#statement('PRAGMA wal_checkpoint(PASSIVE)').all();
      });
    } catch {
      // A full disk has room again some day; a dead handle tells the next who asks.
    }
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
    const outcomes: Outcome[] = [];
    for (const { sql, params = [], rows } of statements) {
      const statement = this.#statement(sql);
      let changes = 0;
      let lastInsertRowid = 0n;
      for (const row of rows ?? [params]) {
        const result = statement.run(...row);
        changes += Number(result.changes);
        lastInsertRowid = BigInt(result.lastInsertRowid);
      }
      outcomes.push({ changes, lastInsertRowid });
    }
    return outcomes;
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
    return pragmaNumber(this.#database, 'page_size');
  }

  #reservePages(): number {
    return Math.ceil(this.#reserveBytes / this.#pageSize());
  }
}

/**
 * Closes a handle on which a sync has failed. The last handle to go would checkpoint and so sync again, and be told that
 * all is well; so another one, which may only read and therefore never syncs, goes last.
 */
export function closeUnsynced(database: DatabaseSync, path: string): void {
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

/** The value of a pragma that has one number. */
export function pragmaNumber(database: DatabaseSync, pragma: string): number {
  const row = database.prepare(`PRAGMA ${pragma}`).get() ?? {};
  return Number(Object.values(row)[0] ?? 0);
}

/** What a check says; nothing when all is well. */
export function faultsOf(database: DatabaseSync, check: 'integrity_check' | 'quick_check'): string[] {
  const rows = database.prepare(`PRAGMA ${check}(${FAULTS_LISTED})`).all();
  return rows.map((row) => String(Object.values(row)[0])).filter((line) => line !== 'ok');
}

/** SQLite's integers all come as bigint, for none may be rounded on its way; those that fit become numbers here. */
export function readable(row: Row): Row {
  const result: Record<string, SqlValue> = {};
  for (const [name, value] of Object.entries(row)) {
    const fits = typeof value === 'bigint' && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
    result[name] = fits ? Number(value) : value;
  }
  return result;
}
