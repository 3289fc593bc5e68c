/**
 * Finds and parses the files of profiles. Parsing some hundred YAML files takes most of a second and tens of megabytes
 * that the process never gives back; what was parsed before may be kept in a file, by the content of each profile.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { type Fault, locateIssues } from './faults.ts';
import { ProfileSettings } from './profile.ts';
import { parseYaml, type YamlDocument } from './yaml.ts';

/** One file as written, before what it extends is laid out. */
export interface ProfileFile {
  readonly name: string;
  /** As faults name it. */
  readonly file: string;
  readonly settings: ProfileSettings;
  /** Parsed when asked for: keeping every document for the sake of a fault that hardly ever comes would cost memory. */
  document(): YamlDocument;
}

/** Profiles say a name once and repeat it at every reading. */
const MOST_ALIASES = 5_000;

/** The files of a folder and its subfolders, in the order of their paths. What is wrong goes into `faults`. */
export function readProfileFolder(folder: string, faults: Fault[], cache: ProfileCache): readonly ProfileFile[] {
  return filesIn(folder, faults).flatMap((path) => parseProfile(path, faults, cache) ?? []);
}

function filesIn(folder: string, faults: Fault[]): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
  } catch (error) {
    faults.push(wholeFile(folder, `cannot be read: ${reason(error)} (write a folder of profiles)`));
    return [];
  }
}

function parseProfile(path: string, faults: Fault[], cache: ProfileCache): ProfileFile | undefined {
  const near = relative(process.cwd(), path);
  const file = near.startsWith('..') ? path : near;
  const name = path.replace(/^.*[/\\]/, '').replace(/\.ya?ml$/, '');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    faults.push(wholeFile(file, `cannot be read: ${reason(error)}`));
    return undefined;
  }
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    faults.push(wholeFile(file, 'has no good name (write small letters, digits and -)'));
    return undefined;
  }
  const document = () => parseYaml(text, MOST_ALIASES);
  const known = cache.get(text);
  if (known) return { name, file, settings: known, document };

  const parsed = document();
  if (parsed.faults.length > 0) {
    faults.push(...parsed.faults.map((fault) => ({ file, path: '', ...fault })));
    return undefined;
  }
  const checked = ProfileSettings.safeParse(parsed.value ?? {});
  if (!checked.success) {
    faults.push(...locateIssues(file, parsed, checked.error.issues, profileJsonSchema()));
    return undefined;
  }
  cache.set(text, checked.data);
  return { name, file, settings: checked.data, document };
}

function wholeFile(file: string, message: string): Fault {
  return { file, path: '', line: 1, column: 1, message };
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

let jsonSchema: z.core.JSONSchema.BaseSchema | undefined;

/** JSON Schema (2020-12) of a profile, for editors. */
export function profileJsonSchema(): z.core.JSONSchema.BaseSchema {
  jsonSchema ??= z.toJSONSchema(ProfileSettings, { io: 'input', unrepresentable: 'any' });
  return jsonSchema;
}

/** Settings by the text that they were parsed from. A cache that cannot be read or written costs time, nothing else. */
export class ProfileCache {
  readonly #file: string | undefined;
  readonly #found: ReadonlyMap<string, ProfileSettings>;
  readonly #used = new Map<string, ProfileSettings>();
  #isNew = false;

  /** @param file undefined: nothing is kept. */
  constructor(file: string | undefined) {
    this.#file = file;
    this.#found = file === undefined ? new Map() : readCache(file);
  }

  get(text: string): ProfileSettings | undefined {
    if (this.#file === undefined) return undefined;
    const key = keyOf(text);
    const settings = this.#found.get(key);
    if (settings) this.#used.set(key, settings);
    return settings;
  }

  set(text: string, settings: ProfileSettings): void {
    if (this.#file === undefined) return;
    this.#used.set(keyOf(text), settings);
    this.#isNew = true;
  }

  /** Keeps what was used, and only that. No folder is made for it. */
  save(): void {
    if (this.#file === undefined || !this.#isNew) return;
    const draft = `${this.#file}.${process.pid}`;
    try {
      writeFileSync(draft, JSON.stringify([...this.#used]), { mode: 0o600 });
      renameSync(draft, this.#file);
    } catch {
      // The next start parses again.
    }
  }
}

function readCache(file: string): ReadonlyMap<string, ProfileSettings> {
  try {
    const entries: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return new Map(Array.isArray(entries) ? (entries as [string, ProfileSettings][]) : []);
  } catch {
    return new Map();
  }
}

let schemaHash: string | undefined;

/** Another schema reads the same text otherwise, so the schema is part of the key. */
function keyOf(text: string): string {
  schemaHash ??= hash(readFileSync(new URL('./profile.ts', import.meta.url), 'utf8'));
  return hash(`${schemaHash}\n${text}`);
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
