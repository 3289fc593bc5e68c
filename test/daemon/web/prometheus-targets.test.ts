import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Oid, Varbind } from '#collectors/snmp/agent.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startMibAgent, text } from '../../support/mib-agent.ts';
import { freePort, startServer } from '../../support/process.ts';
import { type Prometheus, startPrometheus } from '../../support/prometheus.ts';
import { ROOT, startDaemon } from '../../support/siteward.ts';
import { SYS } from '../../support/snmp.ts';
import { freeUdpPort } from '../../support/snmpd.ts';

const COLUMNS = {
  index: '1.3.6.1.2.1.2.2.1.1',
  descr: '1.3.6.1.2.1.2.2.1.2',
  type: '1.3.6.1.2.1.2.2.1.3',
  mac: '1.3.6.1.2.1.2.2.1.6',
  admin: '1.3.6.1.2.1.2.2.1.7',
  oper: '1.3.6.1.2.1.2.2.1.8',
  name: '1.3.6.1.2.1.31.1.1.1.1',
  received: '1.3.6.1.2.1.31.1.1.1.6',
  sent: '1.3.6.1.2.1.31.1.1.1.10',
};

/** A router with three ports whose counters stand still. */
function routerWith(number: number): Map<Oid, Varbind> {
  const varbinds = new Map<Oid, Varbind>([
    [SYS.descr, text('RouterOS CRS326')],
    [SYS.objectId, { type: 'oid', value: '1.3.6.1.4.1.14988.1' }],
    [SYS.upTime, { type: 'timeticks', value: 8_640_000 }],
    [SYS.name, text(`sw-${number}`)],
  ]);
  for (const port of [1, 2, 3]) {
    const row: Record<keyof typeof COLUMNS, Varbind> = {
      index: { type: 'integer', value: port },
      descr: text(`ether${port}`),
      type: { type: 'integer', value: 6 },
      mac: { type: 'octet-string', value: Uint8Array.of(0x4c, 0x5e, 0x0c, 0, number, port) },
      admin: { type: 'integer', value: 1 },
      oper: { type: 'integer', value: 1 },
      name: text(`ether${port}`),
      received: { type: 'counter64', value: BigInt(number) * 1_000_000_007n * BigInt(port) },
      sent: { type: 'counter64', value: BigInt(number) * 998_244_353n * BigInt(port) },
    };
    for (const [key, value] of Object.entries(row))
      varbinds.set(`${COLUMNS[key as keyof typeof COLUMNS]}.${port}`, value);
  }
  return varbinds;
}

/** The two columns that are compared, as snmp_exporter 0.21 has its modules written. */
const SNMP_YML = `if_mib:
  walk: [1.3.6.1.2.1.31.1.1.1.1, 1.3.6.1.2.1.31.1.1.1.6, 1.3.6.1.2.1.31.1.1.1.10]
  auth: {community: public}
  version: 2
  metrics:
    - {name: ifHCInOctets, oid: ${COLUMNS.received}, type: counter, help: received, indexes: [{labelname: ifIndex, type: gauge}], lookups: [{labels: [ifIndex], labelname: ifName, oid: ${COLUMNS.name}, type: DisplayString}]}
    - {name: ifHCOutOctets, oid: ${COLUMNS.sent}, type: counter, help: sent, indexes: [{labelname: ifIndex, type: gauge}], lookups: [{labels: [ifIndex], labelname: ifName, oid: ${COLUMNS.name}, type: DisplayString}]}
`;
const BLACKBOX_YML = `modules:
  icmp: {prober: icmp, timeout: 2s, icmp: {preferred_ip_protocol: ip4}}
`;

async function exporter(command: string, config: string, folder: string, ready: RegExp): Promise<number> {
  const port = await freePort();
  const file = join(folder, `${command}.yml`);
  await writeFile(file, config);
  const server = await startServer(command, [`--config.file=${file}`, `--web.listen-address=127.0.0.1:${port}`], ready);
  onTestFinished(() => server.stop('SIGKILL'));
  return port;
}

test('what is discovered is scraped by Prometheus through both exporters, and the counters are the same', async () => {
  const port = await freeUdpPort();
  const agents = await Promise.all(
    [1, 2].map((number) =>
      startMibAgent({ address: `127.24.0.${number}`, port, varbinds: routerWith(number), community: 'public' }),
    ),
  );
  onTestFinished(async () => void (await Promise.all(agents.map((agent) => agent.stop()))));
  await using daemon = await startDaemon({
    credentials: { office: { version: '2c', community: 'public' } },
    discovery: { ranges: [{ range: '127.24.0.0/30', credentials: ['office'], port, adopt: 'yes' }] },
    polling: { availability: '5s', metrics: '15s' },
  });
  const folder = await temporaryFolder();
  const snmp = await exporter('prometheus-snmp-exporter', SNMP_YML, folder, /Listening on/);
  const blackbox = await exporter('prometheus-blackbox-exporter', BLACKBOX_YML, folder, /Listening on/);
  const example = await readFile(join(ROOT, 'docs/examples/prometheus-http-sd.yml'), 'utf8');
  const config = example
    .replaceAll('http://127.0.0.1:9720', daemon.url)
    .replaceAll('127.0.0.1:9116', `127.0.0.1:${snmp}`)
    .replaceAll('127.0.0.1:9115', `127.0.0.1:${blackbox}`)
    .replaceAll('refresh_interval: 1m', 'refresh_interval: 1s');
  const own = await daemon.metrics('counters of both routers', (samples) => {
    const found = samples.filter(({ name }) => name === 'siteward_interface_receive_bytes_total');
    return found.length === 6 ? samples : undefined;
  });
  const prometheus = await startPrometheus(folder, `global: {scrape_interval: 1s, scrape_timeout: 1s}\n${config}`);
  onTestFinished(() => prometheus.stop());

  const up = await seriesOf(prometheus, 'up == 1', 4);
  const scraped = await seriesOf(prometheus, 'ifHCInOctets', 6);
  const probes = await seriesOf(prometheus, 'probe_success == 1', 2);

  expect(up.map(({ metric }) => `${metric['job']} ${metric['device']}`).toSorted()).toEqual([
    'siteward-icmp sw-1',
    'siteward-icmp sw-2',
    'siteward-snmp sw-1',
    'siteward-snmp sw-2',
  ]);
  expect(probes.map(({ metric }) => metric['site'])).toEqual(['acme-hq', 'acme-hq']);
  const mine = own
    .filter(({ name }) => name === 'siteward_interface_receive_bytes_total')
    .map(({ labels, value }) => `${labels['device']} ${labels['interface']} ${Number(value)}`);
  const theirs = scraped.map(({ metric, value }) => `${metric['device']} ${metric['ifName']} ${Number(value[1])}`);
  expect(theirs.toSorted()).toEqual(mine.toSorted());

  const targets = await daemon.get('/api/v1/prometheus/targets?exporter=snmp&device=sw-1');
  expect(JSON.parse(targets)).toEqual([
    {
      targets: [`127.24.0.1:${port}`],
      labels: expect.objectContaining({
        __meta_siteward_auth: 'office',
        __meta_siteward_class: 'firewall',
        __meta_siteward_vendor: 'MikroTik',
      }),
    },
  ]);
  expect(await daemon.get('/api/v1/prometheus/targets')).not.toContain('"public"');
  expect(JSON.parse(await daemon.get('/api/v1/prometheus/targets?class=printer'))).toEqual([]);
});

/** What a query brings, once it is so many series: programs tell nobody when they have scraped. */
async function seriesOf(prometheus: Prometheus, query: string, count: number) {
  return await vi.waitFor(
    async () => {
      const series = await prometheus.query(query, Date.now());
      expect(series).toHaveLength(count);
      return series;
    },
    { timeout: 40_000, interval: 200 },
  );
}
