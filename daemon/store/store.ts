/** SQLite as the rest of the daemon sees it. One worker thread holds every connection; here are only messages to it. */

import type { Logger } from '#daemon/log.ts';

export type SqlValue = string | number | bigint | Uint8Array | null;

/** One statement, run once per row of `rows`, or once with `params`. */
export interface Statement {
  readonly sql: string;
  readonly params?: readonly SqlValue[];
  readonly rows?: readonly (readonly SqlValue[])[];
}

export interface Outcome {
  readonly changes: number;
  readonly lastInsertRowid: bigint;
}

/** Moves a database file one version further; the version is its place in the list, kept in `PRAGMA user_version`. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

export type Row = Readonly<Record<string, SqlValue>>;

export interface Database {
  /**
   * Runs the statements in one transaction. When the promise resolves, they are on disk as the database's `synchronous`
   * says; when it rejects, none of them happened.
   * @throws StoreError `STORE_FULL` when the disk or the size cap is reached, `STORE_DAMAGED` when the file is not whole.
   */
  write(statements: readonly Statement[]): Promise<readonly Outcome[]>;
  /** Integers past 2^53 come as bigint, all others as number. */
  read(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]>;
  /** Bytes of the file and its write-ahead log. */
  size(): Promise<number>;
  /** Gives up to `pages` free pages of the file back to the disk. Short slices keep writes from waiting. */
  shrink(pages: number): Promise<void>;
  /** A consistent copy of the live database, synced. Writes go on meanwhile. */
  backup(path: string): Promise<void>;
  /** What `PRAGMA integrity_check` says; empty when whole. */
  check(): Promise<readonly string[]>;
}

export interface DatabaseOptions {
  readonly migrations: readonly Migration[];
  /** `full`: a commit survives a power cut. `normal`: a power cut may lose the last commits, never the file. */
  readonly synchronous: 'full' | 'normal';
  /** The file never grows past this. */
  readonly maxBytes?: number;
  /** Free pages kept inside the file, so that it can be written for a while when a stranger has filled the disk. */
  readonly reserveBytes?: number;
}

export interface StoreSettings {
  readonly directory: string;
  readonly log: Logger;
  /** For a look beside a running daemon: takes no lock, makes nothing, changes nothing. */
  readonly readOnly?: boolean;
}

export interface Store {
  /**
   * Opens `NAME.db` in the store's folder. A damaged file is set aside as `NAME.db.damaged-TIME` and reported. After
   * `STORE_IO` or `STORE_DAMAGED` every call on a database fails: opening it once more gives a new handle.
   * @throws StoreError `STORE_VERSION`, `STORE_ACCESS`, `STORE_FULL`, `STORE_IO`
   */
  open(name: string, options: DatabaseOptions): Promise<OpenedDatabase>;
  /** What a file that was set aside still gives: the rows up to the first that cannot be read. Never throws for damage. */
  readDamaged(path: string, sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]>;
  /** A consistent copy of `NAME.db` at `path`, synced, whatever its version is. Needs not be open. */
  copy(name: string, path: string): Promise<void>;
  close(): Promise<void>;
}

export interface OpenedDatabase {
  readonly database: Database;
  /** Where a file that could not be read was moved to. */
  readonly setAside?: string;
}
