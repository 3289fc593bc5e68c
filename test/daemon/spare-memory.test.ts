import { getHeapStatistics } from 'node:v8';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { givingMemoryBack } from '#daemon/spare-memory.ts';

vi.mock('node:v8', { spy: true });

const MIB = 1_048_576;
const collect = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('gc', collect);
  collect.mockClear();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function heapOf(bytes: number) {
  vi.mocked(getHeapStatistics).mockReturnValue({ ...getHeapStatistics(), used_heap_size: bytes });
}

test('what the start took goes back once, and what is freed later every few minutes', () => {
  heapOf(40 * MIB);
  const giving = givingMemoryBack();

  vi.advanceTimersByTime(61_000);
  expect(collect.mock.calls).toEqual([[{ type: 'major', execution: 'sync', flavor: 'last-resort' }]]);
  vi.advanceTimersByTime(600_000);
  expect(collect).toHaveBeenCalledTimes(3);

  giving.stop();
  vi.advanceTimersByTime(3_600_000);
  expect(collect).toHaveBeenCalledTimes(3);
});

test('a large heap is left alone until it is small again: nobody may have to wait for its collection', () => {
  heapOf(200 * MIB);
  const giving = givingMemoryBack();

  vi.advanceTimersByTime(3_600_000);
  expect(collect).not.toHaveBeenCalled();
  heapOf(50 * MIB);
  vi.advanceTimersByTime(300_000);
  expect(collect).toHaveBeenCalledTimes(1);

  giving.stop();
});

test('without the flag that lets siteward ask for collections nothing is asked', () => {
  vi.stubGlobal('gc', undefined);
  const giving = givingMemoryBack();

  expect(() => vi.advanceTimersByTime(3_600_000)).not.toThrow();

  giving.stop();
});
