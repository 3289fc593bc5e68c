import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock, Milliseconds, Monotonic, WallTime } from '#collectors/contract.ts';
import { decodeBuckets, decodeSamples, encodeBuckets, mergeBuckets, rollUp } from '#daemon/history/codec.ts';
import { History } from '#daemon/history/history.ts';
import { createLogger } from '#daemon/log.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import type { Store } from '#daemon/store/store.ts';
import { neverLate } from '../../support/never-late.ts';

const START = Date.UTC(2026, 2, 1) as WallTime;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('chunks', () => {
  test('roll-ups keep count, extremes and, to half a step, the mean', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: -1000, max: 1000 })), { minLength: 1 }),
        (steps) => {
          let at = 1_700_000_000;
          const samples = steps.map(([step, value]) => {
            at += step;
            return { at, value };
          });
          const buckets = rollUp(samples, 300);
          const decoded = decodeBuckets(buckets[0]?.at ?? 0, encodeBuckets(buckets, 300), 300);

          expect(decoded.map(({ at, count, min, max }) => ({ at, count, min, max }))).toEqual(
            buckets.map(({ at, count, min, max }) => ({ at, count, min, max })),
          );
          for (const [index, { mean }] of buckets.entries())
            expect(Math.abs(mean - (decoded[index]?.mean ?? 0))).toBeLessThanOrEqual(0.5);
        },
      ),
    );
  });

  test('parts of one bucket that were written apart come together by their counts', () => {
    const merged = mergeBuckets(
      [
        { at: 3600, count: 3, mean: 10, min: 5, max: 12 },
        { at: 3600, count: 1, mean: 50, min: 50, max: 50 },
      ],
      3600,
    );

    expect(merged).toEqual([{ at: 3600, count: 4, mean: 20, min: 5, max: 50 }]);
  });

  test('a chunk that was cut is an error, not a chart', () => {
    expect(() => decodeSamples(0, Uint8Array.of(0x80))).toThrow(RangeError);
  });
});

describe('history.db', () => {
  let folder: string;
  let store: Store;
  let now: WallTime;
  const log = createLogger('error');
  const clock: Clock = {
    wallNow: () => now,
    monotonicNow: () => now as number as Monotonic,
    sleep: async (_duration: Milliseconds, signal?: AbortSignal) =>
      await new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    timeout: () => new AbortController().signal,
    deadline: neverLate,
  };
  const open = async (maxBytes = 50_000_000) => await History.open({ store, clock, log, days: 400, maxBytes });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'siteward-history-'));
    store = await openStore({ directory: folder, log });
    now = START;
  });

  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const CPU = { metric: 'siteward_cpu_usage_ratio', labels: { cpu: '0' } } as const;

  test('a day comes back as it was, open chunk and all', async () => {
    const history = await open();
    for (let minute = 0; minute < 1440; minute += 1)
      history.append('srv', CPU.metric, CPU.labels, (START + minute * MINUTE) as WallTime, minute / 1440);

    const line = await history.line('srv', CPU, START, (START + DAY) as WallTime, 1440);

    expect(line.at).toHaveLength(1440);
    expect(line.mean[720]).toBeCloseTo(0.5, 2);
    await history.close();
  });

  test('what was closed and what was open is there after a restart', async () => {
    const first = await open();
    for (let minute = 0; minute < 200; minute += 1)
      first.append('srv', CPU.metric, CPU.labels, (START + minute * MINUTE) as WallTime, 0.25);
    await first.close();

    const second = await open();
    const day = await second.line('srv', CPU, START, (START + DAY) as WallTime, 1440);
    const year = await second.line('srv', CPU, (START - 300 * DAY) as WallTime, (START + DAY) as WallTime, 10_000);

    expect(second.names('srv')).toEqual([CPU]);
    expect(day.at).toHaveLength(200);
    expect(year.at).toHaveLength(4);
    expect(year.mean[0]).toBeCloseTo(0.25);
    await second.close();
  });

  test('a counter is a rate, and neither a reset nor a long gap makes one up', async () => {
    const history = await open();
    const bytes = { metric: 'siteward_interface_receive_bytes_total', labels: { interface: 'lan' } } as const;
    const put = (minute: number, value: bigint) =>
      history.append('sw', bytes.metric, bytes.labels, (START + minute * MINUTE) as WallTime, value);

    put(0, 1000n);
    put(1, 7000n);
    put(2, 100n);
    put(3, 700n);
    put(60, 70_000n);

    const line = await history.line('sw', bytes, START, (START + DAY) as WallTime, 1440);
    expect(line.mean).toEqual([100, 10]);
    await history.close();
  });

  test('ten weeks of a minute a sample cost less than five bytes each, and a chart of a year has them', async () => {
    const history = await open();
    const series = Array.from({ length: 6 }, (_, index) => ({ metric: CPU.metric, labels: { cpu: String(index) } }));
    let samples = 0;
    for (let minute = 0; minute < 70 * 1440; minute += 1) {
      now = (START + minute * MINUTE) as WallTime;
      for (const [index, { metric, labels }] of series.entries())
        history.append(
          'srv',
          metric,
          labels,
          now,
          0.4 + 0.3 * Math.sin(minute / 200 + index) + ((minute * 7919) % 50) / 1000,
        );
      samples += series.length;
    }
    await history.flush();
    const { bytes } = await history.size();
    const line = await history.line('srv', series[0] ?? CPU, (now - 365 * DAY) as WallTime, now, 800);

    expect(bytes / samples).toBeLessThan(5);
    expect(line.at.length).toBeGreaterThan(150);
    await history.close();
  });

  test('a file that is full loses its oldest part and takes what is new', async () => {
    const history = await open(2_000_000);
    for (let minute = 0; minute < 12 * 1440; minute += 2) {
      now = (START + minute * MINUTE) as WallTime;
      for (let index = 0; index < 60; index += 1)
        history.append('srv', CPU.metric, CPUS[index] ?? {}, now, ((minute * 7919 + index * 31) % 1000) / 1000);
      if (minute % 720 === 0) await history.flush();
    }
    await history.flush();

    const newest = await history.line(
      'srv',
      { metric: CPU.metric, labels: { cpu: '0' } },
      (now - HOUR) as WallTime,
      now,
      60,
    );
    expect((await history.size()).bytes).toBeLessThan(7_000_000);
    expect(newest.at.length).toBeGreaterThan(20);
    await history.close();
  });
});

const CPUS = Array.from({ length: 60 }, (_, index) => ({ cpu: String(index) }));
