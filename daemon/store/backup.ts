import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { SitewardError } from '#config/errors.ts';
import type { Logger } from '#daemon/log.ts';
import { openStore } from './sqlite-store.ts';
import { TAR_END, tarEntries, tarHeader, tarPadding } from './tar.ts';

export interface BackupFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface BackupManifest {
  readonly format: 1;
  /** ISO 8601. */
  readonly created_at: string;
  readonly files: readonly BackupFile[];
}

export class BackupError extends SitewardError {
  constructor(message: string, hint: string, options?: ErrorOptions) {
    super('BACKUP', message, hint, options);
  }
}

const MANIFEST = 'manifest.json';
/** No path in a backup leads anywhere. */
const DATABASE_FILE = /^[a-z][a-z0-9-]*\.db$/;
const LARGEST_MANIFEST = 1_000_000;

/**
 * Copies every database of the folder into one gzip-ed tar file, beside a running daemon or without one. The file appears
 * under its name when it is whole and synced.
 */
export async function backupStore(
  directory: string,
  file: string,
  { log, now }: { readonly log: Logger; readonly now: Date },
): Promise<BackupManifest> {
  const names = (await readdir(directory)).filter((name) => DATABASE_FILE.test(name)).sort();
  if (names.length === 0) {
    throw new BackupError(`${directory} holds no database`, 'check storage.directory of the config');
  }
  await mkdir(dirname(file), { recursive: true });
  const copies = await mkdtemp(join(dirname(file), '.siteward-backup-'));
  const store = await openStore({ directory, log, readOnly: true });
  try {
    const files: BackupFile[] = [];
    for (const name of names) {
      const copy = join(copies, name);
      await store.copy(name.replace(/\.db$/, ''), copy);
      files.push({ name, bytes: (await stat(copy)).size, sha256: await sha256Of(copy) });
    }
    const manifest: BackupManifest = { format: 1, created_at: now.toISOString(), files };
    const part = `${file}.part`;
    await pipeline(
      Readable.from(archive(manifest, copies, now)),
      createGzip(),
      createWriteStream(part, { mode: 0o600 }),
    );
    await syncPath(part);
    await rename(part, file);
    await syncPath(dirname(file));
    return manifest;
  } finally {
    await store.close();
    await rm(copies, { recursive: true, force: true });
  }
}

async function* archive(manifest: BackupManifest, folder: string, now: Date): AsyncGenerator<Buffer> {
  const text = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  yield tarHeader({ name: MANIFEST, size: text.length }, now);
  yield text;
  yield tarPadding(text.length);
  for (const { name, bytes } of manifest.files) {
    yield tarHeader({ name, size: bytes }, now);
    for await (const chunk of createReadStream(join(folder, name))) yield chunk as Buffer;
    yield tarPadding(bytes);
  }
  yield TAR_END;
}

/**
 * Puts a backup into a folder that holds no database. Everything is checked before anything gets its name, so that a
 * broken backup leaves the folder as it was.
 * @throws BackupError when the folder is in use or not empty of databases, or the backup is not whole
 */
export async function restoreStore(
  directory: string,
  file: string,
  { log }: { readonly log: Logger },
): Promise<BackupManifest> {
  const store = await openStore({ directory, log });
  const arrived = await mkdtemp(join(directory, '.siteward-restore-'));
  try {
    const present = (await readdir(directory)).filter((name) => DATABASE_FILE.test(name));
    if (present.length > 0) {
      const hint = 'move the databases away first, or restore into another folder';
      throw new BackupError(`${directory} already holds ${present.join(', ')}`, hint);
    }
    const manifest = await unpack(file, arrived);
    for (const { name } of manifest.files) {
      await syncPath(join(arrived, name));
      await rename(join(arrived, name), join(directory, name));
    }
    await syncPath(directory);
    return manifest;
  } finally {
    await rm(arrived, { recursive: true, force: true });
    await store.close();
  }
}

async function unpack(file: string, folder: string): Promise<BackupManifest> {
  try {
    // By a pipeline, for an error of the file does not reach the end of a mere pipe.
    return await pipeline(createReadStream(file), createGunzip(), (source) => unpackTar(source, folder));
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new BackupError(`${file} is not a whole backup: ${message}`, 'use another backup', { cause: thrown });
  }
}

async function unpackTar(source: AsyncIterable<Buffer>, folder: string): Promise<BackupManifest> {
  let manifest: BackupManifest | undefined;
  const found = new Set<string>();
  for await (const { name, size, content } of tarEntries(source)) {
    if (!manifest) {
      if (name !== MANIFEST || size > LARGEST_MANIFEST) throw new Error('it does not begin with a manifest');
      manifest = parseManifest(await textOf(content));
      continue;
    }
    const expected = manifest.files.find((each) => each.name === name);
    if (!expected || found.has(name)) throw new Error(`${basename(name)} is not in its manifest`);
    await pipeline(Readable.from(content), createWriteStream(join(folder, name), { mode: 0o600 }));
    if ((await sha256Of(join(folder, name))) !== expected.sha256) throw new Error(`${name} was changed`);
    found.add(name);
  }
  const missing = manifest?.files.find(({ name }) => !found.has(name));
  if (!manifest || missing) throw new Error(missing ? `${missing.name} is missing` : 'it is empty');
  return manifest;
}

function parseManifest(text: string): BackupManifest {
  const parsed = JSON.parse(text) as Partial<BackupManifest> | null;
  const files = parsed?.files;
  const sound =
    parsed?.format === 1 &&
    Array.isArray(files) &&
    files.every(
      ({ name, sha256 }) => typeof name === 'string' && DATABASE_FILE.test(name) && typeof sha256 === 'string',
    );
  if (!sound) throw new Error('its manifest is not one of ours');
  return parsed as BackupManifest;
}

async function textOf(content: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
