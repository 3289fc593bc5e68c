import { type Options, textOption } from './verb.ts';

/** Where the config is when nobody says otherwise. */
export const DEFAULT_CONFIG = 'config/siteward.yaml';

export function configPath(options: Options): string {
  return textOption(options, 'config') ?? DEFAULT_CONFIG;
}
