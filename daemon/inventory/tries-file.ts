/**
 * Failed tries of credentials on disk, shared by the daemon and `siteward discover`: five minutes are five minutes, also
 * for a person who starts a scan twice.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { WallTime } from '#collectors/contract.ts';
import { type KeptTries, Tries } from '#collectors/discovery/tries.ts';
import type { LoadedConfig } from '#config/load.ts';

const NAME = 'credential-tries.json';
const MOST_BYTES = 16_000_000;

/** In the store's folder; without a config in the user's own. */
export function triesPath(loaded: LoadedConfig | undefined, env: NodeJS.ProcessEnv): string {
  if (loaded) return join(resolve(loaded.folder, loaded.config.storage.directory), NAME);
  return join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'siteward', NAME);
}

/** What was kept. A file that is missing or damaged is an empty one. */
export async function readTries(path: string): Promise<Tries> {
  const text = await readFile(path, 'utf8').catch(() => '[]');
  try {
    const kept: unknown = text.length > MOST_BYTES ? [] : JSON.parse(text);
    return new Tries(Array.isArray(kept) ? kept.filter(isKept) : []);
  } catch (error) {
    if (error instanceof SyntaxError) return new Tries();
    throw error;
  }
}

export async function writeTries(path: string, tries: Tries, now: WallTime): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.${randomBytes(4).toString('hex')}`;
  await writeFile(fresh, JSON.stringify(tries.kept(now)), { mode: 0o600 });
  await rename(fresh, path);
}

function isKept(row: unknown): row is KeptTries[number] {
  return (
    Array.isArray(row) &&
    typeof row[0] === 'string' &&
    typeof row[1] === 'number' &&
    Array.isArray(row[2]) &&
    row[2].every((name) => typeof name === 'string')
  );
}
