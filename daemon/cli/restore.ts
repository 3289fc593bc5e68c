import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { loadConfig } from '#config/load.ts';
import { createLogger } from '../log.ts';
import { storageDirectory } from '../storage.ts';
import { restoreStore } from '../store/backup.ts';
import { configPath } from './config-path.ts';
import { EXIT, type RunVerb } from './verb.ts';

export const run: RunVerb = async (io, [file = ''], options) => {
  const directory = storageDirectory(loadConfig(configPath(options), io.env));
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { created_at, files } = await restoreStore(directory, resolve(file), {
    log: createLogger('warn', process.stderr),
  });
  io.out(
    `${files.map(({ name }) => name).join(', ')} of ${created_at} are in ${directory} now; \`siteward verify\` checks them\n`,
  );
  return EXIT.done;
};
