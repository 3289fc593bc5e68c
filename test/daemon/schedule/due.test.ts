import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Milliseconds, Monotonic } from '#collectors/contract.ts';
import { backedOff, LONGEST_BACKOFF, nextDue, startDelay } from '#daemon/schedule/due.ts';

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
