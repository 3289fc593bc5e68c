import { expect, onTestFinished, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { enteredWindow, isEntered, occurrences } from '#daemon/availability/maintenance.ts';
import { maintenanceTimes } from '#daemon/availability/overlays.ts';
import { readExtract } from '#daemon/availability/timeline.ts';
import { verifyDatabase } from '#daemon/store/ledger.ts';
import { VERIFIERS } from '#daemon/verifiers.ts';
import { pageSources } from '#daemon/web/sources.ts';
import { setClock } from '../../support/availability.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { live, SITE, START } from '../../support/siteward-lives.ts';

const HOUR = 3_600_000;

test('maintenance that a person enters holds for just its time, also in the hour that a clock change repeats', () => {
  const from = Date.UTC(2026, 9, 25, 0, 30, 12, 345) as WallTime;
  const to = (from + 2 * HOUR) as WallTime;
  const window = enteredWindow({ name: 'new disk', devices: ['srv-*'], from, to, author: 'anna' }, from);

  expect(occurrences(window, { from: (from - HOUR) as WallTime, to: (to + HOUR) as WallTime })).toEqual([{ from, to }]);
  expect(window.announced_at).toBe(from);
  expect(isEntered(window)).toBe(true);
});

test('two windows of the same words are two windows', () => {
  const entered = { name: 'a', devices: ['b'], from: 0 as WallTime, to: HOUR as WallTime, author: 'anna' };

  expect(enteredWindow(entered, entered.from).key).not.toBe(enteredWindow(entered, entered.from).key);
});

async function openAvailability() {
  const clock = setClock(START);
  const running = await live(await temporaryFolder(), [], clock);
  onTestFinished(async () => {
    await running.availability.close(AbortSignal.timeout(20_000));
    await running.close();
  });
  const within = { from: START as WallTime, to: (START + 24 * HOUR) as WallTime };
  /** What a report would lay over the states of fw-1. */
  const excused = async () =>
    maintenanceTimes(
      (await running.read((database) => readExtract(database, within, clock.wallNow()))).maintenance,
      within,
      0,
    )
      .filter(({ devices }) => devices.includes('fw-1'))
      .map(({ span, name }) => [name, (span.from - START) / HOUR, (span.to - START) / HOUR]);
  const enter = async (fromHour: number, toHour: number) =>
    await running.availability.enterMaintenance({
      name: 'new disk',
      devices: ['fw-1'],
      from: (START + fromHour * HOUR) as WallTime,
      to: (START + toHour * HOUR) as WallTime,
      author: 'anna',
    });
  return { ...running, clock, excused, enter };
}

test('maintenance that is ended early excuses what was until then, and both entries stay in the ledger', async () => {
  const { availability, read, clock, excused, enter } = await openAvailability();
  const key = await enter(0, 4);
  clock.advance(HOUR);

  await availability.endMaintenance(key, 'bert', 'the disk was in sooner');
  clock.advance(HOUR);

  expect(await excused()).toEqual([['new disk', 0, 1]]);
  const entries = await read((database) =>
    database.read("SELECT kind, detail FROM availability_entries WHERE kind LIKE 'maintenance%' ORDER BY seq"),
  );
  expect(
    entries.map(({ kind, detail }) => ({ kind, ...JSON.parse(String(detail)) })).filter((entry) => entry.key === key),
  ).toMatchObject([
    { kind: 'maintenance', name: 'new disk', author: 'anna', duration: 4 * HOUR },
    { kind: 'maintenance-removed', name: 'new disk', author: 'bert', reason: 'the disk was in sooner' },
  ]);
  expect((await read((database) => verifyDatabase(database, VERIFIERS))).faults).toEqual([]);
});

test('the page shows maintenance until it was ended, and what was observed after it', async () => {
  const { availability, read, clock, enter } = await openAvailability();
  const key = await enter(1, 4);
  clock.advance(2 * HOUR);
  await availability.endMaintenance(key, 'bert', 'the disk was in sooner');
  clock.advance(HOUR);
  availability.now();
  await availability.ledger.flush(AbortSignal.timeout(20_000));

  const { timelines } = await read(async (database) =>
    pageSources({
      database: () => database,
      config: () => SITE.config,
      clock,
      outputs: () => [],
      maintenance: () => availability.ledger.maintenance,
      enterMaintenance: async () => '',
      endMaintenance: async () => undefined,
    }),
  );
  const shown = (await timelines?.({ from: START as WallTime, to: clock.wallNow() }))?.get('fw-1') ?? [];

  const hours = shown
    .filter(({ state }) => state === 'maintenance')
    .map(({ from, to }) => [(from - START) / HOUR, (to - START) / HOUR]);
  expect(hours[0]?.[0]).toBe(1);
  expect(hours.at(-1)?.[1]).toBe(2);
});

test('maintenance that is ended before it begins never was, and cannot be ended twice', async () => {
  const { availability, clock, excused, enter } = await openAvailability();
  const key = await enter(2, 4);
  clock.advance(HOUR);

  await availability.endMaintenance(key, 'bert', 'not today');

  expect(await excused()).toEqual([]);
  await expect(availability.endMaintenance(key, 'bert', 'again')).rejects.toMatchObject({
    code: 'NO_SUCH_MAINTENANCE',
  });
});

test('what stands in the config, or is over, cannot be ended', async () => {
  const { availability, clock, enter } = await openAvailability();
  const key = await enter(0, 1);
  clock.advance(2 * HOUR);
  const [nightly] = availability.ledger.maintenance.filter((window) => !isEntered(window));

  await expect(availability.endMaintenance(key, 'bert', 'late')).rejects.toMatchObject({ code: 'NO_SUCH_MAINTENANCE' });
  await expect(availability.endMaintenance(nightly?.key ?? '', 'bert', 'no')).rejects.toMatchObject({
    code: 'NOT_ENTERED',
  });
});
