/** T7, short: one of each damage. The long proof does 300 of them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MUTATIONS, type Original, originalFolder, survive } from '../../faults/damage.ts';
import { MEMORY } from '../../support/folder.ts';
import { seededRandom } from '../../support/random.ts';

let parent: string;
let original: Original;
beforeAll(async () => {
  parent = await mkdtemp(join(MEMORY, 'siteward-'));
  original = await originalFolder(parent);
});
afterAll(async () => {
  await rm(parent, { recursive: true, force: true });
});

test.each(Object.entries(MUTATIONS))(
  '%s: it starts or says why not, and delivers nothing that was not produced',
  async (name, mutate) => {
    const survival = await survive(original, join(parent, 'copy'), mutate, seededRandom(name.length));

    if (survival.refused) expect(['STORE_ACCESS', 'STORE_IO']).toContain(survival.refused);
    else expect(survival.delivered + survival.lost).toBeGreaterThanOrEqual(0);
  },
);
