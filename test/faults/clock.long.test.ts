/** T14 and T16 on the real daemon: its clock is set while it runs, it boots in 1970, it is stopped for ten minutes. */
import { afterEach, expect, onTestFinished, test } from 'vitest';
import type { Milliseconds } from '#collectors/contract.ts';
import { systemClock } from '#daemon/clock.ts';
import {
  allEntered,
  type Clockwork,
  CONFIG,
  clockwork,
  DEVICES,
  expectWhole,
  HOUR,
  isChange,
  ledgerOf,
  steps,
} from '../support/clockwork.ts';
import type { Sample } from '../support/exposition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type RunningDaemon, siteward, startDaemon } from '../support/siteward.ts';

const SECOND = 1_000;
const ROUND = 5 * SECOND;
const STOPPED = Number(process.env['SITEWARD_STOPPED_SECONDS'] ?? 600) * SECOND;

let running: RunningDaemon | undefined;
afterEach(async () => {
  await running?.stop('SIGKILL');
  running = undefined;
});

async function setting(offset: number): Promise<Clockwork> {
  const started = await clockwork(offset);
  running = started.daemon;
  return started;
}

const sum = (samples: readonly Sample[], name: string): number =>
  samples.filter((sample) => sample.name === name).reduce((total, { value }) => total + value, 0);
const packetsSent = async (daemon: RunningDaemon): Promise<number> =>
  sum(await daemon.scrape(), 'siteward_icmp_packets_sent_total');

/** How many rounds each device was asked in, over a time by the machine's own clock. */
async function roundsWithin(daemon: RunningDaemon, time: number): Promise<number> {
  const before = await packetsSent(daemon);
  await systemClock.sleep(time as Milliseconds);
  return ((await packetsSent(daemon)) - before) / DEVICES.length / 3;
}

test.each([
  ['an hour', HOUR],
  ['a day', 24 * HOUR],
])(
  'the clock %s forth and back again: recorded, unknown and never down, and the rounds go on as they were',
  async (_, step) => {
    const { daemon, folder, set } = await setting(0);
    await allEntered(daemon, 'up', 0);

    let mark = daemon.log.length;
    set(step);
    await daemon.logged('the step', (line) => line.message === 'the clock was set');
    const [forth] = daemon.log.slice(mark).filter(({ message }) => message === 'the clock was set');
    const roundsAfterForth = await roundsWithin(daemon, 4 * ROUND);
    await allEntered(daemon, 'up', mark);

    mark = daemon.log.length;
    set(0);
    await daemon.logged('the step back', () =>
      daemon.log.slice(mark).some(({ message }) => message === 'the clock was set'),
    );
    const roundsAfterBack = await roundsWithin(daemon, 4 * ROUND);
    await allEntered(daemon, 'up', mark);
    await daemon.stop();

    expect(Number(forth?.['seconds'])).toBeCloseTo(step / SECOND, -1);
    for (const rounds of [roundsAfterForth, roundsAfterBack]) {
      expect(rounds).toBeGreaterThanOrEqual(3);
      expect(rounds).toBeLessThanOrEqual(5);
    }
    expect(daemon.log.filter(isChange('down'))).toEqual([]);
    const { entries, timelines } = await ledgerOf(folder);
    expectWhole(timelines);
    expect(steps(entries)).toHaveLength(2);
    const verified = await siteward(['verify', '--json', '--config', daemon.configFile]);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, faults: [] });
  },
);

test('booted in 1970 and set a minute later: the time before counts for nothing, and nothing was down', async () => {
  const boot = Date.now();
  const { daemon, folder, set } = await setting(60 * SECOND - boot);
  await allEntered(daemon, 'up', 0);
  await daemon.rounds(3);

  const mark = daemon.log.length;
  set(0);
  const whenSet = Date.now();
  await daemon.logged('the step', (line) => line.message === 'the clock was set');
  await allEntered(daemon, 'up', mark);
  await daemon.rounds(4);
  const counted = sum(await daemon.scrape(), 'siteward_availability_seconds_total') / DEVICES.length;
  const report = await siteward([
    'report',
    'sla',
    '--period',
    'this-month',
    '--format',
    'json',
    '--config',
    daemon.configFile,
  ]);
  await daemon.stop();

  expect(daemon.log.filter(isChange('down'))).toEqual([]);
  // Decades would be 1.7 billion seconds.
  expect(counted).toBeLessThan((Date.now() - boot) / 1000 + 1);
  expect(report.code).toBe(0);
  const { entries, timelines } = await ledgerOf(folder);
  expect(steps(entries)).toHaveLength(1);
  // They were watched for some seconds of 1970, and then from now on: nothing stands for the years between.
  const early = new Map(
    [...timelines].map(([name, pieces]) => [name, pieces.filter(({ from }) => from < whenSet / 2)]),
  );
  const since = new Map(
    [...timelines].map(([name, pieces]) => [name, pieces.filter(({ from }) => from >= whenSet / 2)]),
  );
  expectWhole(early);
  expectWhole(since);
  for (const pieces of early.values()) expect(pieces.at(-1)?.to).toBeLessThan(HOUR);
  for (const pieces of since.values()) {
    expect(pieces[0]?.from).toBeGreaterThan(whenSet - 5 * SECOND);
    expect(pieces.some(({ state }) => state === 'up')).toBe(true);
  }
});

test('a thousand steps back by a millisecond are no step, and no interval runs backwards', async () => {
  const { daemon, folder, set } = await setting(0);
  await allEntered(daemon, 'up', 0);

  for (let count = 1; count <= 1_000; count += 1) {
    set(-count);
    await systemClock.sleep(20 as Milliseconds);
  }
  await daemon.stop();

  expect(daemon.log.filter(({ message }) => message === 'the clock was set')).toEqual([]);
  expect(daemon.log.filter(isChange('down'))).toEqual([]);
  expectWhole((await ledgerOf(folder)).timelines);
});

test(`stopped for ${STOPPED / SECOND} seconds: all that time is unknown, none is down, and the ledger verifies`, async () => {
  const folder = await temporaryFolder();
  const daemon = await startDaemon(CONFIG, { folder });
  running = daemon;
  onTestFinished(() => void daemon.child.kill('SIGCONT'));
  await allEntered(daemon, 'up', 0);
  await daemon.rounds(1);

  daemon.child.kill('SIGSTOP');
  const stopped = Date.now();
  await systemClock.sleep(STOPPED as Milliseconds);
  const mark = daemon.log.length;
  daemon.child.kill('SIGCONT');
  const resumed = Date.now();
  await allEntered(daemon, 'up', mark);
  await daemon.logged('that it stood still', ({ message }) => message === 'a notice is due');
  // A wrong verdict takes three rounds, and a notice of it some moments.
  await daemon.rounds(6);
  await daemon.stop();

  expect(daemon.log.filter(isChange('down'))).toEqual([]);
  expect(daemon.log.filter(isChange('unreachable'))).toEqual([]);
  const alarms = daemon.log.filter(({ message, status }) => message === 'a notice is due' && status === 'opened');
  expect(alarms).toMatchObject([{ incident: 'siteward:stood-still' }]);
  const { timelines } = await ledgerOf(folder);
  expectWhole(timelines);
  for (const pieces of timelines.values()) {
    const gap = pieces.find(({ cause }) => cause === 'siteward stood still');
    expect(gap?.state).toBe('unknown');
    expect(gap && stopped - gap.from).toBeLessThan(2 * SECOND);
    expect(gap?.to).toBeGreaterThanOrEqual(resumed - SECOND);
    expect(gap && gap.to - gap.from).toBeGreaterThanOrEqual(STOPPED - 2 * SECOND);
  }
  const verified = await siteward(['verify', '--json', '--config', daemon.configFile]);
  expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, faults: [] });
});
