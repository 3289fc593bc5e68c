import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Milliseconds, Monotonic } from '#collectors/contract.ts';
import { backedOff, LONGEST_BACKOFF, nextDue, secondDue, startDelay } from '#daemon/schedule/due.ts';

const ms = (n: number) => n as Milliseconds;
const at = (n: number) => n as Monotonic;

test('a cycle that ended in time is followed by the next one of the schedule', () => {
  expect(nextDue(at(1000), ms(15_000), at(3000))).toEqual({ at: 16_000, missed: 0 });
});

test('cycles that were slept through are counted and left out', () => {
  expect(nextDue(at(0), ms(15_000), at(50_000))).toEqual({ at: 60_000, missed: 3 });
});

test('the next cycle is never in the past, never more than one interval away, and always on the schedule', () => {
  fc.assert(
    fc.property(fc.nat(1e9), fc.integer({ min: 1, max: 1e7 }), fc.nat(1e9), (previous, interval, later) => {
      const now = previous + later;
      const due = nextDue(at(previous), ms(interval), at(now));

      expect(due.at).toBeGreaterThanOrEqual(now);
      expect(due.at - now).toBeLessThanOrEqual(interval);
      expect((due.at - previous) % interval).toBe(0);
      expect(due.at).toBe(previous + (due.missed + 1) * interval);
    }),
  );
});

test('one lost answer changes no interval, more stretch it up to a bound', () => {
  expect([0, 1, 2, 3, 50].map((failures) => backedOff(ms(60_000), failures))).toEqual([
    60_000,
    60_000,
    120_000,
    240_000,
    LONGEST_BACKOFF,
  ]);
  expect(backedOff(ms(3_600_000), 5)).toBe(3_600_000);
});

test('a small site starts within a second or two, a large one is spread over the interval', () => {
  expect(startDelay(ms(60_000), 20, 1)).toBe(500);
  expect(startDelay(ms(60_000), 20_000, 0.5)).toBe(30_000);
});

test('the second cycle comes within the interval, not at once, and at a moment of the grid', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      fc.integer({ min: 100, max: 3_600_000 }),
      fc.integer({ min: 1, max: 20_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (origin, since, interval, lanes, random) => {
        const first = origin + since;
        const second = secondDue(at(first), ms(interval), random, { origin: at(origin), lanes });
        const step = interval / Math.max(16, Math.round(lanes / 4));
        const steps = (second - origin) / step;

        expect(second - first).toBeGreaterThan(interval * 0.09);
        expect(second - first).toBeLessThanOrEqual(interval + 1);
        expect(Math.abs(steps - Math.round(steps))).toBeLessThan(0.01);
      },
    ),
  );
});

test('a few lanes share a start, whatever the size of the site', () => {
  for (const lanes of [200, 10_000]) {
    const grid = { origin: at(0), lanes };
    const starts = new Map<number, number>();
    for (let lane = 0; lane < lanes; lane += 1) {
      const start = Math.round(secondDue(at(0), ms(60_000), (lane + 0.5) / lanes, grid));
      starts.set(start, (starts.get(start) ?? 0) + 1);
    }

    expect(Math.max(...starts.values())).toBeLessThanOrEqual(6);
    expect(starts.size).toBeLessThan(lanes / 3);
    expect(starts.size).toBeGreaterThan(lanes / 6);
  }
});
