import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Monotonic } from '#collectors/contract.ts';
import { type Clocks, continuityOf, courseOf } from '#collectors/snmp/profile/continuity.ts';

const TURN = 2 ** 32;
const DAY = 86_400;

const clocks = (seconds: number, of: Partial<Clocks>): Clocks => ({
  at: (seconds * 1000) as Monotonic,
  upTime: undefined,
  hostUpTime: undefined,
  engineTime: undefined,
  ...of,
});

describe('TimeTicks between two reads', () => {
  test.each<[string, number, number, number | undefined, string]>([
    ['rise with the time', 1_000, 7_000, 60, 'continued'],
    ['stand still in a device that sleeps', 50_000_000, 50_000_000, 3_600, 'continued'],
    ['turn at 497 days', TURN - 3_000, 3_000, 60, 'wrapped'],
    ['turn from the last tick to the first', TURN - 1, 0, 15, 'wrapped'],
    ['fall long before 497 days', 40_000_000, 3_000, 60, 'restarted'],
    ['fall just before 497 days, to more than passed', TURN - 3_000, 90_000, 60, 'restarted'],
    ['turn during an outage of a day', TURN - 100, DAY * 100 - 100, DAY, 'wrapped'],
    ['are fewer than passed since, though they rose', 6_000, 30_000, 3_600, 'restarted'],
    ['fall while nobody knows the time', TURN - 3_000, 3_000, undefined, 'restarted'],
  ])('%s', (_, before, now, reference, expected) => {
    expect(continuityOf(before, now, reference)).toBe(expected);
  });

  test('no device that goes on is ever taken to have started anew, whenever it is asked', () => {
    const gap = fc.double({ min: 1, max: 30 * DAY, noNaN: true });
    const ticks = fc.oneof(fc.integer({ min: 0, max: TURN - 1 }), fc.integer({ min: TURN - 10_000, max: TURN - 1 }));
    fc.assert(
      fc.property(ticks, gap, fc.double({ min: -5, max: 5, noNaN: true }), (before, passed, jitter) => {
        const after = before + Math.round(passed * 100);
        const found = continuityOf(before, after % TURN, Math.max(0, passed + jitter));
        expect(found).toBe(after >= TURN ? 'wrapped' : 'continued');
      }),
    );
  });
});

describe('the course of a device', () => {
  test('an engine that goes on proves the turn where our own clock stood still', () => {
    const before = clocks(0, { upTime: TURN - 6_000, engineTime: 42_949_612 });
    const now = clocks(10, { upTime: 354_000, engineTime: 42_953_212 });

    expect(courseOf(before, now)).toMatchObject({ kind: 'continued', elapsed: 3_600 });
  });

  test('an engine that was set back proves a restart, even at the very second of the turn', () => {
    const before = clocks(0, { upTime: TURN - 3_000, engineTime: 42_949_642 });
    const now = clocks(60, { upTime: 3_000, engineTime: 30 });

    expect(courseOf(before, now)).toMatchObject({ kind: 'restarted', agentRestarted: true });
  });

  test('an engine whose clock never moves is passed over', () => {
    const before = clocks(0, { upTime: TURN - 3_000, engineTime: 0 });
    const now = clocks(60, { upTime: 3_000, engineTime: 0 });

    expect(courseOf(before, now)).toMatchObject({ kind: 'continued', elapsed: 60 });
  });

  test('an agent that started anew on a host that went on leaves open what its counters did', () => {
    const before = clocks(0, { upTime: 90_000, hostUpTime: 5_000_000 });
    const now = clocks(60, { upTime: 100, hostUpTime: 5_006_000 });

    expect(courseOf(before, now)).toMatchObject({ kind: 'unsure', agentRestarted: true });
  });

  test('nothing is known of a device that does not tell its uptime', () => {
    expect(courseOf(clocks(0, {}), clocks(60, { upTime: 6_000 })).kind).toBe('unsure');
    expect(courseOf(undefined, clocks(60, { upTime: 6_000 })).kind).toBe('unsure');
  });
});
