/** `read-config.ts FILE`: answers what the config file says, or what is wrong with it, as `packRead` packs it. */
import { ConfigError } from '#config/errors.ts';
import { loadConfig } from '#config/load.ts';
import { answer } from './apart.ts';
import { packRead } from './config.ts';

const [, , path = ''] = process.argv;
try {
  answer(packRead({ loaded: loadConfig(path) }));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  answer(packRead({ faults: error.faults }));
}
