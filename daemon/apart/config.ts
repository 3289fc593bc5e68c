/** The config file, read without keeping what reads it: schema, YAML and their libraries are six megabytes. */
import { deserialize, serialize } from 'node:v8';
import { ConfigError } from '#config/errors.ts';
import type { Fault } from '#config/faults.ts';
import type { LoadedConfig } from '#config/load.ts';
import { Secret } from '#config/secret.ts';
import { runApart } from './apart.ts';

/** What was read, or everything that is wrong with it. */
type Read = { readonly loaded: LoadedConfig } | { readonly faults: readonly Fault[] };

/** As `loadConfig`. @throws ConfigError */
export async function loadConfigApart(path: string, env: NodeJS.ProcessEnv): Promise<LoadedConfig> {
  const output = await runApart('./read-config.ts', [path], env);
  if (!output) {
    // Where no process can be had, it is read here.
    const { loadConfig } = await import('#config/load.ts');
    return loadConfig(path, env);
  }
  const read: Read = unpacked(deserialize(output));
  if ('faults' in read) throw new ConfigError(read.faults);
  return read.loaded;
}

/** For the other process. */
export function packRead(read: Read): Buffer {
  return serialize(packed(read));
}

/** Nothing else in a config is a Map, so that is how a secret travels: source -> text. */
type PackedSecret = ReadonlyMap<Secret['source'], string>;

function packed(value: unknown): unknown {
  if (value instanceof Secret) return new Map([[value.source, value.reveal()]]) satisfies PackedSecret;
  return mapped(value, packed);
}

/** Frozen, as what `loadConfig` gives. */
function unpacked<T>(value: unknown): T {
  if (value instanceof Map)
    for (const [source, text] of value as PackedSecret) return Secret.resolved(source, text) as T;
  return Object.freeze(mapped(value, unpacked)) as T;
}

function mapped(value: unknown, map: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => map(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, map(item)]));
}
