import { createHash } from 'node:crypto';
import type { SqlValue } from './store.ts';

/** What stands before the first entry of a chain. */
export const CHAIN_START: Uint8Array = new Uint8Array(32);

/**
 * The hash of an entry over all of its fields and the hash of the entry before it (SHA-256): whoever changes, inserts or
 * removes one would have to make every later one anew, and all copies of them. Each field goes in with its type and
 * length, so that no two rows read the same.
 */
export function chainHash(previous: Uint8Array, fields: readonly SqlValue[]): Uint8Array {
  const hash = createHash('sha256').update(previous);
  for (const field of fields) {
    if (field === null) {
      hash.update('n;');
    } else if (field instanceof Uint8Array) {
      hash.update(`b${field.byteLength}:`).update(field);
    } else {
      const text = String(field);
      hash.update(`${typeof field === 'string' ? 's' : 'i'}${Buffer.byteLength(text)}:`).update(text);
    }
  }
  return new Uint8Array(hash.digest());
}

export function sameHash(a: SqlValue | undefined, b: Uint8Array): boolean {
  return a instanceof Uint8Array && Buffer.compare(a, b) === 0;
}
