import { ConfigError } from '#config/errors.ts';
import { describeFault } from '#config/faults.ts';
import { loadConfig } from '#config/load.ts';
import { profileLibrary } from '../profile-library.ts';
import { configPath } from './config-path.ts';
import { EXIT, type RunVerb } from './verb.ts';

export const run: RunVerb = async (io, _args, options) => {
  const path = configPath(options);
  try {
    const loaded = loadConfig(path, io.env);
    for (const warning of loaded.warnings) io.err(`${describeFault(warning)}\n`);
    const { faults } = await profileLibrary(loaded);
    for (const fault of faults) io.err(`${describeFault(fault)}\n`);
    if (faults.length > 0) return EXIT.usage;
    io.out(
      `${path} is good: ${loaded.config.devices.length} devices, ${loaded.config.discovery.ranges.length} ranges\n`,
    );
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const fault of error.faults) io.err(`${describeFault(fault)}\n`);
    return EXIT.usage;
  }
};
