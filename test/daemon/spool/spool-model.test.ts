/** T8, short: random sequences of actions against a small model. The long proof runs 10,000 of them. */
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { MEMORY, temporaryFolder } from '../../support/folder.ts';
import { seededRandom } from '../../support/random.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { CONSTANTS, runModel } from '../../support/spool-model.ts';

/** Each once found a fault: what was left of routine and important points together came before older important ones. */
const FOUND = [1_001_546, 1_009_523];

test.each([
  ['tiny', 30],
  ['real', 2],
] as const)(
  'with %s constants, %i random sequences of 64 actions leave every point in one place',
  async (name, sequences) => {
    const directory = await temporaryFolder(MEMORY);
    const store = await openStore({ directory, log: recordingLogger() });
    onTestFinished(() => store.close());

    const seeds = Array.from({ length: sequences }, (_, index) => index + 1);
    for (const seed of name === 'tiny' ? [...seeds, ...FOUND] : seeds) {
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
