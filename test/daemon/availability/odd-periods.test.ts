/** Months in which something does not fit: days of 25 hours that are holidays, maintenance upon maintenance, devices that come and go. */
import { expect, onTestFinished, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { parseConfig } from '#config/load.ts';
import type { AnnouncedMaintenance } from '#daemon/availability/entries.ts';
import { readSlaReport } from '#daemon/availability/reading.ts';
import { slaJson } from '#daemon/availability/sla-json.ts';
import { type ObservedState, RULE_VERSION } from '#daemon/availability/verdict.ts';
import { verifyDatabase } from '#daemon/store/ledger.ts';
import { VERIFIERS } from '#daemon/verifiers.ts';
import { openBook, setClock } from '../../support/availability.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { at } from '../../support/worked-month.ts';

const HOUR = 3_600;
type Step = readonly [time: string, device: string, what: ObservedState | 'watched' | 'unwatched'];

function config(sla: string) {
  return parseConfig(
    `site: {id: berlin-office, client: Muster GmbH, timezone: Europe/Berlin}
devices: [{name: a, address: 192.0.2.1, sla: gold}, {name: b, address: 192.0.2.2, sla: gold}]
slas: {gold: {target: 99.9%, ${sla}}}
`,
    'odd.yaml',
  ).config;
}

function window(name: string, from: string, to: string): AnnouncedMaintenance {
  return { key: name, name, devices: ['a'], starts: from, duration: at(to) - at(from), timezone: 'Europe/Berlin' };
}

/** The report of a period, from a ledger that was kept from September to November. */
async function report(
  period: string,
  {
    sla = '',
    steps = [],
    maintenance = [],
  }: { sla?: string; steps?: readonly Step[]; maintenance?: readonly AnnouncedMaintenance[] },
) {
  const clock = setClock(at('2026-09-01T00:00'));
  const book = await openBook(await temporaryFolder(), clock);
  onTestFinished(async () => await book.close());
  const watched = new Map<string, string>();
  book.availability.announce(maintenance, clock.wallNow());
  const enter = (time: WallTime, device: string, what: Step[2]): void => {
    clock.set(time);
    if (what === 'watched') watched.set(device, 'gold');
    if (what === 'unwatched') watched.delete(device);
    if (what === 'watched' || what === 'unwatched') {
      book.availability.watch(watched, time);
      return;
    }
    const rule = what === 'up' ? 'answered' : 'silent three rounds';
    const entry = {
      kind: 'state',
      device,
      at: time,
      state: what,
      rule,
      ruleVersion: RULE_VERSION,
      detail: {},
    } as const;
    book.availability.append(entry);
  };
  enter(clock.wallNow(), 'a', 'watched');
  enter(clock.wallNow(), 'a', 'up');
  for (const [time, device, what] of steps) enter(at(time), device, what);
  clock.set(at('2026-11-30T12:00'));
  book.availability.beat(clock.wallNow(), clock.monotonicNow());
  await book.flush();
  expect((await verifyDatabase(book.ledger.database, VERIFIERS)).faults).toEqual([]);
  const made = await readSlaReport(book.ledger.database, period, { config: config(sla), now: clock.wallNow() });
  const json = slaJson(made ?? expect.fail('no report')) as { slas: { devices: Record<string, unknown>[] }[] };
  const [a = {}, b = {}] = json.slas[0]?.devices ?? [];
  return { a, b };
}

test('a holiday on the day of 25 hours takes 25 hours, and what was down on it', async () => {
  const { a } = await report('2026-10', {
    sla: 'holidays: {dates: ["2026-10-25"]}',
    steps: [
      ['2026-10-24T23:00', 'a', 'down'],
      ['2026-10-26T01:00', 'a', 'up'],
    ],
  });

  expect(a).toMatchObject({
    agreed_seconds: (745 - 25) * HOUR,
    downtime_seconds: 2 * HOUR,
    raw_seconds: { down: 27 * HOUR },
    outages: [
      {
        seconds: 27 * HOUR,
        counted_seconds: 2 * HOUR,
        exclusions: [{ by: 'holiday: agreed holiday', seconds: 25 * HOUR }],
      },
    ],
  });
});

test('maintenance upon maintenance is left out once', async () => {
  const { a } = await report('2026-10', {
    maintenance: [
      window('one', '2026-10-06T10:00', '2026-10-06T12:00'),
      window('two', '2026-10-06T11:00', '2026-10-06T13:00'),
      window('within', '2026-10-06T11:15', '2026-10-06T11:30'),
    ],
    steps: [
      ['2026-10-06T10:30', 'a', 'down'],
      ['2026-10-06T13:30', 'a', 'up'],
    ],
  });

  expect(a).toMatchObject({
    maintenance_seconds: 3 * HOUR,
    agreed_seconds: 742 * HOUR,
    downtime_seconds: HOUR / 2,
    outages: [{ seconds: 3 * HOUR, counted_seconds: HOUR / 2 }],
  });
  const [{ exclusions }] = a['outages'] as [{ exclusions: { seconds: number }[] }];
  expect(exclusions.reduce((sum, { seconds }) => sum + seconds, 0)).toBe(2.5 * HOUR);
});

test('a period of which the ledger knows nothing has no figure, and is neither met nor missed', async () => {
  const { a, b } = await report('2026-08', {});

  for (const device of [a, b])
    expect(device).toMatchObject({
      availability_ratio: null,
      raw_availability_ratio: null,
      coverage_ratio: 0,
      met: null,
      downtime_seconds: 0,
      measured_seconds: 0,
      budget_burn_ratio: null,
      outages: [],
    });
});

test('a device counts from when it was first watched, and until it was taken out', async () => {
  const { a, b } = await report('2026-10', {
    steps: [
      ['2026-10-11T00:00', 'b', 'watched'],
      ['2026-10-11T00:00', 'b', 'up'],
      ['2026-10-20T10:00', 'b', 'down'],
      ['2026-10-20T11:00', 'b', 'up'],
      ['2026-10-21T00:00', 'a', 'unwatched'],
      ['2026-10-22T00:00', 'b', 'down'],
      ['2026-10-22T06:00', 'b', 'unwatched'],
    ],
  });

  expect(a).toMatchObject({
    agreed_seconds: 20 * 24 * HOUR,
    measured_seconds: 20 * 24 * HOUR,
    downtime_seconds: 0,
    met: true,
  });
  expect(b).toMatchObject({ agreed_seconds: (11 * 24 + 6) * HOUR, downtime_seconds: 7 * HOUR, met: false });
});
