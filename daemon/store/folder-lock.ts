import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockDatabase } from './database-file.ts';
import { asStoreError, StoreError } from './errors.ts';

/**
 * Takes the folder for this process; two daemons in one would write over each other. The lock is one of the kernel's on
 * `siteward.lock`: it ends with the process, so a kill or a power cut leaves no stale one.
 * @returns what gives the folder back
 * @throws StoreError `STORE_LOCKED`, or `STORE_ACCESS` when the folder cannot be written
 */
export function lockFolder(directory: string): () => void {
  const note = join(directory, 'siteward.pid');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // SQLite would open what it may only read, and a lock on that keeps nobody out.
    accessSync(directory, constants.W_OK);
    const unlock = lockFile(join(directory, 'siteward.lock'));
    writeNote(note);
    return unlock;
  } catch (thrown) {
    const error = asStoreError(thrown, directory);
    if (error.code !== 'STORE_BUSY') throw error;
    throw new StoreError('STORE_LOCKED', `${directory} is in use by another siteward${holder(note)}`, { cause: error });
  }
}

function lockFile(path: string): () => void {
  if (existsSync(path)) accessSync(path, constants.W_OK);
  try {
    return lockDatabase(path);
  } catch (thrown) {
    if (asStoreError(thrown, path).code !== 'STORE_DAMAGED') throw thrown;
    // It was read, and SQLite reads only what nobody has locked: no daemon stands behind it.
    rmSync(path);
    return lockDatabase(path);
  }
}

/** Not worth failing for, on a full disk say. */
function writeNote(note: string): void {
  try {
    writeFileSync(note, `${process.pid}\n`);
  } catch {
    // The message about a folder in use will not name the process.
  }
}

/** Who wrote the note last, for the message only: it proves nothing. */
function holder(note: string): string {
  try {
    return ` (process ${readFileSync(note, 'utf8').trim().slice(0, 20)})`;
  } catch {
    return '';
  }
}
