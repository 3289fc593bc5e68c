/** The daemon is stopped for ten seconds, and its clock is set an hour forth and back. `clock.long.test.ts` takes longer. */
import { expect, onTestFinished, test } from 'vitest';
import type { Milliseconds } from '#collectors/contract.ts';
import { systemClock } from '#daemon/clock.ts';
import { allEntered, clockwork, expectWhole, HOUR, isChange, ledgerOf, steps } from '../support/clockwork.ts';

test('stopped, and its clock set forth and back: all of that is unknown and recorded, none of it is down', async () => {
  const { daemon, folder, set } = await clockwork(0);
  onTestFinished(async () => {
    daemon.child.kill('SIGCONT');
    await daemon[Symbol.asyncDispose]();
  });
  await allEntered(daemon, 'up', 0);

  let mark = daemon.log.length;
  const stopped = Date.now();
  daemon.child.kill('SIGSTOP');
  await systemClock.sleep(10_000 as Milliseconds);
  daemon.child.kill('SIGCONT');
  await allEntered(daemon, 'up', mark);
  for (const offset of [HOUR, 0]) {
    mark = daemon.log.length;
    set(offset);
    await allEntered(daemon, 'up', mark);
  }
  await daemon.stop();

  expect(daemon.log.filter(isChange('down'))).toEqual([]);
  const { entries, timelines } = await ledgerOf(folder);
  expectWhole(timelines);
  expect(steps(entries)).toHaveLength(2);
  for (const pieces of timelines.values()) {
    const gap = pieces.find(({ from, to }) => from <= stopped + 5_000 && to > stopped + 5_000);
    expect(gap).toMatchObject({ state: 'unknown', cause: 'siteward stood still' });
  }
});
