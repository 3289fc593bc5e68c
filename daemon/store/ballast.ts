import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Enough for a write-ahead log and its index of each database. */
const BALLAST_BYTES = 8_388_608;
/** It is only made where it takes a small part of what is free. */
const FREE_FACTOR = 4;

/** Bytes that this user may still write on the volume of `directory`. */
export function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

/**
 * A file of nothing, thrown away when the disk is full: SQLite needs room to open a database, even to delete from it, so
 * a daemon without ballast could not start on a full disk.
 */
export class Ballast {
  readonly #directory: string;
  readonly #path: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.#path = join(directory, 'ballast');
  }

  /** Makes it where it is missing and there is room. */
  keep(): void {
    try {
      if (existsSync(this.#path) || freeBytes(this.#directory) < FREE_FACTOR * BALLAST_BYTES) return;
      const file = openSync(this.#path, 'w', 0o600);
      try {
        // Zeros that are written take their blocks; a hole would be no ballast.
        const block = new Uint8Array(1_048_576);
        for (let written = 0; written < BALLAST_BYTES; written += block.length) writeSync(file, block);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    } catch {
      // Half a ballast would be taken for a whole one; without any, all goes on as before.
      this.release();
    }
  }

  /** Whether there was any to throw. */
  release(): boolean {
    if (!existsSync(this.#path)) return false;
    rmSync(this.#path, { force: true });
    return true;
  }
}
