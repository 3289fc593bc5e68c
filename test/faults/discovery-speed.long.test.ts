/**
 * How fast a site is found, and with how many packets, beside `nmap -sn` and a sweep of UDP 161 by nmap in the same run.
 * Addresses that answer and addresses that do not, behind a router, as a site looks from its appliance.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Fleet, fleetIsThere, recordedDevices, startFleet } from '../support/fleet.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type Namespaces, openNamespaces } from '../support/namespace.ts';
import { SITEWARD, startDaemon } from '../support/siteward.ts';

const HERTZ = 100;

describe.skipIf(!fleetIsThere())('speed', () => {
  let office: Namespaces;
  let fleet: Fleet;
  beforeAll(async () => {
    office = await openNamespaces();
    // 10.79.0.0/20 behind the router: 500 devices in its lowest addresses, nobody above. 10.79.64.0/24: 31 devices. A range's
    // own first address is not asked, so one more address answers than there are devices.
    for (const route of ['10.79.0.0/20', '10.79.64.0/24']) {
      await office.near('ip', ['route', 'add', route, 'via', '10.77.0.2']);
      await office.far('ip', ['route', 'add', 'blackhole', route]);
    }
    const alive = ['10.79.0.0/24', '10.79.1.0/25', '10.79.1.128/26', '10.79.1.192/27', '10.79.1.224/28'];
    alive.push('10.79.1.240/30', '10.79.1.244/32', '10.79.64.0/27');
    for (const range of alive) await office.far('ip', ['route', 'add', 'local', range, 'dev', 'lo']);
    const paths = recordedDevices().map(({ path }) => [path, ''] as const);
    fleet = await startFleet(161, paths, { through: office.entering('far') });
  });
  afterAll(async () => {
    await fleet.stop();
    await office.close();
  });

  async function sent(): Promise<number> {
    const { stdout } = await office.near('ip', ['-json', '-statistics', 'link', 'show', 'near']);
    return Number(JSON.parse(stdout)[0].stats64.tx.packets);
  }

  async function measured(command: string, args: readonly string[], env: readonly string[] = []) {
    const [before, started] = [await sent(), performance.now()];
    const { stdout, stderr } = await office.near('env', [...env, command, ...args]);
    return { stdout, stderr, seconds: (performance.now() - started) / 1000, packets: (await sent()) - before };
  }

  async function discovered(range: string) {
    const home = await temporaryFolder();
    const result = await measured(SITEWARD, ['discover', range, '--json'], [`XDG_STATE_HOME=${home}`]);
    const { found, answering, packets_sent, seconds } = JSON.parse(result.stdout) as {
      found: { addresses: string[]; class: string | null }[];
      answering: string[];
      packets_sent: number;
      seconds: number;
    };
    const addresses = found.flatMap((each) => each.addresses);
    return {
      addresses,
      classed: found.filter((each) => each.class !== null).length,
      answering,
      packets: result.packets,
      packets_sent,
      seconds,
    };
  }

  test('a /24 with 30 devices takes less than 30 s', async () => {
    const mine = await discovered('10.79.64.0/24');
    const sweep = await measured('nmap', ['-n', '-sn', '10.79.64.0/24']);
    const snmp = await measured('nmap', ['-n', '-Pn', '-sU', '-p', '161', '--max-rate', '200', '10.79.64.0/24']);

    console.log(
      `/24, 30 devices: siteward ${mine.seconds.toFixed(1)} s, ${mine.packets} packets (${(mine.packets / mine.addresses.length).toFixed(1)} per device found, all identified); nmap -sn ${sweep.seconds.toFixed(1)} s, ${sweep.packets} packets; nmap -sU ${snmp.seconds.toFixed(1)} s, ${snmp.packets} packets (${((sweep.packets + snmp.packets) / mine.addresses.length).toFixed(1)} per device, none identified)`,
    );
    expect(mine.addresses.length).toBeGreaterThanOrEqual(30);
    expect(mine.seconds).toBeLessThan(30);
    expect(mine.packets).toBeLessThanOrEqual(mine.packets_sent * 1.05 + 20);
  });

  test('a /20 with 500 devices takes less than four minutes, and the daemon a tenth of a core', async () => {
    const mine = await discovered('10.79.0.0/20');
    console.log(
      `/20, 500 devices: siteward ${mine.seconds.toFixed(1)} s, ${mine.packets} packets, ${mine.addresses.length} addresses identified`,
    );
    expect(mine.seconds).toBeLessThan(240);
    expect(mine.addresses.length).toBe(500);

    await using daemon = await startDaemon(
      {
        credentials: { office: { version: '2c', community: 'public' } },
        devices: [{ name: 'watched', address: '10.79.64.1', credentials: ['office'] }],
        polling: { availability: '5s', metrics: '15s' },
        discovery: { ranges: [{ range: '10.79.0.0/20', credentials: ['office'] }] },
      },
      { through: office.entering('near') },
    );
    const cpu = () => {
      const [, , ...fields] = readFileSync(`/proc/${daemon.pid}/stat`, 'utf8').replace(/^.*\)/, 'x x').split(' ');
      return (Number(fields[11]) + Number(fields[12])) / HERTZ;
    };
    const [started, before] = [performance.now(), cpu()];
    await daemon.logged('the scan', ({ message }) => message === 'a range was scanned', 300_000);
    const seconds = (performance.now() - started) / 1000;
    const share = (cpu() - before) / seconds;
    console.log(`daemon during the scan of a /20: ${seconds.toFixed(1)} s, ${(100 * share).toFixed(1)} % of a core`);
    expect(share).toBeLessThan(0.1);
  });
});
