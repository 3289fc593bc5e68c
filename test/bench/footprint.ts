/** 200 devices at the default intervals: memory, processor share, and how soon the first one is read. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuSeconds, Fleet, freePort, ROOT, residentBytes, settled, start, until, workFolder } from './processes.ts';
import type { Figure } from './table.ts';

const DEVICES = 200;
const PORT = 1162;
const MEASURED = 120_000;
const RECORDINGS = [
  'jetstream_t1600g-28ts',
  'fortigate_60f',
  'linux_ntc',
  'windows_svr_2019_1809',
  'ricoh_mpc2503',
  'apc_smx750i',
  'dsm_ds214se-dsm7',
  'jetdirect_m880',
];

export async function benchFootprint(): Promise<Figure[]> {
  const fleet = new Fleet(
    PORT,
    RECORDINGS.map((name) => `${name}.snmprec`),
    ['-s'],
  );
  const port = await freePort();
  const config = join(workFolder(), 'siteward.yaml');
  const devices = Array.from(
    { length: DEVICES },
    (_, index) => `  - {name: d-${index}, address: 127.6.0.${index + 1}, port: ${PORT}, credentials: [bench]}`,
  );
  writeFileSync(
    config,
    `site: {id: bench, client: Bench}\nhttp: {listen: 127.0.0.1:${port}}\nlog: {level: error}\ncredentials: {bench: {version: 2c, community: public}}\ndevices:\n${devices.join('\n')}\n`,
  );
  const begin = performance.now();
  const daemon = start(join(ROOT, 'scripts/siteward'), ['run', '--config', config]);
  try {
    const scrape = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    await until('a first reading', async () => (await scrape()).includes('siteward_device_uptime_seconds{'));
    const first = (performance.now() - begin) / 1000;
    const recognised = async () => (await scrape()).match(/^siteward_device_info\{.*profile="[^"]+"/gm)?.length ?? 0;
    await until('the recognition of all devices', async () => (await recognised()) >= DEVICES, 120_000);
    await settled(scrape);
    const early = await measured(daemon.pid, scrape);
    // A tenth to a fifth of the first ten minutes' work is V8's compiler.
    await settled(scrape, 4);
    const late = await measured(daemon.pid, scrape);
    return [
      { what: 'start to first reading', siteward: `${first.toFixed(1)} s`, beside: '-', ratio: '-', goal: '<= 2 s' },
      {
        what: `RSS, ${DEVICES} devices`,
        siteward: `${(Math.max(early.most, late.most) / 1e6).toFixed(1)} MB`,
        beside: '-',
        ratio: '-',
        goal: '<= 120 MB',
      },
      ...[
        { share: early.share, when: 'minutes 6 and 7' },
        { share: late.share, when: 'minutes 12 and 13' },
      ].map(({ share, when }) => ({
        what: `share of a core, fping included, ${when}`,
        siteward: `${(share * 100).toFixed(1)} %`,
        beside: '-',
        ratio: '-',
        goal: '<= 3 %',
      })),
    ];
  } finally {
    await daemon.stop();
    await fleet.stop();
  }
}

/** The share of a core that the process and its children take for two minutes, and its greatest resident memory in bytes. */
async function measured(pid: number, scrape: () => Promise<unknown>): Promise<{ share: number; most: number }> {
  const before = { cpu: cpuSeconds(pid), at: performance.now() };
  let most = 0;
  for (const end = performance.now() + MEASURED; performance.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 15_000));
    await scrape();
    most = Math.max(most, residentBytes(pid));
  }
  return { share: (cpuSeconds(pid) - before.cpu) / ((performance.now() - before.at) / 1000), most };
}
