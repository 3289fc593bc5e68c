/** T8: 10,000 random sequences of 64 actions against a small model, at tiny and at real constants. */
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { MEMORY, temporaryFolder } from '../support/folder.ts';
import { seededRandom } from '../support/random.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { CONSTANTS, runModel } from '../support/spool-model.ts';

const SEED = Number(process.env['SITEWARD_SEED'] ?? 1);
const SLICES = 20;

test.each(Array.from({ length: SLICES }, (_, slice) => slice))(
  'slice %i of 20: 485 sequences with tiny constants and 15 with real ones',
  async (slice) => {
    const directory = await temporaryFolder(MEMORY);
    const store = await openStore({ directory, log: recordingLogger() });
    onTestFinished(() => store.close());

    for (let turn = 0; turn < 500; turn++) {
      const name = turn < 485 ? 'tiny' : 'real';
      const seed = SEED * 1_000_000 + slice * 500 + turn;
      const run = {
        store,
        directory,
        output: `${name}-${turn}`,
        random: seededRandom(seed),
        actions: 64,
        ...CONSTANTS[name],
      };
      await expect(runModel(run), `seed ${seed}`).resolves.toBeUndefined();
    }
  },
);
