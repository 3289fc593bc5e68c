/** T8, short: random sequences of actions against a small model. The long proof runs 10,000 of them. */
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { MEMORY, temporaryFolder } from '../../support/folder.ts';
import { seededRandom } from '../../support/random.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { CONSTANTS, runModel } from '../../support/spool-model.ts';

test.each([
  ['tiny', 30],
  ['real', 2],
] as const)(
  'with %s constants, %i random sequences of 64 actions leave every point in one place',
  async (name, sequences) => {
    const directory = await temporaryFolder(MEMORY);
    const store = await openStore({ directory, log: recordingLogger() });
    onTestFinished(() => store.close());

    for (let seed = 1; seed <= sequences; seed++) {
      const run = {
        store,
        directory,
        output: `${name}-${seed}`,
        random: seededRandom(seed),
        actions: 64,
        ...CONSTANTS[name],
      };
      await expect(runModel(run), `seed ${seed}`).resolves.toBeUndefined();
    }
  },
);
