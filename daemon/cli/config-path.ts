import { existsSync } from 'node:fs';
import { type LoadedConfig, loadConfig } from '#config/load.ts';
import { type CliIo, type Options, textOption } from './verb.ts';

/** Where the config is when nobody says otherwise. */
export const DEFAULT_CONFIG = 'config/siteward.yaml';

export function configPath(options: Options): string {
  return textOption(options, 'config') ?? DEFAULT_CONFIG;
}

/** The config that is named, or the one at the default place; undefined where neither is there. */
export function configIfAny(io: CliIo, options: Options): LoadedConfig | undefined {
  if (textOption(options, 'config') === undefined && !existsSync(DEFAULT_CONFIG)) return undefined;
  return loadConfig(configPath(options), io.env);
}
