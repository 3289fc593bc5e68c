/**
 * A small office in network namespaces: a router with two addresses, two switches, printers that move and one that is
 * swapped. Every packet on every interface is captured, from before siteward starts to after its end, and held to the ranges.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { AgentInside } from '../support/agents-inside.ts';
import { contactedOutside, goAstray, PDU, startCapture, targetsOf } from '../support/capture.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type Namespaces, openNamespaces } from '../support/namespace.ts';
import { processesWith } from '../support/process-list.ts';
import { ROOT, type RunningDaemon, startDaemon } from '../support/siteward.ts';
import { SYS } from '../support/snmp.ts';

const SERIAL = '1.3.6.1.4.1.367.3.2.1.2.1.4.0';
const MAC = '1.3.6.1.2.1.2.2.1.6.1';

const printer = (address: string, name: string, serial: string, mac: string): AgentInside => ({
  address,
  recording: 'ricoh',
  texts: { [SYS.name]: name, [SERIAL]: serial },
  octets: { [MAC]: mac },
});

/** Two addresses of one router, whose caches name addresses that nobody may be asked at. */
const router = (address: string): AgentInside => ({
  address,
  recording: 'mikrotik-routeros',
  texts: { [SYS.name]: 'gateway' },
  octets: {
    [MAC]: '4c5e0c000001',
    '1.3.6.1.2.1.4.22.1.2.1.203.0.113.9': '0200000000aa',
    '1.3.6.1.2.1.4.22.1.2.1.10.77.0.201': '0200000000ab',
    '1.3.6.1.2.1.4.22.1.2.1.10.78.1.5': '0200000000ac',
    '1.3.6.1.2.1.4.22.1.2.1.10.77.0.20': '0026730a0001',
  },
});

const lanSwitch = (address: string, name: string, mac: string, neighbour: string): AgentInside => ({
  address,
  recording: 'hp-procurve',
  texts: {
    [SYS.name]: name,
    '1.3.6.1.2.1.47.1.1.1.1.11.1': `CN${mac.slice(-8)}`,
    '1.0.8802.1.1.2.1.4.1.1.5.0.24.1': 'chassis',
    '1.0.8802.1.1.2.1.4.1.1.9.0.24.1': neighbour,
  },
  octets: { [MAC]: mac },
  numbers: { '1.0.8802.1.1.2.1.4.2.1.3.0.24.1.1.4.198.51.100.4': 1 },
});

const BEFORE = [
  router('10.77.0.2'),
  router('10.77.0.3'),
  lanSwitch('10.77.0.10', 'sw-1', '00110a000010', 'gateway'),
  lanSwitch('10.77.0.11', 'sw-2', '00110a000011', 'sw-1'),
  printer('10.77.0.20', 'copier-1', 'XXR00000101', '0026730a0001'),
  printer('10.77.0.21', 'copier-2', 'XXR00000102', '0026730a0002'),
  printer('10.77.0.200', 'excluded', 'XXR00000199', '0026730a0099'),
];
/** DHCP gave copier-1 and sw-2 other addresses; copier-2 was swapped for another of its kind. */
const AFTER = [
  router('10.77.0.2'),
  router('10.77.0.3'),
  lanSwitch('10.77.0.10', 'sw-1', '00110a000010', 'gateway'),
  lanSwitch('10.77.0.12', 'sw-2', '00110a000011', 'sw-1'),
  printer('10.77.0.30', 'copier-1', 'XXR00000101', '0026730a0001'),
  printer('10.77.0.21', 'copier-3', 'XXR00000103', '0026730a0003'),
  printer('10.77.0.200', 'excluded', 'XXR00000199', '0026730a0099'),
];
/** Where something answers ping and nothing more. */
const QUIET = ['10.77.0.50', '10.77.0.51'];

let office: Namespaces;
beforeAll(async () => {
  office = await openNamespaces();
  const addresses = new Set([...BEFORE, ...AFTER].map(({ address }) => address).concat(QUIET));
  for (const address of addresses)
    if (address !== '10.77.0.2') await office.far('ip', ['address', 'add', `${address}/24`, 'dev', 'far']);
});
afterAll(() => office.close());

const AGENTS = 'test/support/agents-inside.ts';

async function serve(agents: readonly AgentInside[]): Promise<ChildProcess> {
  const [program = '', ...rest] = office.entering('far');
  const args = [...rest, process.execPath, AGENTS, JSON.stringify(agents)];
  const child = spawn(program, args, { cwd: ROOT, stdio: ['pipe', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => chunk.includes('ready') && resolve());
    child.once('exit', (code) => reject(new Error(`the agents ended with ${code}`)));
  });
  return child;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

async function ask<T>(daemon: RunningDaemon, path: string, ...options: string[]): Promise<T> {
  const { stdout } = await office.near('curl', ['-s', ...options, `${daemon.url}${path}`]);
  return JSON.parse(stdout) as T;
}

interface Device {
  readonly name: string;
  readonly address: string;
  readonly serial: string | null;
  readonly state: string;
}

test('devices are followed through moves, a swapped one is new, and no packet goes anywhere else', async () => {
  const folder = await temporaryFolder();
  const near = await startCapture(office, 'near', join(folder, 'near.pcap'));
  onTestFinished(() => near.stop());
  const far = await startCapture(office, 'far', join(folder, 'far.pcap'));
  onTestFinished(() => far.stop());
  await goAstray(office, '10.78.1.1');
  let agents = await serve(BEFORE);
  const daemon = await startDaemon(
    {
      credentials: { office: { version: '2c', community: 'public' } },
      discovery: {
        ranges: [
          {
            range: '10.77.0.0/24',
            exclude: ['10.77.0.200/29'],
            credentials: ['office'],
            adopt: 'yes',
            max_packets_per_second: 1000,
          },
        ],
      },
      polling: { availability: '5s', metrics: '15s' },
    },
    { through: office.entering('near') },
  );
  onTestFinished(() => daemon[Symbol.asyncDispose]());
  const scans = () => daemon.log.filter(({ message }) => message === 'a range was scanned').length;
  const scanned = async (count: number) => {
    await daemon.logged(`${count} scans`, () => scans() >= count, 120_000);
    return await ask<Device[]>(daemon, '/api/v1/devices');
  };
  const names = (devices: readonly Device[]) => devices.map(({ name, address }) => `${name} ${address}`).toSorted();

  const first = await scanned(1);
  expect(names(first)).toEqual([
    'copier-1 10.77.0.20',
    'copier-2 10.77.0.21',
    'gateway 10.77.0.2',
    'sw-1 10.77.0.10',
    'sw-2 10.77.0.11',
  ]);
  await daemon.logged('that copier-1 is up', (line) => line['device'] === 'copier-1' && line['to'] === 'up');
  const candidates = await ask<{ address: string }[]>(daemon, '/api/v1/discoveries');
  expect(candidates.map(({ address }) => address)).toEqual(expect.arrayContaining(QUIET));

  await ended(agents, 'SIGKILL');
  for (const address of ['10.77.0.20', '10.77.0.11'])
    await office.far('ip', ['address', 'del', `${address}/24`, 'dev', 'far']);
  agents = await serve(AFTER);
  await ask(daemon, '/api/v1/scans', '-X', 'POST', '-H', 'Content-Type: application/json', '-d', '{}');
  const second = await scanned(2);

  expect(names(second)).toEqual([
    'copier-1 10.77.0.30',
    'copier-3 10.77.0.21',
    'gateway 10.77.0.2',
    'sw-1 10.77.0.10',
    'sw-2 10.77.0.12',
  ]);
  const told = daemon.log
    .filter(({ message }) => message === 'a device of the inventory changed')
    .map((line) => `${line['device']} ${line['kind']}`);
  expect(told).toEqual(
    expect.arrayContaining(['copier-1 re-addressed', 'sw-2 re-addressed', 'copier-2 replaced', 'copier-3 adopted']),
  );
  expect(told).not.toContain('copier-1 adopted again');
  // Its history goes on under its name: the ledger has the time before the move and after it.
  const { stdout } = await office.near('curl', ['-s', `${daemon.url}/metrics`]);
  expect(stdout).toMatch(/siteward_availability_seconds_total\{[^}]*device="copier-1"[^}]*state="up"[^}]*\} [1-9]/);

  await daemon.stop();
  await ended(agents, 'SIGKILL');
  await goAstray(office, '10.78.1.2');
  // The two strays, sent before siteward started and after it ended, show that all between them was seen, on both sides.
  const strays = ['10.78.1.1', '10.78.1.2'];
  const [sent, received] = [await near.packetsTo('10.78.1.2'), await far.packetsTo('10.78.1.2')];
  expect(contactedOutside(sent, isInside)).toEqual(strays);
  expect(targetsOf(PDU.set, sent)).toEqual(strays);
  expect(targetsOf(PDU.set, received)).toEqual(strays);
  const outside = received.filter(({ source, target }) => source === '10.77.0.1' && !isInside(target));
  expect(new Set(outside.map(({ target }) => target))).toEqual(new Set(strays));
  expect(targetsOf(PDU.get, sent)).toEqual(
    expect.arrayContaining([...BEFORE, ...AFTER].map(({ address }) => address).filter(isInside)),
  );
  console.info(`${sent.length} packets seen where siteward is, ${received.length} where the devices are`);

  expect(await processesWith(daemon.folder)).toEqual([]);
  expect(await processesWith(AGENTS)).toEqual([]);
  expect(await processesWith(folder)).toEqual([]);
});

function isInside(address: string): boolean {
  const [, last] = /^10\.77\.0\.(\d+)$/.exec(address) ?? [];
  return last !== undefined && !(Number(last) >= 200 && Number(last) <= 207);
}
