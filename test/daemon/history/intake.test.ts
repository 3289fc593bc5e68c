import { beforeEach, describe, expect, test } from 'vitest';
import { Intake } from '#daemon/history/intake.ts';

const SLOT = 3;
const NOON = 1_772_323_200;

describe('what of the values is kept', () => {
  let intake: Intake;

  beforeEach(() => {
    intake = new Intake();
    intake.begin(SLOT);
  });

  test('one in half a minute, and the first after the clock was set back', () => {
    const seconds = [0, 10, 29, 30, 59, 61, -3_600, -3_590];

    const kept = seconds.filter((second) => intake.take(SLOT, NOON + second, 0.5) !== undefined);

    expect(kept).toEqual([0, 30, 61, -3_600]);
    expect(intake.heardAt(SLOT)).toBe(NOON - 3_600);
  });

  test('of counters the rate, but not over a reset or a long gap', () => {
    const take = (minute: number, value: bigint) => intake.take(SLOT, NOON + minute * 60, value);

    expect(take(0, 100n)).toBeUndefined();
    expect(take(1, 700n)).toBe(10);
    expect(take(2, 60n)).toBeUndefined();
    expect(take(3, 120n)).toBe(1);
    expect(take(18, 120n)).toBe(0);
    expect(take(34, 9_000n)).toBeUndefined();
    expect(take(35, 9_060n)).toBe(1);
  });

  test('no rate since before a device was forgotten', () => {
    intake.take(SLOT, NOON, 100n);
    intake.forgetCounter(SLOT);

    expect(intake.take(SLOT, NOON + 60, 700n)).toBeUndefined();
  });

  test('nothing of the series that had the slot before', () => {
    intake.take(SLOT, NOON, 100n);
    intake.begin(SLOT);

    expect(intake.heardAt(SLOT)).toBe(0);
    expect(intake.take(SLOT, NOON + 1, 700n)).toBeUndefined();
  });
});
