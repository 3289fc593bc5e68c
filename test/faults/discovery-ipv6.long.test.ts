/**
 * A device that speaks IPv6 alone, behind a router whose real snmpd tells its kernel's neighbour table (RFC 4293): the only
 * way to hear of it. Nobody else of that table is asked, and everything ends with the test.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { AgentInside } from '../support/agents-inside.ts';
import { contactedOutside, goAstray, PDU, startCapture, targetsOf } from '../support/capture.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type Namespaces, openNamespaces } from '../support/namespace.ts';
import { processesWith } from '../support/process-list.ts';
import { ROOT, startDaemon } from '../support/siteward.ts';
import { SYS } from '../support/snmp.ts';

const ONLY_IPV6 = 'fd00:79::30';
/** Known to the router as well, and in no range. */
const ELSEWHERE = 'fd00:7a::40';

let office: Namespaces;
beforeAll(async () => {
  office = await openNamespaces();
});
afterAll(() => office.close());

/** Behind `far`, which forwards: a third namespace with no IPv4 at all. */
async function networkBehind(): Promise<readonly string[]> {
  const [program = '', ...entering] = office.entering('far');
  const child = spawn(program, [...entering, 'unshare', '--net', 'sh', '-c', 'echo $$; read -r _'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const behind = said.toString().trim();
  const inside = ['nsenter', '--target', behind, '--net', '--'];
  const far = (line: string) => run('far', line.split(' '));
  await far(`ip link add lan type veth peer name port netns ${behind}`);
  await far('sysctl -q -w net.ipv6.conf.all.forwarding=1');
  for (const network of ['fd00:79::', 'fd00:7a::']) await far(`ip -6 address add ${network}1/64 dev lan nodad`);
  await far('ip link set lan up');
  for (const address of [ONLY_IPV6, ELSEWHERE])
    await run('far', [...inside, 'ip', '-6', 'address', 'add', `${address}/64`, 'dev', 'port', 'nodad']);
  for (const link of ['lo', 'port']) await run('far', [...inside, 'ip', 'link', 'set', link, 'up']);
  await run('far', [...inside, 'ip', '-6', 'route', 'add', 'default', 'via', 'fd00:79::1']);
  for (const network of ['fd00:79::/64', 'fd00:7a::/64'])
    await run('near', ['ip', '-6', 'route', 'add', network, 'via', 'fd00:77::2']);
  return inside;
}

async function run(where: 'near' | 'far', [command = '', ...args]: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await office[where](command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`);
}

/** Net-SNMP's own snmpd, that says it is a router: its tables are those of the kernel. */
async function startRouter(folder: string): Promise<void> {
  const state = join(folder, 'state');
  await mkdir(state);
  await writeFile(
    join(folder, 'snmpd.conf'),
    'rocommunity public\nsysObjectID .1.3.6.1.4.1.14988.1\nsysDescr RouterOS CCR2004\nsysName gateway\n',
  );
  const [program = '', ...entering] = office.entering('far');
  const child = spawn(program, [...entering, 'snmpd', '-f', '-Lo', 'udp:10.77.0.2:161'], {
    env: { ...process.env, SNMPCONFPATH: `${folder}:${state}`, SNMP_PERSISTENT_DIR: state, MIBS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
}

async function startDevice(inside: readonly string[]): Promise<void> {
  const device: AgentInside = { address: ONLY_IPV6, recording: 'ricoh', texts: { [SYS.name]: 'copier-6' } };
  const [program = '', ...entering] = office.entering('far');
  const args = [...entering, ...inside, process.execPath, 'test/support/agents-inside.ts', JSON.stringify([device])];
  const child = spawn(program, args, { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
}

test('is found in the neighbour table of its router, recognised, adopted and polled', async () => {
  const folder = await temporaryFolder();
  const inside = await networkBehind();
  await startRouter(folder);
  await startDevice(inside);
  // It talks to its router as any device does; the kernel remembers.
  for (const address of [ONLY_IPV6, ELSEWHERE]) await run('far', ['ping', '-q', '-c', '1', address]);
  const near = await startCapture(office, 'near', join(folder, 'near.pcap'));
  onTestFinished(() => near.stop());
  const daemon = await startDaemon(
    {
      credentials: { office: { version: '2c', community: 'public' } },
      discovery: {
        // The one that cannot be swept first: the order of the config must not matter.
        ranges: [
          { range: 'fd00:79::/64', credentials: ['office'], adopt: 'yes' },
          { range: '10.77.0.0/28', credentials: ['office'], adopt: 'yes' },
        ],
      },
      polling: { availability: '5s', metrics: '15s' },
    },
    { through: office.entering('near') },
  );
  onTestFinished(() => daemon[Symbol.asyncDispose]());

  await daemon.logged('that it is up', (line) => line['device'] === 'copier-6' && line['to'] === 'up', 60_000);
  const { stdout } = await office.near('curl', ['-s', `${daemon.url}/api/v1/devices`]);
  const devices = JSON.parse(stdout) as { name: string; address: string; class: string; state: string }[];
  expect(devices).toContainEqual(
    expect.objectContaining({ name: 'copier-6', address: ONLY_IPV6, class: 'printer', state: 'up' }),
  );
  await expect
    .poll(async () => (await office.near('curl', ['-s', `${daemon.url}/metrics`])).stdout, {
      timeout: 30_000,
      interval: 500,
    })
    .toMatch(/siteward_printer_meter_pages_total\{[^}]*device="copier-6"[^}]*\} [1-9]/);

  await daemon.stop();
  await goAstray(office, '10.78.1.2');
  const sent = await near.packetsTo('10.78.1.2');
  const isInside = (address: string) => /^(fd00:79:|10\.77\.0\.([1-9]|1[0-5])$)/.test(address);
  // Its own network's router is looked for by the kernel, as the way to the others leads through it.
  expect(contactedOutside(sent, (address) => isInside(address) || address === 'fd00:77::2')).toEqual(['10.78.1.2']);
  expect(targetsOf(PDU.set, sent)).toEqual(['10.78.1.2']);
  expect(targetsOf(PDU.get, sent)).toContain(ONLY_IPV6);
  expect(await processesWith(daemon.folder)).toEqual([]);
});
