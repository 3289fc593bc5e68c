/**
 * Reads the device profiles: every YAML file of a folder and of its subfolders, checked as a whole, with what they
 * extend laid out flat. What is wrong is told with file, line and column, everything at once.
 */
import { fileURLToPath } from 'node:url';
import { ProfileError } from './errors.ts';
import { describePath, type Fault } from './faults.ts';
import type { ProfileSettings, SourceSettings, ValueOrText } from './profile.ts';
import { type ProfileFile, readProfileFolder } from './profile-files.ts';
import { checkReferences, type MetricShapes } from './profile-references.ts';
import { AREAS, type AreaName, type IdentityField } from './words.ts';

/** The profiles that come with siteward. */
export const PROFILE_FOLDER = fileURLToPath(new URL('./profiles/', import.meta.url));

export interface FlatTable {
  readonly entry: string;
  /** Column name -> OID. */
  readonly columns: Readonly<Record<string, string>>;
  readonly slow: readonly string[];
}

export type FlatSource = Exclude<SourceSettings, 'inherit'> & {
  /** The profile or part that it was written in. */
  readonly from: string;
};

export interface FlatArea {
  readonly mode: 'first' | 'all';
  readonly pace: 'metrics' | 'inventory';
  readonly sources: readonly FlatSource[];
}

/** A profile with everything that it extends. */
export interface Profile {
  readonly name: string;
  readonly file: string;
  readonly settings: ProfileSettings;
  /** Itself and what it extends, the nearest first. */
  readonly lineage: readonly string[];
  readonly class: ProfileSettings['class'];
  readonly vendor: string | undefined;
  readonly agent: ProfileSettings['agent'];
  readonly tables: Readonly<Record<string, FlatTable>>;
  /** What to try for each fact, in order. */
  readonly identity: Readonly<Record<IdentityField, readonly ValueOrText[]>>;
  readonly areas: Readonly<Partial<Record<AreaName, FlatArea>>>;
}

export interface LoadOptions {
  /** Folders, the later ones win over a profile of the same name. */
  readonly folders?: readonly string[];
  /** Names and labels of the metrics that readings may name. */
  readonly metrics: MetricShapes;
}

/**
 * All profiles, abstract ones included, by name.
 * @throws ProfileError with all faults at once.
 */
export function loadProfiles(options: LoadOptions): ReadonlyMap<string, Profile> {
  const { profiles, faults } = readProfiles(options);
  if (faults.length > 0) throw new ProfileError(faults);
  return profiles;
}

/** As `loadProfiles`, but what is whole is given even where something else is wrong. */
export function readProfiles(options: LoadOptions): {
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly faults: readonly Fault[];
} {
  const faults: Fault[] = [];
  const loaded = new Map<string, ProfileFile>();
  for (const folder of options.folders ?? [PROFILE_FOLDER]) {
    for (const profile of readProfileFolder(folder, faults)) loaded.set(profile.name, profile);
  }
  const profiles = new Map<string, Profile>();
  const problem = ({ file, document }: ProfileFile, path: readonly PropertyKey[], message: string): void => {
    faults.push({ file, path: describePath(path), ...document().positionOf(path), message });
  };
  for (const profile of loaded.values()) {
    const ancestors = lineageOf(profile, loaded, (path, message) => problem(profile, path, message));
    if (!ancestors) continue;
    const flat = flatten(profile, ancestors, (path, message) => problem(profile, path, message));
    checkReferences(profile.settings, flat, options.metrics, (path, message) => problem(profile, path, message));
    profiles.set(profile.name, flat);
  }
  return { profiles, faults: faults.toSorted(byPlace) };
}

function byPlace(a: Fault, b: Fault): number {
  return a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column;
}

type Report = (path: readonly PropertyKey[], message: string) => void;

/** What a profile extends, each once, the most general first, itself last. Undefined where that cannot be told. */
function lineageOf(
  start: ProfileFile,
  all: ReadonlyMap<string, ProfileFile>,
  report: Report,
): readonly ProfileFile[] | undefined {
  const order: ProfileFile[] = [];
  const open: string[] = [];
  let sound = true;
  /** @param from which of the names that `start` extends led here. */
  const visit = (profile: ProfileFile, from: number | undefined): void => {
    open.push(profile.name);
    for (const [position, name] of profile.settings.extends.entries()) {
      const parent = all.get(name);
      const path = ['extends', from ?? position];
      if (!parent) {
        sound = false;
        if (profile === start)
          report(path, `there is no profile ${JSON.stringify(name)}${suggestion(name, all.keys())}`);
      } else if (open.includes(name)) {
        sound = false;
        report(path, `extends itself: ${[...open, name].join(' > ')} (remove one of them)`);
      } else if (!order.includes(parent)) {
        visit(parent, from ?? position);
      }
    }
    open.pop();
    order.push(profile);
  };
  visit(start, undefined);
  return sound ? order : undefined;
}

export function suggestion(name: string, known: Iterable<string>): string {
  const names = [...known];
  const near = names.find((each) => each.includes(name) || name.includes(each));
  return near ? ` (did you mean ${near}?)` : ` (write one of ${names.slice(0, 20).join(', ')})`;
}

function flatten(profile: ProfileFile, ancestors: readonly ProfileFile[], report: Report): Profile {
  const nearestFirst = ancestors.toReversed();
  return {
    name: profile.name,
    file: profile.file,
    settings: profile.settings,
    lineage: nearestFirst.map(({ name }) => name),
    class: nearestFirst.find(({ settings }) => settings.class !== undefined)?.settings.class,
    vendor: nearestFirst.find(({ settings }) => settings.vendor !== undefined)?.settings.vendor,
    agent: Object.assign({}, ...ancestors.map(({ settings }) => settings.agent)),
    tables: mergedTables(ancestors, profile, report),
    identity: mergedIdentity(nearestFirst),
    areas: mergedAreas(ancestors),
  };
}

function mergedTables(
  ancestors: readonly ProfileFile[],
  profile: ProfileFile,
  report: Report,
): Readonly<Record<string, FlatTable>> {
  const tables: Record<string, FlatTable> = {};
  const definedIn: Record<string, string> = {};
  for (const { name: source, settings } of ancestors) {
    for (const [name, table] of Object.entries(settings.tables)) {
      const known = tables[name];
      if (known && known.entry !== table.entry) {
        const path = source === profile.name ? ['tables', name, 'entry'] : ['extends'];
        report(path, `table ${name} has another entry in ${definedIn[name]} (choose another name for one of them)`);
        continue;
      }
      const columns = Object.entries(table.columns).map(([column, place]) => [
        column,
        typeof place === 'number' ? `${table.entry}.${place}` : place,
      ]);
      tables[name] = {
        entry: table.entry,
        columns: { ...known?.columns, ...Object.fromEntries(columns) },
        slow: [...new Set([...(known?.slow ?? []), ...table.slow])],
      };
      definedIn[name] ??= source;
    }
  }
  return tables;
}

function mergedIdentity(nearestFirst: readonly ProfileFile[]): Profile['identity'] {
  const choices = (field: IdentityField): readonly ValueOrText[] =>
    nearestFirst.flatMap(({ settings }) => settings.identity[field] ?? []);
  return {
    class: choices('class'),
    vendor: choices('vendor'),
    model: choices('model'),
    serial: choices('serial'),
    version: choices('version'),
    sys_name: choices('sys_name'),
  };
}

function mergedAreas(ancestors: readonly ProfileFile[]): Profile['areas'] {
  const areas: Partial<Record<AreaName, FlatArea>> = {};
  for (const { name: from, settings } of ancestors) {
    for (const [key, written] of Object.entries(settings.areas)) {
      const name = key as AreaName;
      const known = areas[name];
      const { sources, mode, pace } = Array.isArray(written)
        ? { sources: written, mode: undefined, pace: undefined }
        : written;
      areas[name] = {
        mode: mode ?? known?.mode ?? AREAS[name],
        pace: pace ?? known?.pace ?? 'metrics',
        sources: sources.flatMap((source) => (source === 'inherit' ? (known?.sources ?? []) : [{ ...source, from }])),
      };
    }
  }
  return areas;
}
