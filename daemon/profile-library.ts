import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { CATALOGUE } from '#collectors/catalogue.ts';
import { ProfileLibrary, type ProfileSource } from '#collectors/snmp/profile/library.ts';
import type { Fault } from '#config/faults.ts';
import type { LoadedConfig } from '#config/load.ts';
import type { Profile } from '#config/profiles.ts';
import { runApart } from './apart/apart.ts';

export interface ReadLibrary {
  readonly library: ProfileLibrary;
  /** Profiles named here are left out: one that is wrong must not cost the others. */
  readonly faults: readonly Fault[];
}

const CONFIG_SOURCE = resolve(import.meta.dirname, '../config');
/** The profiles that come with siteward. */
const OWN_FOLDER = join(CONFIG_SOURCE, 'profiles');

/** The folders of the profiles that come with siteward and, where the config names one, of the MSP's own, which win. */
export function profileFolders(loaded?: LoadedConfig): string[] {
  const own = loaded?.config.profiles.directory;
  return own === undefined || !loaded ? [OWN_FOLDER] : [OWN_FOLDER, resolve(loaded.folder, own)];
}

/**
 * The profiles, from the cache where nothing changed since they were read: checking a hundred and fifty files takes
 * longer than everything else that a start needs, and each profile is only parsed when a device has it.
 */
export async function profileLibrary(loaded?: LoadedConfig): Promise<ReadLibrary> {
  const folders = profileFolders(loaded);
  const file = cacheOf(folders);
  if (file === undefined) return await readAll(folders);
  if (!existsSync(file)) await runApart('./read-profiles.ts', folders, process.env);
  return await profilesOf(folders, file);
}

/** In a process without a cache there is none. */
function cacheOf(folders: readonly string[]): string | undefined {
  const folder = process.env['SITEWARD_CACHE'];
  return folder === undefined ? undefined : join(folder, `profiles-${digest([...folders, ...sources()])}.cache`);
}

/** The profiles of these folders, read by this process where they are not in the cache, and put there. */
export async function profilesOf(folders: readonly string[], file = cacheOf(folders)): Promise<ReadLibrary> {
  if (file === undefined) return await readAll(folders);
  const cached = readCache(file);
  if (cached) return { library: new ProfileLibrary(cached), faults: [] };
  const read = await readAll(folders);
  if (read.faults.length > 0) return read;
  writeCache(file, read.profiles);
  const written = readCache(file);
  return written ? { library: new ProfileLibrary(written), faults: [] } : read;
}

async function readAll(
  folders: readonly string[],
): Promise<ReadLibrary & { readonly profiles: ReadonlyMap<string, Profile> }> {
  // Loaded only now: with a warm cache a start needs neither the schema of profiles nor what checks it.
  const { readProfiles } = await import('#config/profiles.ts');
  const { profiles, faults } = readProfiles({ folders, metrics: CATALOGUE });
  return { library: new ProfileLibrary(profiles), profiles, faults };
}

/** The code that reads profiles: when it changes, what it made is stale. */
function sources(): string[] {
  return readdirSync(CONFIG_SOURCE)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(CONFIG_SOURCE, name));
}

/** Of the contents of files and of all files in folders. */
function digest(paths: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(Object.keys(CATALOGUE)));
  for (const path of paths) {
    const files = path.endsWith('.ts') ? [path] : filesIn(path);
    for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 32);
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
  } catch {
    return []; // A folder that is not there is told as a fault when the profiles are read.
  }
}

type Summary = Pick<Profile, 'name'> & { readonly settings: Pick<Profile['settings'], 'abstract' | 'match' | 'rank'> };

/**
 * The cache is one file: a line of JSON with this, and behind it the profiles as JSON texts. They stay on disk until a
 * device needs one of them, for there are megabytes of them.
 */
interface Head {
  readonly summaries: readonly Summary[];
  /** Name -> where its text lies behind the head, in octets. */
  readonly spans: Readonly<Record<string, readonly [from: number, length: number]>>;
}

const LINE_FEED = 0x0a;

function readCache(file: string): ProfileSource | undefined {
  try {
    // It stays open: what is read later is what was checked now, whatever becomes of the name.
    const descriptor = openSync(file, 'r');
    const content = readFileSync(descriptor);
    const start = content.indexOf(LINE_FEED) + 1;
    const { summaries, spans }: Head = JSON.parse(content.toString('utf8', 0, start));
    return {
      values: () => summaries,
      get: (name) => {
        const [from, length] = (Object.hasOwn(spans, name) && spans[name]) || [0, 0];
        if (length === 0) return undefined;
        const text = Buffer.alloc(length);
        readSync(descriptor, text, 0, length, start + from);
        return JSON.parse(text.toString());
      },
    };
  } catch {
    return undefined;
  }
}

/** A cache that cannot be written only costs time. */
function writeCache(file: string, profiles: ReadonlyMap<string, Profile>): void {
  const all = [...profiles.values()].filter(({ settings }) => !settings.abstract);
  const spans: Record<string, readonly [number, number]> = {};
  const texts: Buffer[] = [];
  let from = 0;
  for (const profile of all) {
    const text = Buffer.from(JSON.stringify(profile));
    spans[profile.name] = [from, text.length];
    from += text.length;
    texts.push(text);
  }
  const summaries = all.map(({ name, settings: { abstract, match, rank } }) => ({
    name,
    settings: { abstract, match, rank },
  }));
  try {
    mkdirSync(resolve(file, '..'), { recursive: true });
    const head = Buffer.from(`${JSON.stringify({ summaries, spans } satisfies Head)}\n`);
    writeFileSync(`${file}.${process.pid}`, Buffer.concat([head, ...texts]));
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    return;
  }
}
