import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Observation, Target } from '#collectors/contract.ts';
import { createIcmpCollector } from '#collectors/icmp/collector.ts';
import { systemClock } from '#daemon/clock.ts';
import { temporaryFolder } from '../../support/folder.ts';
import {
  ALIVE_IPV6,
  aliveAddress,
  DEAD_IPV6,
  deadAddress,
  type Namespaces,
  openNamespaces,
  ROUTELESS_ADDRESS,
} from '../../support/namespace.ts';
import { target } from '../../support/targets.ts';

const SCRIPT = new URL('../../support/collect-inside.ts', import.meta.url).pathname;

/** Alive, dead and unreachable from here, in both families. */
const SITE = [
  target('alive', aliveAddress(1)),
  target('alive-6', ALIVE_IPV6),
  target('dead', deadAddress(1)),
  target('dead-6', DEAD_IPV6),
  target('elsewhere', ROUTELESS_ADDRESS),
  target('loopback-6', '::1'),
];
const VERDICTS = {
  alive: 'answered',
  'alive-6': 'answered',
  dead: 'silent',
  'dead-6': 'silent',
  elsewhere: 'could-not-tell',
  'loopback-6': 'answered',
};

/** A folder with ping and without fping. */
async function onlyPing(): Promise<string> {
  const folder = await temporaryFolder();
  await symlink('/usr/bin/ping', join(folder, 'ping'));
  return folder;
}

let namespaces: Namespaces;
beforeAll(async () => {
  namespaces = await openNamespaces();
}, 30_000);
afterAll(async () => {
  await namespaces?.close();
});

async function collectInside(targets: readonly Target[], options = {}): Promise<Observation[]> {
  const order = JSON.stringify({ collector: 'icmp', options, targets });
  const { code, stdout, stderr } = await namespaces.near(process.execPath, [SCRIPT], order);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Observation[];
}

function verdicts(observations: readonly Observation[]): Record<string, string> {
  return Object.fromEntries(observations.map(({ device, evidence }) => [device, evidence.kind]));
}

describe('a round over a site', () => {
  test('by fping tells the living, the dead and the unreachable apart', async () => {
    const observations = await collectInside(SITE);

    expect(verdicts(observations)).toEqual(VERDICTS);
  });

  test('by ping comes to the same verdicts', async () => {
    const folder = await onlyPing();

    const observations = await collectInside(SITE, { searchPath: folder });

    expect(verdicts(observations)).toEqual(VERDICTS);
  });

  test('four hundred living and forty dead addresses are each told right', async () => {
    const alive = Array.from({ length: 400 }, (_, n) => target(`alive-${n}`, aliveAddress(n)));
    const dead = Array.from({ length: 40 }, (_, n) => target(`dead-${n}`, deadAddress(n)));

    const observations = await collectInside([...alive, ...dead]);

    const wrong = observations.filter(
      ({ device, evidence }) => evidence.kind !== (device.startsWith('alive') ? 'answered' : 'silent'),
    );
    expect(wrong).toEqual([]);
    expect(observations).toHaveLength(440);
  });

  test('a pulled cable on our side is no evidence against anything behind it', async () => {
    await namespaces.far('ip', ['link', 'set', 'far', 'down']);

    const observations = await collectInside(SITE);

    await namespaces.far('ip', ['link', 'set', 'far', 'up']);
    expect(verdicts(observations)).toEqual({
      alive: 'could-not-tell',
      'alive-6': 'could-not-tell',
      dead: 'could-not-tell',
      'dead-6': 'could-not-tell',
      elsewhere: 'could-not-tell',
      'loopback-6': 'answered',
    });
    expect(observations[0]?.problems[0]?.code).toBe('OWN_LINK_DOWN');
    expect(observations[4]?.problems[0]?.code).toBe('OWN_NO_ROUTE');
  });
});

describe('the observations', () => {
  const context = () => ({ clock: systemClock, signal: AbortSignal.timeout(20_000) });

  test('count echo requests and replies over all rounds, and give round trips in seconds', async () => {
    const collector = createIcmpCollector();

    await collector.collect('alive', [target('a', '127.0.0.1')], context());
    const [second] = await collector.collect('alive', [target('a', '127.0.0.1')], context());

    const readings = second?.groups[0]?.readings ?? [];
    const counters = readings.filter(({ metric }) => metric.endsWith('_total'));
    const rtt = Object.fromEntries(
      readings.flatMap(({ labels, value }) => (labels['stat'] ? [[labels['stat'], value]] : [])),
    );
    expect(counters.map(({ metric, value }) => [metric, value])).toEqual([
      ['siteward_icmp_packets_sent_total', 6n],
      ['siteward_icmp_packets_received_total', 6n],
    ]);
    expect(Object.keys(rtt)).toEqual(['min', 'mean', 'max']);
    expect(rtt['min']).toBeGreaterThan(0);
    expect(rtt['max']).toBeLessThan(1);
    await collector.close();
  });

  test('two devices with one address share the packets', async () => {
    const collector = createIcmpCollector();

    const observations = await collector.collect(
      'alive',
      [target('a', '127.0.0.1'), target('b', '127.0.0.1')],
      context(),
    );

    expect(verdicts(observations)).toEqual({ a: 'answered', b: 'answered' });
    expect(observations.reduce((sum, { requests }) => sum + requests, 0)).toBe(3);
    await collector.close();
  });

  test('what is no address is never handed to a program', async () => {
    const collector = createIcmpCollector();
    const hostile = ['-V', '--file=/etc/passwd', '127.0.0.1\n127.0.0.2', '$(id)', '127.0.0.1 127.0.0.2', ''];

    const observations = await collector.collect(
      'alive',
      hostile.map((address, index) => target(`${index}`, address)),
      context(),
    );

    expect(new Set(observations.map(({ problems }) => problems[0]?.code))).toEqual(new Set(['ICMP_NO_ADDRESS']));
    expect(observations).toHaveLength(hostile.length);
    await collector.close();
  });

  test('a round that is broken off says so and leaves no process behind', async () => {
    const collector = createIcmpCollector();
    await collector.describe(context());
    const stop = new AbortController();

    const round = collector.collect('alive', [target('a', '127.0.0.1')], { clock: systemClock, signal: stop.signal });
    setImmediate(() => stop.abort());
    const [observation] = await round;

    expect(observation?.evidence.kind).toBe('could-not-tell');
    expect(observation?.problems[0]?.code).toBe('ICMP_INTERRUPTED');
    await collector.close();
  });
});
