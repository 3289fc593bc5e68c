import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock, Monotonic, Observation, Question, Target } from '#collectors/contract.ts';
import { createSnmpCollector, type SnmpCollector } from '#collectors/snmp/collector.ts';
import { configOf, type LoadedConfig } from '#config/load.ts';
import { systemClock } from '#daemon/clock.ts';
import { type Demo, startDemo } from '#daemon/demo/demo.ts';
import { profileLibrary } from '#daemon/profile-library.ts';

const run = promisify(execFile);
const MINUTE = 60_000;
const { library } = await profileLibrary();

/** The office's clock stands still until a test moves it: nothing changes between two looks. */
let now: number;
const clock: Clock = { ...systemClock, monotonicNow: () => now as Monotonic };
let demo: Demo;
let loaded: LoadedConfig;
let collector: SnmpCollector;

beforeEach(async () => {
  now = 0;
  demo = await startDemo({ signal: AbortSignal.timeout(10_000), clock });
  loaded = configOf(demo.config, '/nowhere');
  collector = createSnmpCollector({ clock: systemClock, profiles: library, maxPacketsPerSecond: 5_000 });
});
afterEach(async () => {
  await collector.close();
  await demo.close();
});

function targetOf(name: string): Target {
  const device = loaded.config.devices.find((each) => each.name === name);
  if (!device) throw new Error(`no device ${name}`);
  const credentials = device.credentials.map((each) => {
    const credential = loaded.config.credentials[each];
    if (!credential) throw new Error(`no credential ${each}`);
    return { ...credential, name: each };
  });
  return { name, address: device.address, snmpPort: device.port, tcpPorts: [], credentials };
}

async function ask(name: string, question: Question = 'inventory', patience = 10_000): Promise<Observation> {
  const context = { clock: systemClock, signal: AbortSignal.timeout(patience) };
  const [observation] = await collector.collect(question, [targetOf(name)], context);
  if (!observation) throw new Error('no observation');
  return observation;
}

/** Series as in an exposition: `metric{value of each label} value`. */
function values({ groups }: Observation): Record<string, number> {
  const readings = groups.flatMap((group) => group.readings);
  return Object.fromEntries(
    readings.map(({ metric, labels, value }) => [
      `${metric.replace('siteward_', '')}{${Object.values(labels).join(',')}}`,
      Number(value),
    ]),
  );
}

describe('the office', () => {
  test('is a valid config of at least ten devices on loopback', () => {
    const { devices, contracts, slas } = loaded.config;

    expect(devices.length).toBeGreaterThanOrEqual(10);
    expect(devices.every(({ address, port }) => address.startsWith('127.') && port > 1023)).toBe(true);
    expect(devices.every(({ checks }) => checks?.join() === 'snmp')).toBe(true);
    expect(Object.keys(contracts)).not.toEqual([]);
    expect(Object.keys(slas)).not.toEqual([]);
    expect(loaded.warnings).toEqual([]);
  });

  test.each([
    ['fw-1', 'firewall', 'Fortinet', 'FortiGate 60F'],
    ['fw-2', 'firewall', 'Fortinet', 'FortiGate 60F'],
    ['sw-core', 'switch', 'Aruba', expect.stringContaining('2930F')],
    ['srv-files', 'server', 'Linux', undefined],
    ['srv-dc', 'server', 'Microsoft', undefined],
    ['mfp-copyroom', 'printer', 'Kyocera', 'TASKalfa 3554ci'],
    ['laser-warehouse', 'printer', 'HP', 'HP LaserJet Enterprise M507'],
    ['label-shipping', 'printer', 'Zebra', 'ZD621'],
    ['ups-rack', 'ups', 'APC', 'Smart-UPS 1500'],
    ['nas-backup', 'nas', 'Synology', 'DS923+'],
    ['ap-hall', 'ap', 'Ubiquiti', 'U6-Pro'],
  ])('%s is recognised as %s of %s and read without a problem', async (name, deviceClass, vendor, model) => {
    const { evidence, identity, groups, problems } = await ask(name);

    expect(evidence.kind).toBe('answered');
    expect(identity).toMatchObject({ class: deviceClass, vendor, ...(model && { model }) });
    expect(problems).toEqual([]);
    expect(groups.flatMap((group) => group.readings).length).toBeGreaterThan(15);
  });

  test('the tools of net-snmp walk the same tree, whichever way they ask', async () => {
    const { address, snmpPort } = targetOf('mfp-copyroom');
    const tool = async (name: string, ...args: string[]) => {
      const { stdout } = await run(name, [...args, '-On', '-m', '', '-c', 'demo', `${address}:${snmpPort}`, '1']);
      return stdout.trim().split('\n');
    };

    const walk = await tool('snmpwalk', '-v2c');
    const bulk = await tool('snmpbulkwalk', '-v2c', '-Cr40');
    const first = await tool('snmpwalk', '-v1');

    expect(walk.length).toBeGreaterThan(120);
    expect(bulk.slice(0, -1)).toEqual(walk.slice(0, -1));
    expect(first.slice(0, -1)).toEqual(walk.filter((line) => !line.includes('Counter64')).slice(0, -1));
  });
});

describe('what happens in it', () => {
  test('pages are printed within a minute, and all meters agree', async () => {
    const before = values(await ask('mfp-copyroom'));

    for (const minutes of [1, 2, 5, 60]) {
      now = minutes * MINUTE;
      const after = values(await ask('mfp-copyroom', 'metrics'));
      const meter = (name: string) => after[`printer_meter_pages_total{${name}}`] ?? Number.NaN;

      expect(meter('total')).toBeGreaterThan((before['printer_meter_pages_total{total}'] ?? 0) + 5 * minutes);
      expect(meter('total') - (before['printer_meter_pages_total{total}'] ?? 0)).toBeLessThan(60 * minutes);
      expect(meter('mono') + meter('color')).toBe(meter('total'));
      expect(meter('print') + meter('copy') + meter('fax')).toBe(meter('total'));
    }
  });

  test('the black toner runs low, which raises the error and a line of the alert table, and is replaced', async () => {
    const seen: { level: number; low: boolean; alert: boolean }[] = [];
    for (let minutes = 0; minutes <= 20; minutes += 1) {
      now = minutes * MINUTE;
      const found = values(await ask('mfp-copyroom'));
      seen.push({
        level: found['printer_supply_level_ratio{4,TK-8375K,toner,black}'] ?? -1,
        low: 'printer_error{low_toner}' in found || 'printer_error{no_toner}' in found,
        alert: Object.keys(found).some((series) => series.startsWith('printer_alert') && series.includes('TK-8375K')),
      });
    }

    expect(seen.every(({ level, low, alert }) => low === level <= 0.1 && alert === low)).toBe(true);
    expect(seen[0]).toEqual({ level: 0.11, low: false, alert: false });
    expect(seen.some(({ low }) => low)).toBe(true);
    expect(seen.at(-1)?.level).toBeGreaterThan(0.5);
  });

  test('counters never fall while a device is up, and a disk fills', async () => {
    const before = values(await ask('srv-files'));

    now = 10 * MINUTE;
    const after = values(await ask('srv-files', 'metrics'));

    const counters = Object.keys(before).filter((series) => series.includes('_total{'));
    expect(counters.length).toBeGreaterThan(10);
    expect(counters.filter((series) => (after[series] ?? -1) < (before[series] ?? 0))).toEqual([]);
    expect(after['interface_receive_bytes_total{eno1}']).toBeGreaterThan(
      before['interface_receive_bytes_total{eno1}'] ?? 0,
    );
    expect(after['filesystem_used_bytes{/srv/projects}']).toBeGreaterThan(
      before['filesystem_used_bytes{/srv/projects}'] ?? 0,
    );
  });

  test('the access point fails after three minutes, and has started anew when it comes back', async () => {
    now = 2.9 * MINUTE;
    const before = values(await ask('ap-hall'));
    now = 3.1 * MINUTE;
    const during = await ask('ap-hall', 'metrics', 1_500);
    now = 5.1 * MINUTE;
    const after = values(await ask('ap-hall', 'metrics'));

    expect(during.evidence.kind).not.toBe('answered');
    expect(before['device_uptime_seconds{}']).toBeGreaterThan(86_400);
    expect(after['device_uptime_seconds{}']).toBeLessThan(60);
  });

  test('the second firewall takes over while the first one restarts', async () => {
    const before = values(await ask('fw-2'));
    now = 18.5 * MINUTE;
    const during = values(await ask('fw-2'));
    now = 21 * MINUTE;
    const after = values(await ask('fw-2'));

    expect(before['firewall_ha_active{secondary}']).toBe(0);
    expect(during['firewall_ha_active{primary}']).toBe(1);
    expect(during['component_ok{fw-1,ha}']).toBe(0);
    expect(after['firewall_ha_active{secondary}']).toBe(0);
  });

  test('the mains fail now and then: the UPS is on battery and its charge falls', async () => {
    const before = values(await ask('ups-rack'));
    now = 17 * MINUTE;
    const during = values(await ask('ups-rack', 'metrics'));

    expect(before).toMatchObject({ 'ups_on_battery{}': 0, 'ups_battery_charge_ratio{}': 1 });
    expect(during['ups_on_battery{}']).toBe(1);
    expect(during['ups_battery_charge_ratio{}']).toBeLessThan(0.95);
  });
});

test('a closed demo frees its addresses, however often it is closed', async () => {
  const { address, snmpPort } = targetOf('fw-1');

  await demo.close();
  await demo.close();

  const socket = createSocket('udp4').bind(snmpPort, address);
  await once(socket, 'listening');
  socket.close();
});

test('a demo that is given up before it starts does not start', async () => {
  await expect(startDemo({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
});
