/** The real nmap on a sparse /20: five machines with open ports among 4,091 addresses that say nothing at all. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Milliseconds } from '#collectors/contract.ts';
import type { AllowedAddress } from '#collectors/discovery/gate.ts';
import { scanPorts } from '#collectors/discovery/nmap.ts';
import { parseRange, slices } from '#config/ranges.ts';
import { systemClock } from '#daemon/clock.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type Namespaces, openNamespaces } from '../support/namespace.ts';
import { processesWith, zombies } from '../support/process-list.ts';
import { forever } from '../support/snmp.ts';

const RANGE = '10.79.0.0/20';
const PORTS = [22, 80, 8006, 9100];
const ALIVE = ['10.79.0.9', '10.79.3.77', '10.79.7.200', '10.79.12.1', '10.79.15.254'];

let office: Namespaces;
/** nmap where siteward looks from. */
let nmapPath: string;
beforeAll(async () => {
  office = await openNamespaces();
  await office.near('ip', ['route', 'add', RANGE, 'via', '10.77.0.2']);
  await office.far('ip', ['route', 'add', 'blackhole', RANGE]);
  for (const address of ALIVE) await office.far('ip', ['route', 'add', 'local', address, 'dev', 'lo']);
});
afterAll(() => office.close());

async function listen(): Promise<void> {
  const [program = '', ...entering] = office.entering('far');
  const script = `const listening = ${JSON.stringify(PORTS)}.map((port) => new Promise((resolve) =>
      require('node:net').createServer((s) => s.destroy()).listen(port, '0.0.0.0', resolve)));
    Promise.all(listening).then(() => console.log('ready')); process.stdin.resume().once('close', () => process.exit())`;
  const child = spawn(program, [...entering, process.execPath, '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
}

const everyone = () => slices(parseRange(RANGE)).flat() as AllowedAddress[];

async function expectNothingLeft(): Promise<void> {
  expect(await processesWith(nmapPath)).toEqual([]);
  expect(await processesWith('nmap -oX')).toEqual([]);
  expect(await processesWith('nmap-worker.ts')).toEqual([]);
  expect(await zombies()).toEqual([]);
}

test('past its deadline it is gone in five seconds, and the next scan, of all addresses, ends by itself and finds the open ports', async () => {
  await listen();
  nmapPath = join(await temporaryFolder(), 'nmap');
  await writeFile(nmapPath, `#!/bin/sh\nexec ${office.entering('near').join(' ')} nmap "$@"\n`);
  await chmod(nmapPath, 0o755);
  const [memory, began] = [process.memoryUsage().rss, performance.now()];
  let seen: string[] = [];
  const look = setInterval(async () => {
    const found = await processesWith('nmap -oX');
    if (found.length > seen.length) seen = found;
  }, 1_000);
  onTestFinished(() => clearInterval(look));

  const cut = await scanPorts(
    everyone(),
    { packetsPerSecond: 1_000, nmapPath, deadline: 10_000 as Milliseconds },
    { clock: systemClock, signal: forever },
  );

  clearInterval(look);
  const ended = performance.now() - began;
  expect(cut.problem?.code).toBe('DISCOVERY_NMAP_HANGS');
  expect(seen.length).toBeGreaterThan(0);
  expect(ended).toBeLessThan(15_000);
  await expectNothingLeft();

  const again = performance.now();
  const { hosts, problem } = await scanPorts(
    everyone(),
    { packetsPerSecond: 1_000, nmapPath },
    { clock: systemClock, signal: forever },
  );
  const took = performance.now() - again;
  const grown = process.memoryUsage().rss - memory;

  console.info(
    `a /20 of 4,094 addresses: ended ${((ended - 10_000) / 1000).toFixed(1)} s after its deadline; whole in ${(took / 1000).toFixed(0)} s, ${(grown / 1e6).toFixed(1)} MB more`,
  );
  expect(problem).toBeUndefined();
  const open = [...hosts].flatMap(([address, ports]) =>
    ports.length > 0 ? [[address, ports.map((p) => p.port)]] : [],
  );
  expect(open).toEqual(ALIVE.map((address) => [address, PORTS]));
  expect(grown).toBeLessThan(20_000_000);
  await expectNothingLeft();
});
