import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Clock, Milliseconds, Monotonic, WallTime } from '#collectors/contract.ts';
import { History } from '#daemon/history/history.ts';
import { createLogger } from '#daemon/log.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import type { Store } from '#daemon/store/store.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { neverLate } from '../../support/never-late.ts';

const START = Date.UTC(2026, 2, 1) as WallTime;
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const METRIC = 'siteward_cpu_usage_ratio';
const COUNTER = 'siteward_interface_receive_bytes_total';
const CPU = { metric: METRIC, labels: { cpu: '0' } } as const;
const OTHER = { metric: METRIC, labels: { cpu: '1' } } as const;

/** A clock that stands still; half a minute of writing goes by whenever a test says so. */
class Turns implements Clock {
  now = START;
  #wake = () => {};
  #asleep = () => {};
  readonly deadline = neverLate;

  wallNow(): WallTime {
    return this.now;
  }

  monotonicNow(): Monotonic {
    return this.now as number as Monotonic;
  }

  timeout(): AbortSignal {
    return new AbortController().signal;
  }

  async sleep(_duration: Milliseconds, signal?: AbortSignal): Promise<void> {
    this.#asleep();
    await new Promise<void>((resolve, reject) => {
      this.#wake = resolve;
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }

  /** One turn, with all that it writes. */
  async pass(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#asleep = resolve;
      this.#wake();
    });
  }
}

let store: Store;
let clock: Turns;
const log = createLogger('error');
const open = async () => await History.open({ store, clock, log, days: 400, maxBytes: 50_000_000 });

beforeEach(async () => {
  store = await openStore({ directory: await temporaryFolder(), log });
  clock = new Turns();
});

afterEach(async () => {
  await store.close();
});

function put(history: History, { metric, labels }: typeof CPU | typeof OTHER, minutes: number, value: number): void {
  for (let minute = 0; minute < minutes; minute += 1)
    history.append('srv', metric, labels, (clock.now + minute * MINUTE) as WallTime, value);
}

async function drawn(history: History, name: typeof CPU | typeof OTHER): Promise<readonly number[]> {
  const { mean } = await history.line(
    'srv',
    name,
    (clock.now - DAY / 2) as WallTime,
    (clock.now + DAY / 2) as WallTime,
    1440,
  );
  return mean;
}

test('what twenty turns have saved is there after a crash', async () => {
  const crashed = await open();
  const names = Array.from({ length: 40 }, (_, index) => ({ metric: METRIC, labels: { cpu: String(index) } }) as const);
  for (const { metric, labels } of names)
    for (let minute = 0; minute < 10; minute += 1)
      crashed.append('srv', metric, labels, (START + minute * MINUTE) as WallTime, 0.25);
  for (let turn = 0; turn < 20; turn += 1) await clock.pass();

  const history = await open();

  expect(history.names('srv')).toEqual(names);
  for (const { metric, labels } of names) {
    const { mean } = await history.line('srv', { metric, labels }, START, (START + DAY) as WallTime, 1440);
    expect(mean).toEqual(Array(10).fill(0.25));
  }
  await history.close();
});

test('a series of which nothing is left goes, and one that takes its place has nothing of it', async () => {
  const before = await open();
  put(before, CPU, 200, 0.25);
  await before.close();
  clock.now = (START + 500 * DAY) as WallTime;
  const history = await open();

  await clock.pass();
  const left = history.names('srv');
  put(history, OTHER, 3, 0.5);

  expect(left).toEqual([]);
  expect(history.names('srv')).toEqual([OTHER]);
  expect(await drawn(history, OTHER)).toEqual([0.5, 0.5, 0.5]);
  expect(await drawn(history, CPU)).toEqual([]);
  await history.close();
});

test('a series that is heard while its name is deleted keeps it', async () => {
  const before = await open();
  put(before, CPU, 200, 0.25);
  await before.close();
  clock.now = (START + 500 * DAY) as WallTime;
  const real = store.open.bind(store);
  vi.spyOn(store, 'open').mockImplementationOnce(async (name, options) => {
    const opened = await real(name, options);
    const write = opened.database.write.bind(opened.database);
    vi.spyOn(opened.database, 'write').mockImplementation(async (statements) => {
      if (statements.some(({ sql }) => sql.startsWith('DELETE FROM series'))) put(history, CPU, 3, 0.5);
      return await write(statements);
    });
    return opened;
  });
  const history = await open();

  await clock.pass();
  await history.close();
  const after = await open();

  expect(after.names('srv')).toEqual([CPU]);
  expect(await drawn(after, CPU)).toEqual([0.5, 0.5, 0.5]);
  await after.close();
});

test('what comes after the clock was set back is another stretch of the same line', async () => {
  const before = await open();
  put(before, CPU, 10, 0.25);
  clock.now = (START - 5 * MINUTE) as WallTime;
  put(before, CPU, 10, 0.75);
  await before.close();

  const history = await open();

  expect(await drawn(history, CPU)).toEqual([...Array(5).fill(0.75), ...Array(5).fill(0.5), ...Array(5).fill(0.25)]);
  await history.close();
});

test('no rate reaches over the time in which a device was forgotten', async () => {
  const history = await open();
  const count = (minute: number, value: bigint) =>
    history.append('srv', COUNTER, { interface: 'lan' }, (START + minute * MINUTE) as WallTime, value);
  count(0, 0n);
  count(1, 600n);
  history.forget('srv');
  count(2, 60_000n);
  count(3, 61_200n);

  const { at, mean } = await history.line(
    'srv',
    { metric: COUNTER, labels: { interface: 'lan' } },
    START,
    (START + DAY) as WallTime,
    1440,
  );

  expect(at.map((second) => (second * 1000 - START) / MINUTE)).toEqual([1, 3]);
  expect(mean).toEqual([10, 20]);
  await history.close();
});

test('series over the most that are kept are left out, and those before go on', async () => {
  const history = await open();
  const labels = Array.from({ length: 50_010 }, (_, index) => ({ cpu: String(index) }));

  for (const each of labels) history.append('srv', METRIC, each, START, 0.25);
  for (const each of labels) history.append('srv', METRIC, each, (START + MINUTE) as WallTime, 0.5);

  expect((await history.size()).series).toBe(50_000);
  expect(await drawn(history, CPU)).toEqual([0.25, 0.5]);
  await history.close();
});
