/** A reload may come while a round or a poll is under way: what these bring is of devices that left or changed. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Collector, Evidence } from '#collectors/contract.ts';
import { configOf } from '#config/load.ts';
import { AvailabilityTracker } from '#daemon/availability/tracker.ts';
import { systemClock as clock } from '#daemon/clock.ts';
import { watchedDevices } from '#daemon/inventory/watched.ts';
import { PrometheusSink } from '#daemon/sinks/prometheus.ts';
import { Watch } from '#daemon/watch.ts';
import { parseExposition } from '../support/exposition.ts';
import { observation, reading } from '../support/observations.ts';
import { recordingLogger } from '../support/recording-logger.ts';

/** A collector whose answers wait until the test gives them, or until it is broken off; it remembers who answered. */
class HeldCollector implements Collector {
  readonly name: string;
  readonly questions = ['alive', 'metrics', 'inventory'] as const;
  readonly remembered = new Set<string>();
  /** Questions that wait. */
  asked: { readonly devices: readonly string[]; answer(evidence: Evidence['kind']): void }[] = [];

  constructor(name: string) {
    this.name = name;
  }

  collect: Collector['collect'] = (question, targets, { signal }) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve([]), { once: true });
      const devices = targets.map(({ name }) => name);
      const answer = (kind: Evidence['kind']) => {
        for (const device of devices) this.remembered.add(device);
        const evidence: Evidence = kind === 'could-not-tell' ? { kind, reason: 'so the test' } : { kind };
        const readings = [reading('siteward_icmp_packets_sent_total', 3n)];
        const about = { collector: this.name, question, evidence };
        resolve(devices.map((device) => observation(device, clock.wallNow(), readings, about)));
      };
      this.asked.push({ devices, answer });
    });

  forget(device: string): void {
    this.remembered.delete(device);
  }

  async close(): Promise<void> {}
}

let icmp: HeldCollector;
let snmp: HeldCollector;
let sink: PrometheusSink;
let tracker: AvailabilityTracker;
let watch: Watch;

const devices = (...settings: { name: string; address: string; credentials?: string[] }[]) =>
  watchedDevices(
    configOf(
      {
        site: { id: 'hq', client: 'acme' },
        credentials: { public: { version: '2c', community: 'public' } },
        polling: { availability: '1h', metrics: '1h' },
        devices: settings.map((device) => ({ checks: ['icmp'], ...device })),
      },
      '/',
    ).config,
  );
const STAYS = { name: 'stays', address: '192.0.2.1' };
const GOES = { name: 'goes', address: '192.0.2.2' };

const shown = (device: string) =>
  parseExposition(Buffer.concat([...sink.render('text')].map((part) => Buffer.from(part))).toString())
    .filter(({ labels }) => labels.device === device)
    .map(({ name }) => name);

beforeEach(() => {
  icmp = new HeldCollector('icmp');
  snmp = new HeldCollector('snmp');
  sink = new PrometheusSink();
  tracker = new AvailabilityTracker({ clock, publish: (seen) => sink.accept(seen), onTransition: () => undefined });
  watch = new Watch({
    clock,
    log: recordingLogger(),
    collectors: { icmp, snmp, tcp: new HeldCollector('tcp') },
    tracker,
    publish: (seen) => sink.accept(seen),
    forget: (device) => sink.forget(device),
    meter: { started: () => undefined, polled: () => undefined, missed: () => undefined },
    maxInFlight: 10,
  });
});

afterEach(() => watch.stop(AbortSignal.abort(new Error('the test has ended'))));

test('what a round hears of a device that has left is told to nobody', async () => {
  watch.apply(devices(STAYS, GOES));
  await expect.poll(() => icmp.asked.length).toBe(1);

  watch.apply(devices(STAYS));
  icmp.asked[0]?.answer('answered');

  await expect.poll(() => shown('stays')).toContain('siteward_icmp_packets_sent_total');
  expect(icmp.asked[0]?.devices).toEqual(['stays', 'goes']);
  expect(shown('goes')).toEqual([]);
  expect([...icmp.remembered]).toEqual(['stays']);
});

test('the silence of an address that a device had before is not held against it', async () => {
  watch.apply(devices(STAYS, GOES));
  await expect.poll(() => icmp.asked.length).toBe(1);

  watch.apply(devices(STAYS, { ...GOES, address: '192.0.2.3' }));
  icmp.asked[0]?.answer('silent');

  await expect.poll(() => tracker.standing('stays')?.silentRounds).toBe(1);
  expect(tracker.standing('goes')).toMatchObject({ state: 'unknown', rule: 'no evidence yet', silentRounds: 0 });
  expect(shown('goes')).not.toContain('siteward_icmp_packets_sent_total');
});

test('what a poll reads from a device that has left is told to nobody', async () => {
  watch.apply(devices({ ...GOES, credentials: ['public'] }));
  await expect.poll(() => snmp.asked.length).toBe(1);

  watch.apply(devices());
  snmp.asked[0]?.answer('answered');

  await expect.poll(() => snmp.remembered.size).toBe(0);
  expect(shown('goes')).toEqual([]);
});
