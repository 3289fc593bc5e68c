import { expect, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { enteredWindow, isEntered, occurrences } from '#daemon/availability/maintenance.ts';

const HOUR = 3_600_000;

test('maintenance that a person enters holds for just its time, also in the hour that a clock change repeats', () => {
  const from = Date.UTC(2026, 9, 25, 0, 30, 12, 345) as WallTime;
  const to = (from + 2 * HOUR) as WallTime;
  const window = enteredWindow('new disk', ['srv-*'], { from, to }, from);

  expect(occurrences(window, { from: (from - HOUR) as WallTime, to: (to + HOUR) as WallTime })).toEqual([{ from, to }]);
  expect(window.announced_at).toBe(from);
  expect(isEntered(window)).toBe(true);
});

test('two windows of the same words are two windows', () => {
  const span = { from: 0 as WallTime, to: HOUR as WallTime };

  expect(enteredWindow('a', ['b'], span, span.from).key).not.toBe(enteredWindow('a', ['b'], span, span.from).key);
});
