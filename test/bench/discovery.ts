/**
 * Scans beside polling, by a daemon in a network namespace: how late polls start and how much of a core goes, without a scan
 * and while a /24 with 30 devices, or a /20 with 500, is scanned again and again.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseExposition, type Sample, samplesOf } from '../support/exposition.ts';
import { recordedDevices, startFleet } from '../support/fleet.ts';
import { type Namespaces, openNamespaces } from '../support/namespace.ts';
import { cpuSeconds, ROOT, start, until, workFolder } from './processes.ts';
import { type Figure, printTable } from './table.ts';

const POLLED = 100;
const WINDOW = 45_000;
const SMALL = '10.79.64.0/24';
const LARGE = '10.79.0.0/20';
/** 30 devices of the small range, 500 of the large one, and those that are polled. First addresses are not asked. */
const ALIVE = {
  [SMALL]: ['10.79.64.0/28', '10.79.64.16/29', '10.79.64.24/30', '10.79.64.28/31', '10.79.64.30/32'],
  [LARGE]: ['10.79.0.0/24', '10.79.1.0/25', '10.79.1.128/26', '10.79.1.192/27', '10.79.1.224/28', '10.79.1.240/30'],
  polled: ['10.79.80.0/24'],
};
const EXTRA = '10.79.1.244/32';

export async function benchDiscovery(): Promise<Figure[]> {
  const office = await openNamespaces();
  for (const network of [LARGE, SMALL, ...ALIVE.polled]) {
    await office.near('ip', ['route', 'add', network, 'via', '10.77.0.2']);
    await office.far('ip', ['route', 'add', 'blackhole', network]);
  }
  for (const range of [...Object.values(ALIVE).flat(), EXTRA])
    await office.far('ip', ['route', 'add', 'local', range, 'dev', 'lo']);
  const recordings = recordedDevices().map(({ path }) => [path, ''] as const);
  const fleet = await startFleet(161, recordings, { options: ['-s'], through: office.entering('far') });
  try {
    const small = figures(await measured(office, SMALL), '/24', 30, 30);
    printTable(small); // the other takes minutes
    return [...small, ...figures(await measured(office, LARGE), '/20', 500, 240)];
  } finally {
    await fleet.stop();
    await office.close();
  }
}

async function measured(office: Namespaces, range: string): Promise<Measured> {
  const folder = workFolder();
  const config = join(folder, 'siteward.yaml');
  writeFileSync(config, JSON.stringify(settings(range)));
  const [command = '', ...entering] = office.entering('near');
  const daemon = start(command, [...entering, join(ROOT, 'scripts/siteward'), 'run', '--config', config], {}, 'pipe');
  const scans: number[] = [];
  const { stdout } = daemon.child;
  if (stdout)
    createInterface({ input: stdout }).on('line', (line) => {
      const { message, answering } = JSON.parse(line);
      if (message === 'a range was scanned') scans.push(Number(answering));
    });
  const ask = async (path: string, ...more: string[]) =>
    (await office.near('curl', ['-s', ...more, `http://127.0.0.1:9720${path}`])).stdout;
  const scrape = async () => parseExposition(await ask('/metrics'));
  const during = async (work: () => Promise<void>): Promise<Load> => {
    const before = { cpu: cpuSeconds(daemon.pid), lag: lateness(await scrape()), at: performance.now() };
    await work();
    const seconds = (performance.now() - before.at) / 1000;
    const cpu = (cpuSeconds(daemon.pid) - before.cpu) / seconds;
    return { seconds, cpu, ...p99(before.lag, lateness(await scrape())) };
  };
  try {
    await until('a first scan', async () => scans.length > 0, 400_000);
    const known = async () => samplesOf(await scrape(), 'siteward_device_info').length;
    await until('the recognition of all', async () => (await known()) >= POLLED, 120_000);
    const quiet = await during(() => new Promise((resolve) => setTimeout(resolve, WINDOW)));
    const first = scans.length;
    const scanned = await during(async () => {
      for (const end = performance.now() + WINDOW; performance.now() < end; ) {
        const done = scans.length;
        await ask('/api/v1/scans', '-X', 'POST', '-H', 'content-type: application/json', '-d', '{}');
        await until('a scan', async () => scans.length > done, 400_000);
      }
    });
    return { quiet, scanned, each: scanned.seconds / (scans.length - first), answering: scans.at(-1) ?? 0 };
  } finally {
    await daemon.stop();
  }
}

function settings(range: string): unknown {
  return {
    site: { id: 'bench', client: 'Bench' },
    http: { listen: '127.0.0.1:9720' },
    credentials: { office: { version: '2c', community: 'public' } },
    discovery: { ranges: [{ range, credentials: ['office'], adopt: 'ask' }] },
    polling: { availability: '10s', metrics: '30s' },
    devices: Array.from({ length: POLLED }, (_, index) => ({
      name: `d-${index}`,
      address: `10.79.80.${index + 1}`,
      credentials: ['office'],
    })),
  };
}

interface Load {
  readonly seconds: number;
  /** Share of a core, ended children included. */
  readonly cpu: number;
  /** Lateness that 99 % of cycles keep to, in seconds, interpolated between the bounds of the daemon's histogram. */
  readonly late: number;
  readonly cycles: number;
}

type Lateness = readonly (readonly [bound: number, count: number])[];

function lateness(samples: readonly Sample[]): Lateness {
  return samplesOf(samples, 'siteward_scheduler_lag_seconds_bucket')
    .map(({ labels, value }) => [labels['le'] === '+Inf' ? Infinity : Number(labels['le']), value] as const)
    .toSorted((a, b) => a[0] - b[0]);
}

function p99(before: Lateness, after: Lateness): Pick<Load, 'late' | 'cycles'> {
  const between = after.map(([bound, count], index) => [bound, count - (before[index]?.[1] ?? 0)] as const);
  const cycles = between.at(-1)?.[1] ?? 0;
  const wanted = 0.99 * cycles;
  const at = between.findIndex(([, count]) => count >= wanted);
  const [bound = Number.NaN, count = 0] = between[at] ?? [];
  const [low, under] = between[at - 1] ?? [0, 0];
  return { cycles, late: low + ((bound - low) * (wanted - under)) / (count - under) };
}

interface Measured {
  readonly quiet: Load;
  readonly scanned: Load;
  /** Seconds that a scan took. */
  readonly each: number;
  readonly answering: number;
}

function figures(
  { quiet, scanned, each, answering }: Measured,
  range: string,
  devices: number,
  goal: number,
): Figure[] {
  const late = ({ late: seconds, cycles }: Load) => `${(seconds * 1000).toFixed(1)} ms (${cycles} cycles)`;
  const share = ({ cpu }: Load) => `${(cpu * 100).toFixed(1)} %`;
  return [
    {
      what: `p99 lateness of ${POLLED} polled devices, ${range} scanned`,
      siteward: late(scanned),
      beside: `${late(quiet)} (no scan)`,
      ratio: `${((scanned.late - quiet.late) * 1000).toFixed(1)} ms more`,
      goal: '<= 50 ms more',
    },
    {
      what: `share of a core, fping included, ${range} scanned`,
      siteward: share(scanned),
      beside: `${share(quiet)} (no scan)`,
      ratio: `${((scanned.cpu - quiet.cpu) * 100).toFixed(1)} points more`,
      goal: '<= 10 %',
    },
    {
      what: `scan of a ${range} with ${devices} devices (${answering} answered)`,
      siteward: `${each.toFixed(1)} s`,
      beside: '-',
      ratio: '-',
      goal: `<= ${goal} s`,
    },
  ];
}
