/** One switch recording on 200 addresses: requests and processor time per device poll, siteward beside snmp_exporter. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuSeconds, Fleet, freePort, ROOT, residentBytes, start, until, workFolder } from './processes.ts';
import { type Figure, ms } from './table.ts';

const DEVICES = 200;
const SNMP_PORT = 1161;
const RECORDING = 'jetstream_t1600g-28ts.snmprec';
const PERIOD = 15;
const MEASURED = 120;
/** Until V8 has mostly ended compiling what runs only now and then, in seconds. */
const SETTLED = 300;

const addresses = Array.from(
  { length: DEVICES },
  (_, index) => `127.5.${Math.floor(index / 200)}.${(index % 200) + 1}`,
);

/** The 21 columns of a port that the exporter is asked for, as siteward's interfaces part reads them. */
const IF_TABLE = [7, 8, 13, 14, 19, 20, 2, 3, 5, 6].map(
  (column) => [`1.3.6.1.2.1.2.2.1.${column}`, `ifEntry${column}`] as const,
);
/** Text and address columns; all others are numbers. */
const TYPES: Readonly<Record<string, string>> = {
  ifEntry2: 'DisplayString',
  ifEntry6: 'PhysAddress48',
  ifXEntry1: 'DisplayString',
  ifXEntry18: 'DisplayString',
};
const IF_X_TABLE = [1, 6, 10, 7, 8, 9, 11, 12, 13, 15, 18].map(
  (column) => [`1.3.6.1.2.1.31.1.1.1.${column}`, `ifXEntry${column}`] as const,
);

interface Cost {
  readonly requests: number;
  readonly cpu: number;
}

/** One of the two that poll the same devices. */
interface Poller {
  readonly pid: number;
  readonly fleet: Fleet;
  /** For so long, each device every 15 s, as Prometheus would have it. */
  run(seconds: number): Promise<void>;
  stop(): Promise<void>;
}

/** Side by side: what the machine does beside them in these minutes, it does to both. */
export async function benchSnmp(): Promise<Figure[]> {
  await using opened = new AsyncDisposableStack();
  const fleets = [SNMP_PORT, SNMP_PORT + 1].map((port) =>
    opened.adopt(new Fleet(port, [RECORDING]), (fleet) => fleet.stop()),
  );
  const [ours, theirs] = fleets as [Fleet, Fleet];
  const siteward = opened.adopt(await startSiteward(ours, SNMP_PORT), (poller) => poller.stop());
  const exporter = opened.adopt(await startExporter(theirs, SNMP_PORT + 1), (poller) => poller.stop());
  await Promise.all([siteward.run(SETTLED), exporter.run(SETTLED)]);
  const [our, their] = (await Promise.all([siteward, exporter].map(costOf))) as [Cost, Cost];
  console.log(`siteward: RSS ${Math.round(residentBytes(siteward.pid) / 1e6)} MB`);
  return [
    figure('SNMP requests per device poll', our.requests, their.requests, (value) => value.toFixed(1), '<= 0.25'),
    figure('CPU per device poll, /metrics every 15 s', our.cpu, their.cpu, ms, '<= 0.20'),
  ];
}

async function costOf(poller: Poller): Promise<Cost> {
  const before = { requests: await poller.fleet.requests(), cpu: cpuSeconds(poller.pid) };
  await poller.run(MEASURED);
  const polls = (DEVICES * MEASURED) / PERIOD;
  return {
    requests: ((await poller.fleet.requests()) - before.requests) / polls,
    cpu: (cpuSeconds(poller.pid) - before.cpu) / polls,
  };
}

function figure(what: string, ours: number, theirs: number, show: (value: number) => string, goal: string): Figure {
  return {
    what,
    siteward: show(ours),
    beside: `${show(theirs)} (snmp_exporter)`,
    ratio: (ours / theirs).toFixed(2),
    goal,
  };
}

async function startSiteward(fleet: Fleet, snmpPort: number): Promise<Poller> {
  const port = await freePort();
  const config = join(workFolder(), 'siteward.yaml');
  const devices = addresses.map(
    (address, index) => `  - {name: sw-${index}, address: ${address}, port: ${snmpPort}, credentials: [bench]}`,
  );
  writeFileSync(
    config,
    `site: {id: bench, client: Bench}\nhttp: {listen: 127.0.0.1:${port}}\nlog: {level: error}\ncredentials: {bench: {version: 2c, community: public}}\npolling: {availability: 1h, metrics: ${PERIOD}s, inventory: 1d}\ndevices:\n${devices.join('\n')}\n`,
  );
  const { pid, stop } = start(join(ROOT, 'scripts/siteward'), ['run', '--config', config]);
  const scrape = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  await until(
    'all devices polled',
    async () => (await scrape()).split('siteward_device_uptime_seconds{').length > DEVICES,
  );
  const run = async (seconds: number) => {
    for (let passed = 0; passed < seconds; passed += PERIOD) {
      await new Promise((resolve) => setTimeout(resolve, PERIOD * 1000));
      await scrape();
    }
  };
  return { pid, stop, fleet, run };
}

async function startExporter(fleet: Fleet, snmpPort: number): Promise<Poller> {
  const port = await freePort();
  const config = join(workFolder(), 'snmp.yml');
  const columns = [...IF_TABLE, ...IF_X_TABLE];
  const metrics = columns.map(
    ([oid, name]) =>
      `    - {name: ${name}, oid: ${oid}, type: ${TYPES[name] ?? 'counter'}, help: ${name}, indexes: [{labelname: ifIndex, type: gauge}]}`,
  );
  writeFileSync(
    config,
    `if:\n  walk: [${columns.map(([oid]) => oid).join(', ')}]\n  get: [1.3.6.1.2.1.1.3.0]\n  metrics:\n    - {name: sysUpTime, oid: 1.3.6.1.2.1.1.3, type: gauge, help: sysUpTime}\n${metrics.join('\n')}\n  version: 2\n  auth: {community: public}\n`,
  );
  const { pid, stop } = start('prometheus-snmp-exporter', [
    `--config.file=${config}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=error',
  ]);
  const probe = async (address: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/snmp?module=if&target=${address}:${snmpPort}`);
    const text = await response.text();
    if (!response.ok) throw new Error(text.slice(0, 500));
  };
  await until('snmp_exporter', async () => (await fetch(`http://127.0.0.1:${port}/`)).ok);
  // One after another. Back to back it would find its caches warm and the processor at its fastest, for four seconds.
  const run = async (seconds: number) => {
    const begin = performance.now();
    for (let poll = 0; poll < (DEVICES * seconds) / PERIOD; poll += 1) {
      const due = begin + (poll * PERIOD * 1000) / DEVICES;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
      await probe(addresses[poll % DEVICES] ?? '');
    }
  };
  return { pid, stop, fleet, run };
}
