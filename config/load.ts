import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError } from './errors.ts';
import { describePath, type Fault, inOrder, locateIssues } from './faults.ts';
import { crossChecks } from './references.ts';
import { remainderOf } from './remainder.ts';
import { type Config, ConfigSettings } from './schema.ts';
import { Secret } from './secret.ts';
import { parseYaml, type YamlDocument } from './yaml.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** Absolute; paths in the config are relative to it. */
  readonly folder: string;
  readonly file: string;
  /** What works but should be looked at. */
  readonly warnings: readonly Fault[];
}

/** JSON Schema (2020-12) of the config file, for editors and for `siteward schema`. */
export function configJsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(ConfigSettings, { io: 'input', unrepresentable: 'any' });
}

/**
 * Reads a config file and every secret that it names.
 * @throws ConfigError with all faults at once, each with line and column.
 */
export function loadConfig(path: string, env: NodeJS.ProcessEnv = process.env): LoadedConfig {
  const file = path;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const reason =
      error instanceof Error && 'code' in error && error.code === 'ENOENT'
        ? 'there is no such file'
        : `cannot be read: ${error instanceof Error ? error.message : error}`;
    throw new ConfigError([
      { file, path: '', line: 1, column: 1, message: `${reason} (write the path of a config file after --config)` },
    ]);
  }
  return parseConfig(text, file, env);
}

/** As `loadConfig`, from a text that stands for the file at `file`. */
export function parseConfig(text: string, file: string, env: NodeJS.ProcessEnv = process.env): LoadedConfig {
  const document = parseYaml(text);
  if (document.faults.length > 0) throw new ConfigError(document.faults.map((fault) => ({ file, path: '', ...fault })));
  const folder = dirname(resolve(file));
  const between = (config: Config) => {
    const secrets = resolveSecrets(config, folder, env, (path, message) => placed(file, document, path, message));
    const crossed = crossChecks(config).map(({ path, message }) => placed(file, document, path, message));
    return { faults: [...secrets.faults, ...crossed], warnings: secrets.warnings };
  };
  const parsed = ConfigSettings.safeParse(document.value ?? {});
  if (!parsed.success) {
    const { issues } = parsed.error;
    const schema = configJsonSchema();
    const rest = remainderOf(document.value, issues, schema);
    const faults = locateIssues(file, document, issues, schema);
    throw new ConfigError(inOrder([...faults, ...(rest ? between(rest).faults : [])]));
  }
  const { faults, warnings } = between(parsed.data);
  if (faults.length > 0) throw new ConfigError(inOrder(faults));
  return { config: deepFreeze(parsed.data), folder, file, warnings };
}

/** A config that is made by a program instead of read from a file. @throws ConfigError as `loadConfig` does. */
export function configOf(value: unknown, folder: string): LoadedConfig {
  return parseConfig(JSON.stringify(value), join(folder, 'siteward.yaml'));
}

function placed(file: string, document: YamlDocument, path: readonly PropertyKey[], message: string): Fault {
  return { file, path: describePath(path), ...document.positionOf(path), message };
}

type Place = (path: readonly PropertyKey[], message: string) => Fault;

function resolveSecrets(
  config: Config,
  folder: string,
  env: NodeJS.ProcessEnv,
  place: Place,
): { faults: Fault[]; warnings: Fault[] } {
  const faults: Fault[] = [];
  const warnings: Fault[] = [];
  for (const { secret, path } of secretsIn(config, [])) {
    try {
      secret.resolve((source) => {
        if ('env' in source) return fromEnvironment(source.env, env);
        const file = resolve(folder, source.file);
        const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
        if (text === '') throw new Error(`the file ${source.file} is empty (write the secret into it)`);
        if ((statSync(file).mode & 0o077) !== 0)
          warnings.push(place(path, `the file ${source.file} can be read by others (chmod 600 it)`));
        return text;
      });
    } catch (error) {
      faults.push(place(path, secretFault(error, secret)));
    }
  }
  return { faults, warnings };
}

function fromEnvironment(name: string, env: NodeJS.ProcessEnv): string {
  const text = env[name];
  if (!text)
    throw new Error(`the environment variable ${name} is not set (set it, or write the secret as {file: PATH})`);
  return text;
}

function secretFault(error: unknown, secret: Secret): string {
  if (error instanceof Error && 'code' in error && typeof secret.source === 'object' && 'file' in secret.source) {
    return error.code === 'ENOENT'
      ? `there is no file ${secret.source.file} (make it, with the secret and nothing else in it)`
      : `the file ${secret.source.file} cannot be read: ${error.code} (check its owner and mode)`;
  }
  return error instanceof Error ? error.message : String(error);
}

function* secretsIn(
  value: unknown,
  path: readonly PropertyKey[],
): Generator<{ secret: Secret; path: readonly PropertyKey[] }> {
  if (value instanceof Secret) {
    yield { secret: value, path };
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* secretsIn(item, [...path, index]);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) yield* secretsIn(item, [...path, key]);
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Secret || Object.isFrozen(value)) return value;
  for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}
