import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sampleValue } from '../support/exposition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startInfluxd } from '../support/influxd.ts';
import { ROOT, startDaemon } from '../support/siteward.ts';
import { type Snmpd, startSnmpd } from '../support/snmpd.ts';

const METERS = { total: 6000, mono: 3560, color: 2440, print: 4000, copy: 1950, fax: 50, scan: 2000, duplex: 900 };
const SERVER = join(import.meta.dirname, '../support/pass-persist.ts');

/** A real snmpd that says what a device of another family would say: its identity by directives, its tables by a program. */
async function snmpdAs(
  recording: string,
  identity: Readonly<Record<string, string>>,
  subtrees: readonly string[],
): Promise<Snmpd> {
  const file = join(ROOT, `test/profiles/recordings/${recording}.snmprec`);
  const snmpd = await startSnmpd({
    communities: ['public'],
    conf: [
      ...Object.entries(identity).map(([directive, value]) => `${directive} ${value}`),
      ...subtrees.map((subtree) => `pass_persist -p 1 .${subtree} ${process.execPath} ${SERVER} ${file} ${subtree}`),
    ],
  });
  onTestFinished(() => snmpd.stop());
  return snmpd;
}

test('a printer, a firewall and a UPS behind real snmpd are in InfluxDB and in Prometheus under the names of the contract', async () => {
  const printer = await snmpdAs(
    'kyocera',
    { sysobjectid: '1.3.6.1.4.1.1347.41', sysdescr: 'KYOCERA Document Solutions Printing System', sysname: 'mfp-1' },
    ['1.3.6.1.4.1.1347', '1.3.6.1.2.1.43', '1.3.6.1.2.1.25.3.2', '1.3.6.1.2.1.25.3.5'],
  );
  const firewall = await snmpdAs(
    'fortinet-fortigate',
    { sysobjectid: '1.3.6.1.4.1.12356.101.1.641', sysname: 'gw-1' },
    ['1.3.6.1.4.1.12356', '1.3.6.1.2.1.47'],
  );
  const ups = await snmpdAs('apc-ups', { sysobjectid: '1.3.6.1.4.1.318.1.3.27', sysname: 'ups-1' }, [
    '1.3.6.1.4.1.318',
  ]);
  const influxd = await startInfluxd(await temporaryFolder());
  onTestFinished(() => influxd.stop('SIGKILL'));
  await using daemon = await startDaemon({
    credentials: { office: { version: '2c', community: 'public' } },
    polling: { availability: '5s', metrics: '15s' },
    devices: Object.entries({ printer, firewall, ups }).map(([name, { address, port }]) => ({
      ...{ name, address, port, credentials: ['office'], checks: ['snmp'] },
    })),
    outputs: { influx: [{ name: 'central', url: influxd.url }] },
  });

  const samples = await daemon.metrics('a reading of each', (now) => {
    const first = [
      ...Object.keys(METERS).map((meter) =>
        sampleValue(now, 'siteward_printer_meter_pages_total', { device: 'printer', meter }),
      ),
      sampleValue(now, 'siteward_firewall_sessions', { device: 'firewall' }),
      sampleValue(now, 'siteward_ups_load_ratio', { device: 'ups' }),
    ];
    return first.includes(undefined) ? undefined : now;
  });

  const held = (metric: string, device: string, labels = {}) => sampleValue(samples, metric, { device, ...labels });
  expect(held('siteward_device_info', 'printer', { class: 'printer', vendor: 'Kyocera', serial: 'XXY0000001' })).toBe(
    1,
  );
  expect(
    held('siteward_device_info', 'firewall', { class: 'firewall', vendor: 'Fortinet', model: 'FortiGate 61F' }),
  ).toBe(1);
  expect(held('siteward_device_info', 'ups', { class: 'ups', vendor: 'APC', serial: 'AS0000000001' })).toBe(1);
  for (const [meter, pages] of Object.entries(METERS))
    expect(held('siteward_printer_meter_pages_total', 'printer', { meter }), meter).toBe(pages);
  expect(
    held('siteward_printer_supply_level_ratio', 'printer', {
      supply: '1',
      description: 'TK-0000CS',
      type: 'toner',
      color: 'cyan',
    }),
  ).toBe(0.5);
  expect(held('siteward_cpu_usage_ratio', 'firewall', { cpu: 'total' })).toBe(0.17);
  expect(held('siteward_memory_used_ratio', 'firewall', { memory: 'Physical memory' })).toBe(0.42);
  expect(held('siteward_firewall_sessions', 'firewall')).toBe(2345);
  expect(held('siteward_firewall_ha_active', 'firewall', { role: 'secondary' })).toBe(0);
  expect(held('siteward_vpn_tunnel_up', 'firewall', { tunnel: 'branch-north' })).toBe(1);
  expect(held('siteward_vpn_tunnel_up', 'firewall', { tunnel: 'branch-south' })).toBe(0);
  expect(held('siteward_license_expiry_timestamp_seconds', 'firewall', { license: 'FortiCare Support' })).toBe(
    1809136800,
  );
  expect(held('siteward_ups_battery_charge_ratio', 'ups')).toBe(0.874);
  expect(held('siteward_ups_battery_runtime_seconds', 'ups')).toBe(1872);
  expect(held('siteward_ups_load_ratio', 'ups')).toBe(1);
  expect(held('siteward_ups_on_battery', 'ups')).toBe(1);

  await daemon.metrics('all points at influxd', (now) => {
    const written = sampleValue(now, 'siteward_output_points_total', { output: 'central', outcome: 'written' }) ?? 0;
    return (written > 0 && sampleValue(now, 'siteward_spool_points') === 0) || undefined;
  });
  const written = async (measurement: string, field: string, where: string) => {
    const [row] = await influxd.query(
      `SELECT last("${field}") AS value FROM "${measurement}" WHERE client='ACME Ltd' AND site='acme-hq' AND ${where}`,
    );
    return row?.value;
  };
  for (const [meter, pages] of Object.entries(METERS))
    expect(await written('printer_meter', 'pages', `device='printer' AND class='printer' AND meter='${meter}'`)).toBe(
      pages,
    );
  expect(await written('printer_supply', 'level_ratio', "device='printer' AND supply='1' AND color='cyan'")).toBe(0.5);
  expect(await written('cpu', 'usage_ratio', "device='firewall' AND class='firewall' AND cpu='total'")).toBe(0.17);
  expect(await written('firewall', 'sessions', "device='firewall'")).toBe(2345);
  expect(await written('vpn_tunnel', 'up', "device='firewall' AND tunnel='branch-south'")).toBe(0);
  expect(await written('ups', 'battery_charge_ratio', "device='ups' AND class='ups'")).toBe(0.874);
  expect(await written('ups', 'on_battery', "device='ups'")).toBe(1);
  // Counts are integers in the database, the rest are floats: a field keeps one type for ever.
  const types = await influxd.query('SHOW FIELD KEYS FROM printer_meter, ups');
  expect(types).toEqual(
    expect.arrayContaining([
      { fieldKey: 'pages', fieldType: 'integer' },
      { fieldKey: 'battery_charge_ratio', fieldType: 'float' },
    ]),
  );
}, 300_000);
