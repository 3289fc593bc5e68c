import { getHeapStatistics } from 'node:v8';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { givingMemoryBack } from '#daemon/spare-memory.ts';

vi.mock('node:v8', { spy: true });

const MIB = 1_048_576;
const MINUTE = 60_000;
const collect = vi.fn();
let giving: { stop(): void } | undefined;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('gc', collect);
  collect.mockClear();
  heapIs(40);
  processIs(120);
});

afterEach(() => {
  giving?.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Past the start, and what is needed is known. */
function running(): void {
  giving = givingMemoryBack();
  vi.advanceTimersByTime(10 * MINUTE);
  expect(collect).toHaveBeenCalledTimes(1);
  collect.mockClear();
}

function heapIs(mebibytes: number): void {
  vi.mocked(getHeapStatistics).mockReturnValue({ ...getHeapStatistics(), used_heap_size: mebibytes * MIB });
}

function processIs(mebibytes: number): void {
  vi.spyOn(process.memoryUsage, 'rss').mockReturnValue(mebibytes * MIB);
}

test('what the start took goes back once', () => {
  giving = givingMemoryBack();

  vi.advanceTimersByTime(MINUTE);
  expect(collect.mock.calls).toEqual([[{ type: 'major', execution: 'sync', flavor: 'last-resort' }]]);
  vi.advanceTimersByTime(600 * MINUTE);
  expect(collect).toHaveBeenCalledTimes(1);
});

test('what was taken later goes back when it is much, however often that happens', () => {
  running();

  processIs(135);
  vi.advanceTimersByTime(60 * MINUTE);
  expect(collect).not.toHaveBeenCalled();
  processIs(137);
  vi.advanceTimersByTime(5 * MINUTE);
  expect(collect).toHaveBeenCalledTimes(1);

  // Now that much is what it needs.
  vi.advanceTimersByTime(60 * MINUTE);
  expect(collect).toHaveBeenCalledTimes(1);
  processIs(160);
  vi.advanceTimersByTime(5 * MINUTE);
  expect(collect).toHaveBeenCalledTimes(2);
});

test('a large heap is left alone until it is small again: nobody may have to wait for its collection', () => {
  running();

  heapIs(200);
  processIs(300);
  vi.advanceTimersByTime(60 * MINUTE);
  expect(collect).not.toHaveBeenCalled();
  heapIs(50);
  processIs(320);
  vi.advanceTimersByTime(5 * MINUTE);
  expect(collect).toHaveBeenCalledTimes(1);
});

test('nothing happens any more once it is stopped, before the start is over or later', () => {
  givingMemoryBack().stop();
  vi.advanceTimersByTime(60 * MINUTE);
  expect(collect).not.toHaveBeenCalled();

  running();
  giving?.stop();
  processIs(300);
  vi.advanceTimersByTime(60 * MINUTE);
  expect(collect).not.toHaveBeenCalled();
});

test('without the flag that lets siteward ask for collections nothing is asked', () => {
  vi.stubGlobal('gc', undefined);
  giving = givingMemoryBack();
  vi.advanceTimersByTime(MINUTE);
  processIs(300);

  expect(() => vi.advanceTimersByTime(60 * MINUTE)).not.toThrow();
});
