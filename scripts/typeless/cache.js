/**
 * siteward's sources without their types, one file each: named by the digest of the source, and ending in a comment with
 * the digest of the text before it, so that a file that a power cut left half written is as good as none.
 */
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SEAL = '\n// ';
const SEAL_LENGTH = SEAL.length + 64;

const digest = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

/** Another Node.js may strip in another way. */
export const nameOf = (source) => `${digest(process.version, '\0', source).slice(0, 32)}.js`;

/** Undefined where it is not there, or not whole. */
export function readText(folder, name) {
  let file;
  try {
    file = readFileSync(join(folder, name));
  } catch {
    return undefined;
  }
  const end = Math.max(0, file.length - SEAL_LENGTH);
  return file.toString('latin1', end) === SEAL + digest(file.subarray(0, end)) ? file : undefined;
}

/** @throws Error where the folder cannot be written */
export function keepText(folder, name, text) {
  const file = join(folder, name);
  writeFileSync(`${file}.${process.pid}`, text + SEAL + digest(text));
  renameSync(`${file}.${process.pid}`, file);
}
