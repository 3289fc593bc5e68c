import { expect, test } from 'vitest';
import { wrongMonths, wrongSums } from '../support/calendar-checks.ts';

test('months of all zones over ten years begin and end where another library says', () => {
  expect(wrongMonths(2020, 10)).toEqual([]);
});

test('months and quarters of all zones touch and sum to their years, over ten years', () => {
  expect(wrongSums(2020, 10)).toEqual([]);
});
