/** T6, short: a disk without a free block. A small tmpfs is mounted for it, which root may do. */
import { describe, expect, test } from 'vitest';
import { Ballast } from '#daemon/store/ballast.ts';
import {
  book,
  booked,
  canMount,
  openScene,
  recovers,
  round,
  roundsUntil,
  start,
  stop,
} from '../../faults/full-disk.ts';
import { missing } from '../../support/spool.ts';

if (!canMount) console.warn('full disks are not tested: mounting a tmpfs needs root');

describe.skipIf(!canMount)('a disk that a stranger fills to the last block', () => {
  test('while points are spooled: the ledger goes on for a month of entries, the spool drops its oldest and says so', async () => {
    const scene = await openScene();
    for (let index = 0; index < 10; index++) await round(scene);
    await scene.stranger.fill();

    for (let index = 0; index < 3000; index++) await book(scene);
    await roundsUntil(scene, ({ storing }) => storing !== 'ok');

    expect(await booked(scene)).toBe(3000);
    expect(missing(scene.sink)).toBe(0);
    await recovers(scene);
  });

  test('before the start: the ballast makes room, and the daemon starts', async () => {
    const scene = await openScene(64);

    new Ballast(scene.disk).keep();
    for (let index = 0; index < 10; index++) await round(scene);
    await book(scene);
    await stop(scene);
    await scene.stranger.fill();

    Object.assign(scene, await start(scene.disk, scene.receiver.url));

    await book(scene);
    expect(await booked(scene)).toBe(2);
    expect(missing(scene.sink)).toBe(0);
    scene.points = scene.sink.status().produced;
    await recovers(scene);
  });
});
