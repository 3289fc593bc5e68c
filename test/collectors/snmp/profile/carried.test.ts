/** Counters and uptimes of whole devices over their polls, as the shipped profiles read them. */
import { describe, expect, test } from 'vitest';
import type { Clock, Monotonic, Observation, Question } from '#collectors/contract.ts';
import { createSnmpCollector } from '#collectors/snmp/collector.ts';
import { systemClock } from '#daemon/clock.ts';
import { shippedProfiles } from '../../../profiles/recordings.ts';
import { startMibAgent, text } from '../../../support/mib-agent.ts';
import { community } from '../../../support/snmp.ts';
import { target } from '../../../support/targets.ts';
import { deviceOf, libraryOf, lines } from './support.ts';

const TURN = 2 ** 32;
const IF = '1.3.6.1.2.1.2.2.1';
const library = shippedProfiles();

interface Port {
  readonly index: number;
  readonly name: string;
  readonly octets: number;
  readonly discards?: number;
}

/** A switch without 64-bit counters, 100 Mbit/s on every port. */
function recording(upTime: number, ports: readonly Port[], more = ''): string {
  const rows = ports.flatMap(({ index, name, octets, discards = 0 }) => [
    `${IF}.2.${index}|4|${name}`,
    `${IF}.3.${index}|2|6`,
    `${IF}.5.${index}|66|100000000`,
    `${IF}.7.${index}|2|1`,
    `${IF}.8.${index}|2|1`,
    `${IF}.10.${index}|65|${octets}`,
    `${IF}.13.${index}|65|${discards}`,
  ]);
  return `
1.3.6.1.2.1.1.1.0|4|Old switch
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.99999.7
1.3.6.1.2.1.1.3.0|67|${upTime}
1.3.6.1.2.1.1.5.0|4|sw-1
${rows.join('\n')}
${more}`;
}

const received = (read: Parameters<typeof lines>[0]) =>
  lines(read).filter((line) => /receive_(bytes|discards)/.test(line) && !line.endsWith(' 0'));
const labelsOf = ({ groups }: Parameters<typeof lines>[0]) =>
  groups.flatMap(({ readings }) => readings).find(({ metric }) => metric.endsWith('_receive_bytes_total'))?.labels;
const uptime = (read: Parameters<typeof lines>[0]) => lines(read).filter((line) => line.includes('uptime'));

describe('an interface with counters of 32 bits', () => {
  test('goes on where they turn, and through the next inventory', async () => {
    const device = deviceOf(library, recording(1_000_000, [{ index: 1, name: 'gi1', octets: TURN - 100 }]));
    await device.ask('inventory', 0);

    device.agent.become(recording(1_006_000, [{ index: 1, name: 'gi1', octets: 900 }]));
    const turned = await device.ask('metrics', 60);
    device.agent.become(recording(1_012_000, [{ index: 1, name: 'gi1', octets: 2_000 }]));
    const again = await device.ask('inventory', 120);

    expect(received(turned)).toEqual([`interface_receive_bytes_total{gi1} ${TURN + 900}`]);
    expect(received(again)).toEqual([`interface_receive_bytes_total{gi1} ${TURN + 2_000}`]);
  });

  test('goes on after an inventory that brought half an answer, under the same labels', async () => {
    const port = { index: 1, name: 'gi1', octets: TURN - 100 };
    const device = deviceOf(library, recording(1_000_000, [port]));
    await device.ask('inventory', 0);
    device.agent.become(recording(1_006_000, [{ ...port, octets: 900 }]));
    const before = await device.ask('metrics', 60);

    const name = `${IF}.2`;
    device.agent.partial.push({ column: name, reason: 'no-answer' });
    device.agent.become(recording(1_012_000, [{ ...port, octets: 1_000 }]).replace(`${name}.1|4|gi1`, ''));
    const half = await device.ask('inventory', 120);
    device.agent.partial.length = 0;
    device.agent.become(recording(1_018_000, [{ ...port, octets: 2_000 }]));
    const after = await device.ask('metrics', 180);

    expect(received(half)).toEqual([]);
    expect(received(after)).toEqual([`interface_receive_bytes_total{gi1} ${TURN + 2_000}`]);
    expect(labelsOf(after)).toBe(labelsOf(before));
  });

  test('counts packets at a speed of packets: no port discards four thousand million in a minute', async () => {
    const device = deviceOf(library, recording(1_000_000, [{ index: 1, name: 'gi1', octets: 1, discards: 50_000 }]));
    await device.ask('inventory', 0);

    device.agent.become(recording(1_006_000, [{ index: 1, name: 'gi1', octets: 1, discards: 7 }]));

    expect(received(await device.ask('metrics', 60))).toEqual([
      'interface_receive_bytes_total{gi1} 1',
      'interface_receive_discards_total{gi1} 7',
    ]);
  });

  test('begins anew with its device', async () => {
    const device = deviceOf(library, recording(1_000_000, [{ index: 1, name: 'gi1', octets: TURN - 100 }]));
    await device.ask('inventory', 0);

    device.agent.become(recording(3_000, [{ index: 1, name: 'gi1', octets: 900 }]));

    expect(received(await device.ask('metrics', 60))).toEqual(['interface_receive_bytes_total{gi1} 900']);
  });

  test('is not mixed with another that takes its index', async () => {
    const a = { index: 1, name: 'ppp-a', octets: TURN - 100 };
    const b = { index: 2, name: 'ppp-b', octets: 5_000 };
    const device = deviceOf(library, recording(1_000_000, [a, b]));
    await device.ask('inventory', 0);

    device.agent.become(
      recording(1_006_000, [
        { ...b, index: 1, octets: 5_500 },
        { ...a, index: 3, octets: 900 },
      ]),
    );

    expect(received(await device.ask('metrics', 60))).toEqual([
      'interface_receive_bytes_total{ppp-b} 5500',
      `interface_receive_bytes_total{ppp-a} ${TURN + 900}`,
    ]);
  });

  test('of which another device at the same address knows nothing', async () => {
    const device = deviceOf(library, recording(1_000_000, [{ index: 1, name: 'gi1', octets: TURN - 100 }]));
    await device.ask('inventory', 0);

    const other = recording(1_006_000, [{ index: 1, name: 'gi1', octets: 900 }]).replace('99999.7', '99999.8');
    device.agent.become(other);

    expect(received(await device.ask('metrics', 60))).toEqual(['interface_receive_bytes_total{gi1} 900']);
  });
});

test('page meters are given as the printer told them, whatever they fall to', async () => {
  const printer = libraryOf(`
areas:
  meters:
    - speed: 1000000000
      readings: [{meter: total, value: 1.3.6.1.2.1.43.10.2.1.4.1.1}]
`);
  const device = deviceOf(printer, `${recording(1_000_000, [])}1.3.6.1.2.1.43.10.2.1.4.1.1|65|${TURN - 5}`);
  expect(lines(await device.ask('inventory', 0))).toEqual([`printer_meter_pages_total{total} ${TURN - 5}`]);

  device.agent.become(`${recording(1_006_000, [])}1.3.6.1.2.1.43.10.2.1.4.1.1|65|20`);

  expect(lines(await device.ask('metrics', 60))).toEqual(['printer_meter_pages_total{total} 20']);
});

describe('uptime', () => {
  test('goes on past 497 days, and the turn costs no inventory', async () => {
    const device = deviceOf(library, recording(TURN - 3_000, []));
    expect(uptime(await device.ask('inventory', 0))).toEqual(['device_uptime_seconds{} 42949642.96']);
    for (let poll = 1; poll <= 6; poll += 1) await device.ask('metrics', poll);

    device.agent.become(recording(3_000, []));
    const turned = await device.ask('metrics', 60);
    device.agent.become(recording(9_000, []));

    expect(turned.identity).toBeUndefined();
    expect(uptime(turned)).toEqual(['device_uptime_seconds{} 42949702.96']);
    expect(uptime(await device.ask('inventory', 120))).toEqual(['device_uptime_seconds{} 42949762.96']);
  });

  test('begins anew with the device, also where it started late enough to be up for longer than before', async () => {
    const device = deviceOf(library, recording(TURN - 3_000, []));
    await device.ask('inventory', 0);
    device.agent.become(recording(3_000, []));
    await device.ask('metrics', 60);

    device.agent.become(recording(90_000, []));

    expect(uptime(await device.ask('metrics', 86_400))).toEqual(['device_uptime_seconds{} 900']);
  });

  test('an engine that was set back is a restart at whatever moment', async () => {
    const engine = (seconds: number) =>
      `1.3.6.1.6.3.10.2.1.1.0|4x|8000000001020304\n1.3.6.1.6.3.10.2.1.3.0|2|${seconds}`;
    const device = deviceOf(library, recording(TURN - 3_000, [], engine(42_949_642)));
    await device.ask('inventory', 0);

    device.agent.become(recording(3_000, [], engine(30)));

    expect(uptime(await device.ask('metrics', 60))).toEqual(['device_uptime_seconds{} 30']);
  });
});

test('over the wire: a port turns, its switch restarts, and no figure is more than the line can carry', async () => {
  const port = `${IF}.10.1`;
  const varbinds = new Map([
    ['1.3.6.1.2.1.1.1.0', text('Old switch')],
    ['1.3.6.1.2.1.1.2.0', { type: 'oid', value: '1.3.6.1.4.1.99999.7' }],
    ['1.3.6.1.2.1.1.3.0', { type: 'timeticks', value: 500_000 }],
    ['1.3.6.1.2.1.1.5.0', text('sw-1')],
    [`${IF}.2.1`, text('gi1')],
    [`${IF}.5.1`, { type: 'gauge32', value: 100_000_000 }],
    [`${IF}.7.1`, { type: 'integer', value: 1 }],
    [`${IF}.8.1`, { type: 'integer', value: 1 }],
    [port, { type: 'counter32', value: TURN - 1_000 }],
  ] as const);
  const live = new Map<string, typeof varbinds extends Map<string, infer V> ? V : never>(varbinds);
  await using agent = await startMibAgent({ varbinds: live, community: 'public' });
  let ahead = 0;
  const clock: Clock = { ...systemClock, monotonicNow: () => (systemClock.monotonicNow() + ahead) as Monotonic };
  const collector = createSnmpCollector({ clock, profiles: library, maxPacketsPerSecond: 1_000 });
  const ask = async (
    question: Question,
    seconds: number,
    upTime: number,
    octets: number,
  ): Promise<readonly bigint[]> => {
    ahead += seconds * 1000;
    live.set('1.3.6.1.2.1.1.3.0', { type: 'timeticks', value: upTime });
    live.set(port, { type: 'counter32', value: octets });
    const device = target('sw', agent.address, { snmpPort: agent.port, credentials: [community()] });
    const [observation] = await collector.collect(question, [device], { clock, signal: AbortSignal.timeout(10_000) });
    return receivedBytes(observation);
  };
  try {
    expect(await ask('inventory', 0, 500_000, TURN - 1_000)).toEqual([BigInt(TURN - 1_000)]);
    expect(await ask('metrics', 60, 506_000, 50_000)).toEqual([BigInt(TURN + 50_000)]);
    expect(await ask('metrics', 60, 512_000, 80_000)).toEqual([BigInt(TURN + 80_000)]);
    expect(await ask('metrics', 60, 2_000, 70_000)).toEqual([70_000n]);
    expect(await ask('metrics', 60, 8_000, 90_000)).toEqual([90_000n]);
  } finally {
    await collector.close();
  }
});

function receivedBytes(observation: Observation | undefined): readonly bigint[] {
  return (observation?.groups ?? [])
    .flatMap(({ readings }) => readings)
    .filter(({ metric }) => metric === 'siteward_interface_receive_bytes_total')
    .map(({ value }) => BigInt(value));
}
