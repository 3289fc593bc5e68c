import { describe, expect, test } from 'vitest';
import { LearntOids, Shared } from '#collectors/snmp/shared.ts';

describe('values of many devices', () => {
  test('that are equal are one object', () => {
    const shared = new Shared<readonly number[]>();
    const first = shared.of([1, 2]);

    expect(shared.of([1, 2])).toBe(first);
    expect(shared.of([2, 1])).toEqual([2, 1]);
    expect(shared.of([1, 2])).toBe(first);
  });

  test('that came long ago or are large are let go', () => {
    const shared = new Shared<readonly number[]>(undefined, ({ length }) => length);
    const first = shared.of([-1]);
    for (let number = 0; number < 1_000; number += 1) shared.of([number]);
    const large = Array.from({ length: 1_000 }, (_, number) => number);

    expect(shared.of([-1])).not.toBe(first);
    expect(shared.of(large)).toBe(large);
    expect(shared.of([...large])).not.toBe(large);
  });
});

test('what one device learns, another that had learnt the same does not', () => {
  const [one, other] = [new LearntOids(3), new LearntOids(3)];
  for (const device of [one, other]) {
    device.add('1.3.1');
    device.add('1.3.2');
    device.settle();
  }

  one.delete('1.3.1');
  one.add('1.3.3');
  one.settle();
  other.add('1.3.4');

  const known = (device: LearntOids) => [1, 2, 3, 4].filter((last) => device.has(`1.3.${last}`));
  expect(known(one)).toEqual([2, 3]);
  expect(known(other)).toEqual([1, 2, 4]);
  other.add('1.3.5');
  expect(known(other)).toEqual([]);
  expect(other.has('1.3.5')).toBe(true);
});
