/** A short form of the mutation run; the long one is `npx node test/profiles/mutation.ts`. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mutationRun, recordingsIn } from './mutation.ts';
import { SHARED_DEVICES, shippedProfiles } from './recordings.ts';

test('nothing wrong comes out of corrupted recordings', async () => {
  const own = recordingsIn(join(import.meta.dirname, 'recordings'));
  const shared = recordingsIn(join(SHARED_DEVICES, 'recordings'));
  if (shared.size === 0) console.warn(`only synthetic recordings are corrupted: there are none at ${SHARED_DEVICES}`);

  const { faults, readings } = await mutationRun(shippedProfiles(), new Map([...own, ...shared]), {
    copies: 600,
    seed: 20_261_124,
  });

  expect(faults).toEqual([]);
  expect(readings).toBeGreaterThan(0);
}, 60_000);
