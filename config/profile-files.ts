/** Finds and parses the files of profiles. */
import { readdirSync, readFileSync } from 'node:fs';
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
export function readProfileFolder(folder: string, faults: Fault[]): readonly ProfileFile[] {
  return filesIn(folder, faults).flatMap((path) => parseProfile(path, faults) ?? []);
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

function parseProfile(path: string, faults: Fault[]): ProfileFile | undefined {
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
