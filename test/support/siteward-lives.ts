/** Lives of a siteward, as random sequences of what may happen to it and to its clocks. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Evidence, WallTime } from '#collectors/contract.ts';
import { configOf } from '#config/load.ts';
import { Availability } from '#daemon/availability/availability.ts';
import { type Piece, readExtract } from '#daemon/availability/timeline.ts';
import { watchedDevices } from '#daemon/inventory/watched.ts';
import { openLedger, verifyDatabase } from '#daemon/store/ledger.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { VERIFIERS } from '#daemon/verifiers.ts';
import { type SetClock, setClock } from './availability.ts';
import { temporaryFolder } from './folder.ts';
import { recordingLogger } from './recording-logger.ts';

export const START = Date.parse('2026-10-20T12:00:00Z');
export const DEVICES = ['fw-1', 'sw-1', 'srv-1', 'srv-2', 'prn-1', 'prn-2'];
export const SITE = configOf(
  {
    site: { id: 'hq', client: 'ACME', timezone: 'Europe/Berlin' },
    devices: DEVICES.map((name, index) => ({
      name,
      address: `192.0.2.${index + 1}`,
      sla: 'gold',
      ...(index === 0 ? {} : { parent: index < 3 ? 'fw-1' : 'sw-1' }),
    })),
    slas: {
      gold: { target: '99.9%', service_hours: 'Mon-Fri 06:00-20:00', minimum_outage: '1m', maintenance_notice: '1h' },
    },
    maintenance: [
      { name: 'nightly', devices: ['srv-*'], starts: '2026-10-20T15:00', duration: '2h', repeats: 'daily' },
    ],
  },
  '/tmp',
);

/** What may happen to siteward. */
export type Action =
  | {
      readonly kind: 'round';
      readonly after: number;
      readonly heard: readonly ('answered' | 'silent' | 'could-not-tell')[];
    }
  | { readonly kind: 'step'; readonly by: number }
  | { readonly kind: 'stall'; readonly for: number }
  | { readonly kind: 'crash'; readonly for: number }
  | { readonly kind: 'stop'; readonly for: number }
  | { readonly kind: 'leave'; readonly devices: number };

const round = fc.record({
  kind: fc.constant('round' as const),
  after: fc.integer({ min: 500, max: 4_900 }),
  heard: fc.array(fc.constantFrom('answered', 'answered', 'silent', 'silent', 'could-not-tell'), {
    minLength: DEVICES.length,
    maxLength: DEVICES.length,
  }),
});
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 20, arbitrary: round as fc.Arbitrary<Action> },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('step' as const),
      by: fc.oneof(fc.integer({ min: -5_000, max: 5_000 }), fc.constantFrom(-3_600_000, 3_600_000, 86_400_000, -1)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('stall' as const), for: fc.integer({ min: 1_000, max: 600_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('crash' as const, 'stop' as const),
      for: fc.integer({ min: 1, max: 600_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('leave' as const), devices: fc.integer({ min: 1, max: DEVICES.length }) }),
  },
);

export interface Running {
  readonly availability: Availability;
  readonly close: () => Promise<void>;
  readonly read: <T>(work: (database: Parameters<typeof readExtract>[0]) => Promise<T>) => Promise<T>;
}

async function start(directory: string, clock: SetClock): Promise<Running> {
  const log = recordingLogger();
  const store = await openStore({ directory, log });
  const { ledger, restoration } = await openLedger({ store, directory, clock, log, verifiers: VERIFIERS });
  const availability = await Availability.open({
    ledger,
    restoration,
    clock,
    log,
    version: 'test',
    publish: () => undefined,
  });
  apply(availability, DEVICES.length);
  return { availability, close: () => store.close(), read: (work) => work(ledger.database) };
}

function apply(availability: Availability, count: number): void {
  const devices = watchedDevices(SITE.config).slice(0, count);
  availability.apply(SITE.config, devices);
  availability.tracker.apply(devices);
}

export async function live(directory: string, actions: readonly Action[], clock: SetClock): Promise<Running> {
  let running = await start(directory, clock);
  for (const step of actions) {
    switch (step.kind) {
      case 'round': {
        const began = { at: running.availability.now(), mono: clock.monotonicNow() };
        clock.advance(step.after);
        const results = new Map(
          [...running.availability.tracker.names()].map((name, index) => {
            const kind = step.heard[index] ?? 'answered';
            const evidence: Evidence = kind === 'could-not-tell' ? { kind, reason: 'own link down' } : { kind };
            return [name, new Map([['icmp', evidence]])];
          }),
        );
        running.availability.tracker.round(began, results);
        break;
      }
      case 'step':
        clock.step(step.by);
        running.availability.now();
        break;
      case 'stall':
        clock.advance(step.for);
        running.availability.now();
        break;
      case 'crash':
      case 'stop':
        if (step.kind === 'stop') await running.availability.close(AbortSignal.timeout(20_000));
        else await running.availability.ledger.flush(AbortSignal.timeout(20_000));
        running.availability.abandon();
        await running.close();
        clock.advance(step.for);
        running = await start(directory, clock);
        break;
      case 'leave':
        apply(running.availability, step.devices);
        break;
      default:
        step satisfies never;
    }
  }
  running.availability.ledger.beat(running.availability.now(), clock.monotonicNow());
  await running.availability.ledger.flush(AbortSignal.timeout(20_000));
  running.availability.abandon();
  return running;
}

const ALL_ANSWER: Action = { kind: 'round', after: 500, heard: DEVICES.map(() => 'answered') };
const LEAVE: Action = { kind: 'leave', devices: 1 };
const RETURN: Action = { kind: 'leave', devices: DEVICES.length };
/** Devices that leave the config and come back: over a crash, while siteward runs, and with the clock put back between. */
const RETURNS: readonly Action[][] = [
  [ALL_ANSWER, LEAVE, { kind: 'crash', for: 1 }, ALL_ANSWER],
  [ALL_ANSWER, LEAVE, ALL_ANSWER, RETURN, ALL_ANSWER],
  [ALL_ANSWER, ALL_ANSWER, LEAVE, { kind: 'step', by: -800 }, RETURN, ALL_ANSWER, ALL_ANSWER],
];

/** Whatever happens, the ledger verifies, and every device's intervals touch and sum to the time that passed. */
export async function holdsThroughLives(numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 60 }), async (actions) => {
      const directory = await temporaryFolder();
      const clock = setClock(START);
      const running = await live(directory, actions, clock);

      const { faults } = await running.read((database) => verifyDatabase(database, VERIFIERS));
      const within = { from: 0 as WallTime, to: 8e15 as WallTime };
      const { timelines, until } = await running.read((database) => readExtract(database, within, clock.wallNow()));
      await running.close();

      expect(faults).toEqual([]);
      for (const pieces of timelines.values()) expectWhole(pieces);
      expect(until).toBeGreaterThanOrEqual(clock.wallNow());
    }),
    { numRuns, examples: RETURNS.map((actions) => [actions]) },
  );
}

function expectWhole(pieces: readonly Piece[]): void {
  let sum = 0;
  for (const [index, { from, to }] of pieces.entries()) {
    expect(to).toBeGreaterThan(from);
    const next = pieces[index + 1];
    if (next) expect(next.from).toBeGreaterThanOrEqual(to);
    sum += to - from;
  }
  const gaps = pieces.reduce((all, { to }, index) => all + Math.max(0, (pieces[index + 1]?.from ?? to) - to), 0);
  expect(sum + gaps).toBe((pieces.at(-1)?.to ?? 0) - (pieces[0]?.from ?? 0));
}
