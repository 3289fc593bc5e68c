import type { z } from 'zod';
import { knownKeys, nearestKey, valueAt } from './faults.ts';
import { type Config, ConfigSettings } from './schema.ts';

/** Sections to which settings elsewhere refer: without a part of them those would seem wrong although they are not. */
const REFERRED = ['credentials', 'slas', 'http'];
/** By which a device is referred to. */
const NAMES = ['name', 'address'];
const MISSED = [...REFERRED, ...NAMES, 'devices'];

/**
 * A config without the settings that its schema refuses, so that what is wrong between the others can be told in the same
 * go. Undefined where what is refused is named by other settings, or cannot be left out.
 */
export function remainderOf(
  value: unknown,
  issues: readonly z.core.$ZodIssue[],
  schema: z.core.JSONSchema.BaseSchema,
): Config | undefined {
  const rest = structuredClone(value);
  for (const issue of issues) {
    const { path } = issue;
    if (REFERRED.includes(String(path[0]))) return undefined;
    if (issue.code === 'unrecognized_keys') {
      const at = mapAt(rest, path);
      for (const key of issue.keys) {
        if (!at || MISSED.includes(nearestKey(key, knownKeys(schema, path)) ?? '')) return undefined;
        delete at[key];
      }
      continue;
    }
    const key = String(path.at(-1));
    const at = mapAt(rest, path.slice(0, -1));
    if (!at) return undefined;
    const isNamedDevice = path.length === 3 && path[0] === 'devices' && typeof at['name'] === 'string';
    // A host name that is nobody else's, and that nobody can have (RFC 2606).
    if (key === 'address' && isNamedDevice) at[key] = `devices-${String(path[1])}.invalid`;
    else if (NAMES.includes(key)) return undefined;
    else delete at[key];
  }
  return ConfigSettings.safeParse(rest).data;
}

/** Undefined where there is no map of keys and values. */
function mapAt(root: unknown, path: readonly PropertyKey[]): Record<string, unknown> | undefined {
  const at = valueAt(root, path);
  return isMap(at) ? at : undefined;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
