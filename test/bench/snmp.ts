/** One switch recording on 200 addresses: requests and processor time per device poll, siteward beside snmp_exporter. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuSeconds, Fleet, freePort, ROOT, residentBytes, settled, start, until, workFolder } from './processes.ts';
import { type Figure, ms } from './table.ts';

const DEVICES = 200;
const SNMP_PORT = 1161;
const RECORDING = 'jetstream_t1600g-28ts.snmprec';
const PERIOD = 15;
const MEASURED = 60;

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

export async function benchSnmp(): Promise<Figure[]> {
  const fleet = new Fleet(SNMP_PORT, [RECORDING]);
  try {
    const siteward = await sitewardCost(fleet);
    const exporter = await exporterCost(fleet);
    return [
      figure(
        'SNMP requests per device poll',
        siteward.requests,
        exporter.requests,
        (value) => value.toFixed(1),
        '<= 0.25',
      ),
      figure('CPU per device poll, /metrics every 15 s', siteward.cpu, exporter.cpu, ms, '<= 0.20'),
    ];
  } finally {
    await fleet.stop();
  }
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

async function sitewardCost(fleet: Fleet): Promise<Cost> {
  const port = await freePort();
  const folder = workFolder();
  const config = join(folder, 'siteward.yaml');
  const devices = addresses.map(
    (address, index) => `  - {name: sw-${index}, address: ${address}, port: ${SNMP_PORT}, credentials: [bench]}`,
  );
  writeFileSync(
    config,
    `site: {id: bench, client: Bench}\nhttp: {listen: 127.0.0.1:${port}}\nlog: {level: error}\ncredentials: {bench: {version: 2c, community: public}}\npolling: {availability: 1h, metrics: ${PERIOD}s, inventory: 1d}\ndevices:\n${devices.join('\n')}\n`,
  );
  const daemon = start(join(ROOT, 'scripts/siteward'), ['run', '--config', config]);
  try {
    const scrape = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    await until(
      'all devices polled',
      async () => (await scrape()).split('siteward_device_uptime_seconds{').length > DEVICES,
    );
    await settled(scrape);
    const before = { requests: await fleet.requests(), cpu: cpuSeconds(daemon.pid) };
    for (let passed = 0; passed < MEASURED; passed += PERIOD) {
      await new Promise((resolve) => setTimeout(resolve, PERIOD * 1000));
      await scrape();
    }
    const polls = (DEVICES * MEASURED) / PERIOD;
    const cost = {
      requests: ((await fleet.requests()) - before.requests) / polls,
      cpu: (cpuSeconds(daemon.pid) - before.cpu) / polls,
    };
    console.log(`siteward: ${polls} polls, RSS ${Math.round(residentBytes(daemon.pid) / 1e6)} MB`);
    return cost;
  } finally {
    await daemon.stop();
  }
}

async function exporterCost(fleet: Fleet): Promise<Cost> {
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
  const exporter = start('prometheus-snmp-exporter', [
    `--config.file=${config}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=error',
  ]);
  try {
    const probe = async (address: string) => {
      const response = await fetch(`http://127.0.0.1:${port}/snmp?module=if&target=${address}:${SNMP_PORT}`);
      const text = await response.text();
      if (!response.ok) throw new Error(text.slice(0, 500));
    };
    await until('snmp_exporter', async () => (await fetch(`http://127.0.0.1:${port}/`)).ok);
    for (const address of addresses) await probe(address);
    const before = { requests: await fleet.requests(), cpu: cpuSeconds(exporter.pid) };
    // As Prometheus scrapes it and as siteward polls: each device every 15 s, one after another. Back to back it would find
    // its caches warm and the processor at its fastest, for four seconds.
    const polls = (DEVICES * MEASURED) / PERIOD;
    const begin = performance.now();
    for (let poll = 0; poll < polls; poll += 1) {
      const due = begin + (poll * PERIOD * 1000) / DEVICES;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
      await probe(addresses[poll % DEVICES] ?? '');
    }
    return {
      requests: ((await fleet.requests()) - before.requests) / polls,
      cpu: (cpuSeconds(exporter.pid) - before.cpu) / polls,
    };
  } finally {
    await exporter.stop();
  }
}
