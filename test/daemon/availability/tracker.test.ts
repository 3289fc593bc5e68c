import { expect, test } from 'vitest';
import type { Observation } from '#collectors/contract.ts';
import { configOf } from '#config/load.ts';
import { AvailabilityTracker } from '#daemon/availability/tracker.ts';
import { watchedDevices } from '#daemon/inventory/watched.ts';
import { setClock } from '../../support/availability.ts';

const { config } = configOf(
  { site: { id: 'yard', client: 'Yard' }, devices: [{ name: 'sw-1', address: '192.0.2.1' }] },
  '/tmp',
);

test('states that follow upon each other in one millisecond have times of their own, in their order', () => {
  const clock = setClock(Date.parse('2026-11-24T12:00:00Z'));
  const published: Observation[] = [];
  const tracker = new AvailabilityTracker({
    clock,
    publish: (observation) => void published.push(observation),
    onTransition: () => {},
  });

  tracker.apply(watchedDevices(config));
  tracker.round(
    { at: clock.wallNow(), mono: clock.monotonicNow() },
    new Map([['sw-1', new Map([['icmp', { kind: 'answered' }]])]]),
  );
  tracker.publishAll();
  clock.advance(1_000);
  tracker.publishAll();
  clock.step(-3_600_000);
  tracker.publishAll();

  const first = published[0]?.at ?? 0;
  expect(published.map(({ at }) => at - first)).toEqual([0, 1, 2, 1_000, 1_000 - 3_600_000]);
});
