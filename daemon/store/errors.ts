import { SitewardError } from '#config/errors.ts';

/**
 * - `STORE_FULL`: the disk or the size cap is reached; nothing was written, what was there is whole.
 * - `STORE_DAMAGED`: the file is not a whole database. Opening it again sets it aside.
 * - `STORE_IO`: the disk did not do as told. The handle is dead, for a failed sync must never be tried again on it: the
 *   kernel has marked the pages clean and would call the second one good. Opening the database again gives a new handle.
 * - `STORE_ACCESS`: the folder or the file may not be read or written by this user.
 * - `STORE_VERSION`: a newer siteward has written the file; it was not touched.
 * - `STORE_LOCKED`: another siteward has the folder.
 * - `STORE_BUSY`: another program held the file for longer than the busy timeout.
 * - `STORE_SQLITE`: this runtime's SQLite has the WAL-reset fault.
 * - `STORE_STATEMENT`: the SQL or its parameters are wrong, or break a constraint.
 * - `STORE_CLOSED`: asked after `close`, or the store's thread has ended.
 */
export type StoreErrorCode =
  | 'STORE_FULL'
  | 'STORE_DAMAGED'
  | 'STORE_IO'
  | 'STORE_ACCESS'
  | 'STORE_VERSION'
  | 'STORE_LOCKED'
  | 'STORE_BUSY'
  | 'STORE_SQLITE'
  | 'STORE_STATEMENT'
  | 'STORE_CLOSED';

const HINTS: Readonly<Record<StoreErrorCode, string>> = {
  STORE_FULL: 'free space on the disk of storage.directory, or raise the cap of the output or the history',
  STORE_DAMAGED: 'restart siteward: it sets the file aside and says where; `siteward restore` brings back a backup',
  STORE_IO: 'look at the disk: dmesg and smartctl tell more',
  STORE_ACCESS: 'give storage.directory and the files in it to the user that siteward runs as',
  STORE_VERSION: 'run the siteward that wrote it, or restore a backup made by this version',
  STORE_LOCKED: 'stop the other siteward, or give this one a storage.directory of its own',
  STORE_BUSY: 'end the program that holds the database open',
  STORE_SQLITE: 'run siteward on Node 24.21 or later, as `npm ci` installs it',
  STORE_STATEMENT: 'this is a fault in siteward: please report it with the log',
  STORE_CLOSED: 'the daemon is stopping, or its log says why the store has ended',
};

export class StoreError extends SitewardError {
  declare readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, HINTS[code], options);
  }
}

/** SQLite's primary result codes (sqlite.org/rescode.html) that mean something to a person. */
const BY_RESULT: Readonly<Record<number, StoreErrorCode>> = {
  3: 'STORE_ACCESS', // PERM
  5: 'STORE_BUSY',
  6: 'STORE_BUSY', // LOCKED
  8: 'STORE_ACCESS', // READONLY
  10: 'STORE_IO',
  11: 'STORE_DAMAGED', // CORRUPT
  13: 'STORE_FULL',
  14: 'STORE_ACCESS', // CANTOPEN
  23: 'STORE_ACCESS', // AUTH
  26: 'STORE_DAMAGED', // NOTADB
};

/** SQLITE_IOERR_SHMSIZE: the index of the write-ahead log could not grow, which is a full disk and not a broken one. */
const IOERR_SHMSIZE = 4874;

/** What SQLite or the file system threw, as one of ours. `where` names the file. */
export function asStoreError(thrown: unknown, where: string): StoreError {
  if (thrown instanceof StoreError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return new StoreError(codeOf(error), `${where}: ${error.message}`, { cause: error });
}

/** SQLITE_READONLY in any of its forms. */
export function isReadOnlyFault(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 8;
}

function codeOf(error: Error): StoreErrorCode {
  if ('errcode' in error && typeof error.errcode === 'number') {
    if (error.errcode === IOERR_SHMSIZE) return 'STORE_FULL';
    return BY_RESULT[error.errcode & 0xff] ?? 'STORE_STATEMENT';
  }
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'STORE_FULL';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR') return 'STORE_ACCESS';
  if (code === 'EIO') return 'STORE_IO';
  return 'STORE_STATEMENT';
}
