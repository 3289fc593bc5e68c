/** Agents that lie beside twenty good ones, and what must be true of the good ones and of the daemon meanwhile. */
import { expect } from 'vitest';
import type { Oid, Varbind } from '#collectors/snmp/agent.ts';
import { encodeMessage } from '#collectors/snmp/ber.ts';
import { samplesOf, sampleValue, seriesKey } from '../support/exposition.ts';
import {
  cycling,
  doubling,
  empty,
  everGrowing,
  goingBack,
  repeating,
  tooBig,
  wildErrorIndex,
  withGarbage,
  withStrangers,
} from '../support/hostile-agent.ts';
import {
  type Incident,
  type MibAgent,
  type MibAgentOptions,
  startMibAgent,
  table,
  text,
} from '../support/mib-agent.ts';
import { seededRandom } from '../support/random.ts';
import { COMMUNITY, CREDENTIALS, startRecordedSite } from '../support/recorded-site.ts';
import { startDaemon } from '../support/siteward.ts';
import { SYS } from '../support/snmp.ts';

const IF_ENTRY = '1.3.6.1.2.1.2.2.1';
const NAME_WITH_LIES = 'evil"}\n# EOF\nsiteward_device_up{device="fw"} 0\u0000\u00ff\u001b[2J';

/** Octets that are almost a reply: one in three is changed, cut, or longer. */
function mutated(octets: Uint8Array, random: () => number): Uint8Array {
  const copy = Uint8Array.from(octets);
  for (let n = 0; n < 1 + random() * 4; n += 1) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
  return random() < 0.3 ? copy.subarray(0, Math.floor(random() * copy.length)) : copy;
}

/** After the first request: so many mutated replies a second to the port that asked, asked for or not. */
function flooding(perSecond: number, seed: number, stops: (() => void)[]): NonNullable<MibAgentOptions['behave']> {
  const random = seededRandom(seed);
  let last: Incident | undefined;
  return (incident) => {
    incident.send(encodeMessage(incident.reply));
    if (!last) {
      const timer = setInterval(() => {
        for (let n = 0; n < perSecond / 20; n += 1) {
          if (last) last.send(mutated(encodeMessage(last.reply), random));
        }
      }, 50);
      stops.push(() => clearInterval(timer));
    }
    last = incident;
  };
}

export interface HostileOptions {
  readonly seconds: number;
  /** Mutated replies a second, of all flooding agents together. */
  readonly flood: number;
}

export async function withstand({ seconds, flood }: HostileOptions): Promise<void> {
  await using good = await startRecordedSite();
  const stops: (() => void)[] = [];
  const behaviours: Record<string, NonNullable<MibAgentOptions['behave']>> = {
    repeating: repeating(`${IF_ENTRY}.2`),
    'going-back': goingBack(`${IF_ENTRY}.10`),
    cycling: cycling(`${IF_ENTRY}.10`),
    'ever-growing': everGrowing(`${IF_ENTRY}.2`),
    'ever-growing-large': everGrowing(`${IF_ENTRY}.2`, 1_000),
    empty,
    'too-big': tooBig(),
    'wild-error-index': wildErrorIndex,
    doubling,
    strangers: withStrangers('127.0.0.9', { type: 'counter64', value: 2n ** 64n - 1n }),
    garbage: withGarbage([new Uint8Array([0x30, 0x80]), new Uint8Array(64).fill(0x30), new Uint8Array(1)]),
    'flood-1': flooding(flood / 2, 1, stops),
    'flood-2': flooding(flood / 2, 2, stops),
  };
  const varbinds = new Map<Oid, Varbind>([
    ...table(
      [2, 3, 5, 7, 8, 10, 16].map((column) => `${IF_ENTRY}.${column}`),
      20,
      (column, row) =>
        column.endsWith('.2') ? text(row % 2 ? NAME_WITH_LIES : 'eth0') : { type: 'gauge32', value: row },
    ),
    [SYS.descr, text(NAME_WITH_LIES)],
    [SYS.objectId, { type: 'oid', value: '1.3.6.1.4.1.8072.3.2.10' }],
    [SYS.upTime, { type: 'timeticks', value: 100_000 }],
    [SYS.name, text(NAME_WITH_LIES)],
  ]);
  const agents: MibAgent[] = [];
  try {
    for (const behave of Object.values(behaviours))
      agents.push(await startMibAgent({ varbinds, community: COMMUNITY, behave }));
    await using daemon = await startDaemon({
      credentials: CREDENTIALS,
      polling: { availability: '5s', metrics: '15s', inventory: '1m' },
      devices: [
        ...good.settings,
        ...Object.keys(behaviours).map((name, n) => ({
          name: `hostile-${name}`,
          address: '127.0.0.1',
          port: agents[n]?.port,
          credentials: ['office'],
          checks: ['snmp'],
        })),
      ],
    });
    const end = performance.now() + seconds * 1_000;
    await daemon.metrics(
      'twenty good devices read, and the time over',
      (samples) => {
        const names = new Set(good.devices.map(({ recording }) => recording));
        const info = samplesOf(samples, 'siteward_device_info').filter(
          ({ labels }) => names.has(labels.device ?? '') && labels.profile !== '',
        );
        return (info.length === names.size && performance.now() > end) || undefined;
      },
      (seconds + 120) * 1_000,
    );

    const samples = await daemon.scrape();
    expect(daemon.isRunning).toBe(true);
    // Right values of the good ones, and no state but up.
    for (const { recording, expected } of good.devices) {
      for (const { metric, labels, value } of expected.readings) {
        const held = sampleValue(samples, metric, { device: recording, ...labels });
        expect(held, `${recording}: ${metric} ${JSON.stringify(labels)}`).toBe(Number(value));
      }
      expect(sampleValue(samples, 'siteward_device_state', { device: recording, state: 'up' }), recording).toBe(1);
    }
    // No late cycle: none later than a second, and none left out.
    const started = sampleValue(samples, 'siteward_scheduler_lag_seconds_count') ?? 0;
    expect(started).toBeGreaterThanOrEqual(good.devices.length);
    expect(sampleValue(samples, 'siteward_scheduler_lag_seconds_bucket', { le: '1' })).toBe(started);
    expect(sampleValue(samples, 'siteward_scheduler_missed_cycles_total')).toBe(0);
    // Nothing that a hostile device says becomes a series of another, a second one, or no number.
    const keys = samples.map(seriesKey);
    expect(new Set(keys).size).toBe(keys.length);
    expect(samples.filter(({ value }) => !Number.isFinite(value))).toEqual([]);
    expect(samplesOf(samples, 'siteward_device_up', { device: 'fw' })).toEqual([]);
    expect(daemon.log.filter(({ level }) => level === 'error')).toEqual([]);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  } finally {
    for (const stop of stops) stop();
    await Promise.all(agents.map((agent) => agent.stop()));
  }
}
