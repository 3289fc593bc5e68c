import { existsSync } from 'node:fs';
import { type LoadedConfig, loadConfig } from '#config/load.ts';
import { configPath, DEFAULT_CONFIG } from './config-path.ts';
import { type CliIo, type Options, textOption } from './verb.ts';

/** The config that is named, or the one at the default place; undefined where neither is there. */
export function configIfAny(io: CliIo, options: Options): LoadedConfig | undefined {
  if (textOption(options, 'config') === undefined && !existsSync(DEFAULT_CONFIG)) return undefined;
  return loadConfig(configPath(options), io.env);
}
