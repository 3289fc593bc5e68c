/** T8, short: random sequences of actions against a small model. The long proof runs 10,000 of them. */
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { MEMORY, temporaryFolder } from '../../support/folder.ts';
import { seededRandom } from '../../support/random.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { type ModelRun, runModel } from '../../support/spool-model.ts';

const CONSTANTS = {
  tiny: { maxBytes: 900, merged: { points: 6, rawBytes: 60 }, largest: 4 },
  real: { maxBytes: 8_000, merged: { points: 5_000, rawBytes: 1_000_000 }, largest: 200 },
} satisfies Record<string, Pick<ModelRun, 'maxBytes' | 'merged' | 'largest'>>;

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
