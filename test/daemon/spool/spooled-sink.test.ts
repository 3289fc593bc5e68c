import { describe, expect, onTestFinished, test } from 'vitest';
import type { Clock, Milliseconds, Monotonic } from '#collectors/contract.ts';
import { systemClock } from '#daemon/clock.ts';
import { openInfluxSink } from '#daemon/sinks/influx.ts';
import { RateLimit } from '#daemon/spool/rate-limit.ts';
import { SizeLimit, waitAfter } from '#daemon/spool/sending.ts';
import type { SpooledOutput } from '#daemon/spool/spooled-sink.ts';
import { observation, reading } from '../../support/observations.ts';
import { influxSettings } from '../../support/output-settings.ts';
import { type Reply, startReceiver } from '../../support/receiver.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { scaledClock } from '../../support/scaled-clock.ts';
import { missing, startSpool } from '../../support/spool.ts';

const SOON = { timeout: 20_000, interval: 10 };

async function openSink(url: string, clock: Clock = systemClock, settings: Record<string, unknown> = {}) {
  const opened = await startSpool({ clock });
  const sink = await openInfluxSink({
    settings: influxSettings({ create_database: false, ...settings, url }),
    site: { id: 'acme-hq', client: 'ACME Ltd' },
    spool: opened.spool,
    log: recordingLogger(),
    clock,
  });
  onTestFinished(() => sink.close());
  return { ...opened, sink };
}

function produce(sink: SpooledOutput, device: string, points: number, at = Date.now()): void {
  const readings = Array.from({ length: points }, (_, index) =>
    reading('siteward_interface_up', 1, { interface: `${index}` }),
  );
  sink.accept(observation(device, at, readings));
}

const stored = (lines: readonly string[], device: string): number =>
  lines.filter((line) => line.includes(`device=${device},`)).length;

describe('after an outage', () => {
  test('the newest points overtake the backlog', async () => {
    let answer: Reply = { status: 503 };
    const receiver = await startReceiver(() => answer);
    const clock = scaledClock(50);
    const { sink } = await openSink(receiver.url, clock);
    for (let hour = 0; hour < 30; hour++) {
      produce(sink, `old-${hour}`, 5000, Date.now() - 3_600_000 * (30 - hour));
      await sink.flush(AbortSignal.timeout(10_000));
    }
    await expect.poll(() => sink.status().delivery.kind, SOON).toBe('unavailable');
    answer = { status: 204 };
    await expect.poll(() => receiver.stored.length, SOON).toBeGreaterThan(0);

    produce(sink, 'new', 10);
    await expect.poll(() => stored(receiver.stored, 'new'), SOON).toBe(10);
    const behind = sink.status().pending;
    await expect.poll(() => sink.status().pending, SOON).toBe(0);

    expect(behind).toBeGreaterThan(0);
    expect(new Set(receiver.stored).size).toBe(150_010);
    expect(receiver.stored.length).toBe(150_010);
    expect(missing(sink)).toBe(0);
  });
});

describe('flush and close', () => {
  test('what flush has acknowledged is on disk, whatever the receiver does, and waits for the next start', async () => {
    const receiver = await startReceiver(() => ({ hang: 'silent' }));
    const { sink, spool } = await openSink(receiver.url);
    produce(sink, 'sw-1', 700);

    await sink.flush(AbortSignal.timeout(10_000));

    expect(sink.status()).toMatchObject({ pending: 700, queued: 0 });
    const rows = await spool.read('SELECT sum(points) AS points FROM batch', []);
    expect(rows).toEqual([{ points: 700 }]);
  });

  test('close ends within three seconds with a receiver that never answers, and puts the rest on disk', async () => {
    const receiver = await startReceiver(() => ({ hang: 'silent' }));
    const { sink, spool } = await openSink(receiver.url);
    produce(sink, 'sw-1', 10);
    await expect.poll(() => receiver.requests.length, SOON).toBe(1);
    produce(sink, 'sw-2', 10);
    const began = performance.now();

    await sink.close();
    sink.accept(observation('late', Date.now(), [reading('siteward_interface_up', 1, { interface: '1' })]));

    expect(performance.now() - began).toBeLessThan(3_000);
    expect(await spool.read('SELECT sum(points) AS points FROM batch', [])).toEqual([{ points: 20 }]);
    expect(sink.status()).toMatchObject({ produced: 20, pending: 20 });
  });

  test('flush gives up when its caller does', async () => {
    const receiver = await startReceiver(() => ({ status: 204 }));
    const { sink, store } = await openSink(receiver.url);
    await store.close();
    produce(sink, 'sw-1', 10);

    await expect(sink.flush(AbortSignal.timeout(100))).rejects.toThrow('timeout');
  });
});

test('while the disk takes nothing memory holds what it may, and what it may not is counted', async () => {
  const receiver = await startReceiver(() => ({ status: 204 }));
  const { sink, store } = await openSink(receiver.url);
  await store.close();

  for (let index = 0; index < 30; index++) produce(sink, `sw-${index}`, 1000);

  const status = sink.status();
  expect(status).toMatchObject({ produced: 30_000, written: 0 });
  expect(status.queued).toBeLessThanOrEqual(20_000);
  expect(status.dropped.queue_full).toBe(30_000 - status.pending);
  expect(missing(sink)).toBe(0);
});

test('the class of a device is remembered from who it said it is, until it is forgotten', async () => {
  const receiver = await startReceiver(() => ({ status: 204 }));
  const { sink } = await openSink(receiver.url);
  const up = [reading('siteward_interface_up', 1, { interface: '1' })];

  sink.accept(observation('a', Date.now() - 5, up, { identity: { class: 'nas', profile: 'x' } }));
  sink.accept(observation('a', Date.now(), up));
  sink.forget('a');
  sink.accept(observation('a', Date.now() + 1, up));
  await expect.poll(() => sink.status().pending, SOON).toBe(0);

  expect(receiver.stored.map((line) => /class=(\w+)/.exec(line)?.[1])).toEqual(['nas', 'nas', undefined]);
});

describe('limits', () => {
  test('bytes are spread over time', async () => {
    const waits: number[] = [];
    let now = 0;
    const clock: Clock = {
      ...systemClock,
      monotonicNow: () => now as Monotonic,
      sleep: async (duration) => {
        waits.push(duration);
        now += duration;
      },
    };
    const limit = new RateLimit(1_000, clock);
    const signal = new AbortController().signal;

    for (const bytes of [500, 2_000, 100]) await limit.take(bytes, signal);

    expect(waits).toEqual([500, 2_000]);
  });

  test('requests shrink where the line or the receiver does not stand them, and grow again only for the line', () => {
    const limit = new SizeLimit(5_000);
    limit.timedOut();
    const afterTimeout = limit.records;
    limit.succeeded();
    const afterSuccess = limit.records;
    limit.refusedAt(4_000);
    limit.succeeded();

    expect([afterTimeout, afterSuccess, limit.records]).toEqual([2_500, 5_000, 2_000]);
  });

  test('waits double up to half a minute, are spread, and obey the receiver', () => {
    const unavailable = { kind: 'unavailable', message: '' } as const;
    const waits = [1, 2, 3, 6, 50].map((attempt) => waitAfter(unavailable, attempt, 1));

    expect(waits).toEqual([1_000, 2_000, 4_000, 30_000, 30_000]);
    expect(waitAfter(unavailable, 1, 0)).toBe(500);
    expect(waitAfter({ ...unavailable, retryAfter: 45_000 as Milliseconds }, 1, 1)).toBe(45_000);
    expect(waitAfter({ kind: 'held', message: '', hint: '' }, 1, 1)).toBe(60_000);
  });
});
