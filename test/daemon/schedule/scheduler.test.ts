import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Clock, Milliseconds } from '#collectors/contract.ts';
import { systemClock } from '#daemon/clock.ts';
import { type Lane, type RunResult, Scheduler } from '#daemon/schedule/scheduler.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** As the system's clock, on the timers that a test moves. */
const clock: Clock = {
  ...systemClock,
  sleep: (duration, signal) =>
    new Promise((resolve, reject) => {
      setTimeout(resolve, duration);
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    }),
};

function scheduler(options: Partial<ConstructorParameters<typeof Scheduler>[0]> = {}): Scheduler {
  return new Scheduler({ clock, maxInFlight: 10, random: () => 0, ...options });
}

function lane(key: string, run: Lane['run'], interval = 10_000): Lane {
  return { key, interval: interval as Milliseconds, run };
}

async function stopped(subject: Scheduler): Promise<void> {
  await subject.stop(AbortSignal.abort(new Error('test ended')));
}

test('a lane runs at its interval and never overlaps itself', async () => {
  let running = 0;
  let most = 0;
  const starts: number[] = [];
  const subject = scheduler();
  subject.add([
    lane('slow', async (signal) => {
      starts.push(Date.now());
      running += 1;
      most = Math.max(most, running);
      await clock.sleep(7_000 as Milliseconds, signal);
      running -= 1;
      return 'answered';
    }),
  ]);

  await vi.advanceTimersByTimeAsync(35_000);
  await stopped(subject);

  expect(most).toBe(1);
  expect(starts.map((time) => time - (starts[0] ?? 0))).toEqual([0, 10_000, 20_000, 30_000]);
});

test('a cycle is cut off before the next one is due', async () => {
  const cut: number[] = [];
  const start = Date.now();
  const subject = scheduler();
  subject.add([
    lane('hangs', async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      cut.push(Date.now() - start);
      return 'silent';
    }),
  ]);

  await vi.advanceTimersByTimeAsync(9_999);
  await stopped(subject);

  expect(cut).toEqual([8_000]);
});

test('a silent lane backs off and comes back to its interval with the first answer', async () => {
  const results: RunResult[] = ['silent', 'silent', 'silent', 'answered', 'answered'];
  const starts: number[] = [];
  const begin = Date.now();
  const subject = scheduler();
  subject.add([
    lane('dead', async () => {
      starts.push((Date.now() - begin) / 1000);
      return results[starts.length - 1] ?? 'answered';
    }),
  ]);

  await vi.advanceTimersByTimeAsync(95_000);
  await stopped(subject);

  expect(starts.slice(0, 5)).toEqual([0, 10, 30, 70, 80]);
});

test('a lane that is hurried runs at once, also after many failures', async () => {
  let runs = 0;
  const subject = scheduler();
  subject.add([
    lane(
      'dead',
      async () => {
        runs += 1;
        return 'silent';
      },
      60_000,
    ),
  ]);
  await vi.advanceTimersByTimeAsync(400_000);
  const before = runs;

  subject.hurry('dead');
  await vi.advanceTimersByTimeAsync(1);
  await stopped(subject);

  expect(runs).toBe(before + 1);
});

test('lanes over the limit wait, and how late they start is told', async () => {
  const late: number[] = [];
  const subject = scheduler({ maxInFlight: 1, onStart: (_key, by) => void late.push(by) });
  const work = async (signal: AbortSignal): Promise<RunResult> => {
    await clock.sleep(1_000 as Milliseconds, signal);
    return 'answered';
  };
  subject.add([lane('a', work), lane('b', work)]);

  await vi.advanceTimersByTimeAsync(3_000);
  await stopped(subject);

  expect(late).toEqual([0, 1_000]);
});

test('a lane that stays through a reload keeps its place in the schedule', async () => {
  const starts: string[] = [];
  const begin = Date.now();
  const run = (key: string) => async (): Promise<RunResult> => {
    starts.push(`${key}@${(Date.now() - begin) / 1000}`);
    return 'answered';
  };
  const subject = scheduler();
  subject.add([lane('a', run('a')), lane('b', run('b'))]);
  await vi.advanceTimersByTimeAsync(5_000);

  subject.remove('b');
  subject.add([lane('a', run('a'))]);
  await vi.advanceTimersByTimeAsync(10_000);
  await stopped(subject);

  expect(starts).toEqual(['a@0', 'b@0', 'a@10']);
});

test('a lane that throws is reported and runs again', async () => {
  const errors: unknown[] = [];
  let runs = 0;
  const subject = scheduler({ onError: (_key, error) => void errors.push(error) });
  subject.add([
    lane('broken', async () => {
      runs += 1;
      throw new Error('bug');
    }),
  ]);

  await vi.advanceTimersByTimeAsync(10_001);
  await stopped(subject);

  expect(runs).toBe(2);
  expect(errors).toHaveLength(2);
});

test('stopping waits for what runs, and its signal hastens it', async () => {
  let ended = false;
  const subject = scheduler();
  subject.add([
    lane('long', async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      ended = true;
      return 'neither';
    }),
  ]);
  await vi.advanceTimersByTimeAsync(1);

  await stopped(subject);

  expect(ended).toBe(true);
});

test('what stopping breaks off is no fault, has not missed its deadline, and can add no lane any more', async () => {
  const reasons: unknown[] = [];
  const errors: unknown[] = [];
  const started: string[] = [];
  const subject = scheduler({ onError: (_lane, error) => errors.push(error) });
  subject.add([
    lane('poll', async (signal) => {
      started.push('poll');
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      subject.add([lane('learnt late', async () => 'answered', 1_000)]);
      reasons.push(signal.reason);
      throw signal.reason;
    }),
  ]);
  await vi.advanceTimersByTimeAsync(1);

  await subject.stop(AbortSignal.abort(new DOMException('grace is over', 'TimeoutError')));
  await vi.advanceTimersByTimeAsync(5_000);

  expect(started).toEqual(['poll']);
  expect(reasons).toEqual([expect.objectContaining({ name: 'Error' })]);
  expect(errors).toEqual([]);
  expect(subject.keys()).toEqual([]);
});

test('a fleet starts together and is spread over the whole interval from the second cycle on', async () => {
  const [interval, count, parts] = [60_000, 200, 10];
  // A fixed sequence that covers 0 to 1 evenly, so that the test says the same each time.
  let drawn = 0;
  const starts: number[][] = Array.from({ length: count }, () => []);
  const subject = scheduler({
    maxInFlight: count,
    random: () => {
      drawn += 1;
      return (drawn * 0.618_033_988_75) % 1;
    },
  });
  const begin = Date.now();
  subject.add(
    starts.map((times, index) =>
      lane(
        `lane-${index}`,
        async () => {
          times.push(Date.now() - begin);
          return 'answered';
        },
        interval,
      ),
    ),
  );

  await vi.advanceTimersByTimeAsync(4 * interval);
  await stopped(subject);

  expect(Math.max(...starts.map(([first = Number.NaN]) => first))).toBeLessThan(3_000);
  const share = Array.from({ length: parts }, () => 0);
  for (const times of starts) {
    const [second = Number.NaN, third = Number.NaN] = times.slice(1);
    expect(third - second).toBe(interval);
    const part = Math.floor(((second % interval) / interval) * parts);
    share[part] = (share[part] ?? 0) + 1;
  }
  expect(Math.max(...share)).toBeLessThanOrEqual((2 * count) / parts);
});

test('lanes that were all hurried at once are spread again', async () => {
  let seed = 0;
  const random = () => {
    seed += 1;
    return (seed * 0.618) % 1;
  };
  const starts = new Map<string, number>();
  const subject = scheduler({ random, maxInFlight: 100 });
  const keys = Array.from({ length: 40 }, (_, number) => `device-${number}`);
  subject.add(
    keys.map((key) =>
      lane(key, async () => {
        starts.set(key, Date.now());
        return 'answered';
      }),
    ),
  );
  await vi.advanceTimersByTimeAsync(25_000);

  for (const key of keys) subject.hurry(key);
  await vi.advanceTimersByTimeAsync(0);
  expect(new Set(starts.values()).size).toBe(1);
  await vi.advanceTimersByTimeAsync(10_000);
  await stopped(subject);

  expect(new Set(starts.values()).size).toBeGreaterThan(8);
});
