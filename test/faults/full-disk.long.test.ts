/** T6: a disk that fills at any point of the cycle, by a stranger and by the spool itself. */
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../support/random.ts';
import { missing } from '../support/spool.ts';
import { book, booked, canMount, openScene, recovers, round } from './full-disk.ts';

if (!canMount) console.warn('full disks are not tested: mounting a tmpfs needs root');

describe.skipIf(!canMount)('a disk that a stranger fills to the last block', () => {
  test('while points are sent: what the receiver has is not sent for ever', async () => {
    const scene = await openScene();
    for (let index = 0; index < 20; index++) await round(scene);
    await scene.stranger.fill();

    scene.answer = { status: 204 };
    await expect.poll(() => scene.sink.status().pending, { timeout: 40_000, interval: 100 }).toBe(0);

    expect(new Set(scene.receiver.stored).size).toBe(scene.sink.status().written);
    await book(scene);
    await recovers(scene);
  });

  test.each(Array.from({ length: 20 }, (_, index) => index + 1))('at instant %i of the cycle', async (seed) => {
    const random = seededRandom(seed);
    const scene = await openScene();
    const work = (async () => {
      for (let index = 0; index < 40; index++) {
        await round(scene, 1 + Math.floor(random() * 600));
        await book(scene);
        if (random() < 0.2) scene.answer = { status: random() < 0.5 ? 204 : 503 };
        if (random() < 0.2) await scene.sink.spool.merge();
      }
    })();

    const after = Math.floor(random() * 25);
    await expect.poll(() => scene.entries, { timeout: 60_000, interval: 1 }).toBeGreaterThanOrEqual(after);
    await scene.stranger.fill();
    await work;

    expect(await booked(scene)).toBe(40);
    expect(missing(scene.sink)).toBe(0);
    await recovers(scene);
  });

  test.each(Array.from({ length: 20 }, (_, index) => index + 1))(
    'by the spool itself, seed %i: it stops at the floor, and what goes on meanwhile goes on',
    async (seed) => {
      const random = seededRandom(seed);
      const scene = await openScene(9 + Math.floor(random() * 4));

      let entries = 0;
      const isFull = (): boolean => {
        const { storing, dropped } = scene.sink.status();
        return storing === 'low' && dropped.disk_full > 0;
      };
      const end = performance.now() + 60_000;
      while (!isFull() && performance.now() < end) {
        await round(scene, 500 + Math.floor(random() * 2_500));
        if (random() < 0.3) await scene.sink.spool.merge();
        if (random() < 0.1) scene.answer = { status: random() < 0.3 ? 204 : 503 };
        if (random() < 0.5) {
          await book(scene);
          entries += 1;
        }
        expect(missing(scene.sink)).toBe(0);
      }
      expect(isFull()).toBe(true);
      for (let index = 0; index < 20; index++) await book(scene);

      expect(await booked(scene)).toBe(entries + 20);
      expect(missing(scene.sink)).toBe(0);
      await recovers(scene);
    },
  );
});
