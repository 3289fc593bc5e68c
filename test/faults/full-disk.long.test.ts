/** T6: a disk that fills at any point of the cycle, by a stranger and by the spool itself. */
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../support/random.ts';
import { missing } from '../support/spool.ts';
import { book, booked, canMount, openScene, recovers, round, roundsUntil } from './full-disk.ts';

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

  test('by the spool itself: it stops at the floor', async () => {
    const scene = await openScene(10);

    await roundsUntil(scene, ({ storing, dropped }) => storing === 'low' && dropped.disk_full > 0);

    await book(scene);
    expect(missing(scene.sink)).toBe(0);
    await recovers(scene);
  });
});
