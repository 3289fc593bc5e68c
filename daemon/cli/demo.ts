import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configOf } from '#config/load.ts';
import { systemClock } from '../clock.ts';
import { startDaemon } from '../daemon.ts';
import { startDemo } from '../demo/demo.ts';
import { createLogger } from '../log.ts';
import { stopped } from './stopped.ts';
import { EXIT, type RunVerb } from './verb.ts';

export const run: RunVerb = async (io) => {
  const opened = new AsyncDisposableStack();
  try {
    const folder = mkdtempSync(join(tmpdir(), 'siteward-demo-'));
    opened.defer(() => rm(folder, { recursive: true, force: true }));
    const demo = await startDemo({ signal: io.signal });
    opened.defer(() => demo.close());
    const loaded = configOf(demo.config, folder);
    const log = createLogger(loaded.config.log.level);
    const daemon = await startDaemon({ loaded, clock: systemClock, log, demo: true });
    opened.defer(() => daemon.stop());
    io.err(`the demo site is at ${daemon.url}; Ctrl-C ends it\n`);
    await stopped(io);
    return EXIT.done;
  } finally {
    await opened.disposeAsync();
  }
};
