import { resolve } from 'node:path';
import { loadConfig } from '#config/load.ts';
import { createLogger } from '../log.ts';
import { storageDirectory } from '../storage.ts';
import { backupStore } from '../store/backup.ts';
import { configPath } from './config-path.ts';
import { EXIT, type RunVerb } from './verb.ts';

export const run: RunVerb = async (io, [file = ''], options) => {
  const directory = storageDirectory(loadConfig(configPath(options), io.env));
  const { files } = await backupStore(directory, resolve(file), {
    log: createLogger('warn', process.stderr),
    now: new Date(),
  });
  for (const { name, bytes } of files) io.out(`${name}: ${bytes} bytes\n`);
  io.out(`${file} holds a copy of ${directory}\n`);
  return EXIT.done;
};
