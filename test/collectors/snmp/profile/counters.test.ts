import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Monotonic } from '#collectors/contract.ts';
import { type Clocks, courseOf } from '#collectors/snmp/profile/continuity.ts';
import { CarriedCounters, noCounters, retainCounters } from '#collectors/snmp/profile/counters.ts';

const OCTETS = '1.3.6.1.2.1.2.2.1.10';
/** Number of the labels of the port. */
const PORT = 3;
const OTHER = 5;
const TURN = 2 ** 32;
const SPEED = 12_500_000; // bytes per second of 100 Mbit/s
const DAY = 86_400;

/** A device with one counter of 64 bits that is seen through 32, and what a sink sees of it. */
class Watched {
  readonly memory = noCounters();
  #clocks: Clocks | undefined;
  #seconds = 0;
  #upTime: number;
  #truth: number;
  readonly #hasEngine: boolean;

  constructor(upTime: number, truth: number, hasEngine = false) {
    this.#upTime = upTime;
    this.#truth = truth;
    this.#hasEngine = hasEngine;
  }

  get truth(): number {
    return this.#truth;
  }

  pass(seconds: number, octets: number): void {
    this.#seconds += seconds;
    this.#upTime += seconds;
    this.#truth += octets;
  }

  restart(): void {
    this.#upTime = 0;
    this.#truth = 0;
  }

  poll(speed: number | undefined = SPEED): number {
    const clocks: Clocks = {
      at: (this.#seconds * 1000) as Monotonic,
      upTime: Math.round(this.#upTime * 100) % TURN,
      hostUpTime: undefined,
      engineTime: this.#hasEngine ? Math.floor(this.#upTime) : undefined,
    };
    const counters = new CarriedCounters(this.memory, courseOf(this.#clocks, clocks));
    this.#clocks = clocks;
    counters.turnTo(PORT, () => speed);
    return counters.counter(OCTETS, this.#truth % TURN);
  }
}

describe('a counter of 32 bits', () => {
  test.each([
    ['to 0', TURN - 1, 1],
    ['to where it stood', 700_000_000, TURN - 1],
    ['over the edge by one', TURN - 2, 3],
  ])('goes on where it turns %s', (_, start, octets) => {
    const device = new Watched(1_000_000, start);
    expect(device.poll()).toBe(start);

    device.pass(400, octets);

    expect(device.poll()).toBe(start + octets);
  });

  test('starts anew with its device, and is not taken to have turned', () => {
    const device = new Watched(10_000, TURN - 1_000);
    device.poll();
    device.restart();
    device.pass(30, 5_000);

    expect(device.poll()).toBe(5_000);
  });

  test('that turned and whose device then starts anew begins at 0 again', () => {
    const device = new Watched(1_000_000, TURN - 10);
    device.poll();
    device.pass(60, 1_000);
    expect(device.poll()).toBe(TURN + 990);
    device.restart();
    device.pass(20, 7_000);

    expect(device.poll()).toBe(7_000);
  });

  test('that falls further than its line can carry is given as it stands', () => {
    const device = new Watched(1_000_000, 3_000_000_000);
    device.poll();
    device.pass(60, TURN - 2_000_000_000);

    expect(device.poll()).toBe(1_000_000_000);
  });

  test('of a line whose speed nobody knows is given as it stands', () => {
    const device = new Watched(1_000_000, TURN - 10);
    device.poll(undefined);
    device.pass(60, 1_000);

    const counters = device.memory.totals;
    expect(device.poll(0)).toBe(990);
    expect(counters.get(OCTETS)?.[0]).toBe(990);
  });

  test('goes on while the uptime of its device turns at 497 days', () => {
    const device = new Watched(TURN / 100 - 30, TURN - 10);
    device.poll();
    device.pass(60, 1_000);

    expect(device.poll()).toBe(TURN + 990);
  });

  test('that was away for a read and came back lower is not taken to have turned', () => {
    const device = new Watched(1_000_000, TURN - 10);
    device.poll();
    new CarriedCounters(device.memory, courseOf(undefined, courselessClocks));
    device.pass(60, 1_000);

    expect(device.poll()).toBe(990);
  });

  test('that was away for a read is not taken to have turned by its second mention either', () => {
    const memory = noCounters();
    const speed = () => SPEED;
    const packets = '1.3.6.1.2.1.2.2.1.11';
    const at = (seconds: number): Clocks => ({
      ...courselessClocks,
      upTime: seconds * 100,
      at: (seconds * 1000) as Monotonic,
    });
    const first = new CarriedCounters(memory, courseOf(undefined, at(1_000)));
    for (const oid of [OCTETS, packets]) {
      first.turnTo(PORT, speed);
      first.counter(oid, TURN - 10);
    }
    new CarriedCounters(memory, courseOf(at(1_000), at(1_060)));

    const third = new CarriedCounters(memory, courseOf(at(1_060), at(1_120)));
    third.turnTo(PORT, speed);
    expect(third.counter(OCTETS, 990)).toBe(990);
    third.turnTo(OTHER, speed);
    third.turnTo(PORT, speed);
    expect(third.counter(packets, 990)).toBe(990);
  });

  test('keeps what it was carried by when other series are forgotten', () => {
    const device = new Watched(1_000_000, TURN - 10);
    device.poll();
    device.pass(60, 1_000);
    device.poll();
    const other = new CarriedCounters(device.memory, courseOf(undefined, courselessClocks));
    other.turnTo(OTHER, () => SPEED);
    other.counter(OCTETS, 5);

    retainCounters(device.memory, [1, PORT]);

    expect(device.memory.rows).toEqual([-1, 0]);
    expect(device.memory.totals.get(OCTETS)).toEqual([TURN + 990]);
  });
});

const courselessClocks: Clocks = { at: undefined, upTime: undefined, hostUpTime: undefined, engineTime: undefined };

describe('random walks', () => {
  // A restart at the very moment of the turn can be told from it by the engine's clock only.
  const start = fc.record({
    clock: fc.oneof(
      fc.record({ upTime: fc.integer({ min: 300, max: 40_000_000 }), hasEngine: fc.boolean() }),
      fc.record({ upTime: fc.integer({ min: 42_949_000, max: 42_949_672 }), hasEngine: fc.constant(true) }),
    ),
    truth: fc.oneof(fc.integer({ min: 0, max: TURN * 3 }), fc.integer({ min: TURN - 100_000, max: TURN })),
  });
  const load = fc.oneof(fc.constant(0), fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true }));
  const step = (longest: number) =>
    fc.record({
      event: fc.oneof(
        { weight: 8, arbitrary: fc.constant('poll' as const) },
        { weight: 2, arbitrary: fc.constant('lost' as const) },
        { weight: 1, arbitrary: fc.constant('restart' as const) },
      ),
      seconds: fc.integer({ min: 15, max: longest }),
      load,
    });

  test('while a line cannot carry two turns between polls, the carried counter is the true one or starts anew with it', () => {
    // 340 s at full speed are less than a turn; a poll that is lost is part of the way to the next.
    const steps = fc.array(step(80), { minLength: 20, maxLength: 300 });
    fc.assert(
      fc.property(start, steps, ({ clock: { upTime, hasEngine }, truth }, walk) => {
        const device = new Watched(upTime, truth, hasEngine);
        let ahead = device.poll() - device.truth;
        let lost = 0;
        for (const { event, seconds, load } of walk) {
          if (event === 'restart') {
            device.restart();
            ahead = 0;
          }
          device.pass(seconds, Math.floor(seconds * SPEED * load));
          lost += 1;
          if (event === 'lost' && lost < 4) continue;
          lost = 0;
          const carried = device.poll();
          expect(carried - device.truth).toBe(ahead);
        }
      }),
    );
  });

  test('however long polls are lost, no step is larger than the line can carry', () => {
    const steps = fc.array(step(5 * DAY), { minLength: 20, maxLength: 200 });
    fc.assert(
      fc.property(start, steps, ({ clock: { upTime, hasEngine }, truth }, walk) => {
        const device = new Watched(upTime, truth, hasEngine);
        let before = device.poll();
        let passed = 0;
        for (const { event, seconds, load } of walk) {
          if (event === 'restart') device.restart();
          device.pass(seconds, Math.floor(seconds * SPEED * load));
          passed += seconds;
          if (event === 'lost') continue;
          const carried = device.poll();
          // A sink takes a fall for a restart at 0.
          const increase = carried >= before ? carried - before : carried;
          expect(increase).toBeLessThanOrEqual(passed * SPEED * 1.1);
          expect(Number.isSafeInteger(carried)).toBe(true);
          before = carried;
          passed = 0;
        }
      }),
    );
  });
});
