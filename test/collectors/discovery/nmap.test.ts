import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, isIP } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Milliseconds } from '#collectors/contract.ts';
import type { AllowedAddress } from '#collectors/discovery/gate.ts';
import { type PortScan, scanPorts } from '#collectors/discovery/nmap.ts';
import { NmapReader } from '#collectors/discovery/nmap-xml.ts';
import { systemClock } from '#daemon/clock.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { processesWith, zombies } from '../../support/process-list.ts';
import { hostileText, seededRandom } from '../../support/random.ts';
import { ROOT } from '../../support/siteward.ts';
import { forever } from '../../support/snmp.ts';

const ADDRESS = '127.19.0.1' as AllowedAddress;

interface StandIn {
  readonly path: string;
  readonly folder: string;
}

/** A program in nmap's place. `$mark` is in the command line of everything that it starts. */
async function standIn(script: string): Promise<StandIn> {
  const folder = await temporaryFolder();
  const path = join(folder, 'nmap');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return { path, folder };
}

async function scanned(
  path: string | undefined,
  deadline = 20_000,
  signal = AbortSignal.timeout(40_000),
): Promise<PortScan> {
  return await scanPorts(
    [ADDRESS],
    { packetsPerSecond: 1_000, deadline: deadline as Milliseconds, ...(path === undefined ? {} : { nmapPath: path }) },
    { clock: systemClock, signal },
  );
}

const HEAD = '<?xml version="1.0"?><!DOCTYPE nmaprun><nmaprun scanner="nmap">';
const HOST = (ports: string) =>
  `<host><status state="up"/><address addr="${ADDRESS}" addrtype="ipv4"/><ports>${ports}</ports></host>`;
const END = '<runstats><finished exit="success"/></runstats></nmaprun>';

test('the real nmap tells the open ports, also one that its own list does not name', async () => {
  const server = createServer((socket) => socket.on('error', () => {})).listen(8006, ADDRESS);
  await once(server, 'listening');
  onTestFinished(() => void server.close());

  const { hosts, problem } = await scanned(undefined);

  expect(problem).toBeUndefined();
  expect(hosts.get(ADDRESS)).toMatchObject([{ protocol: 'tcp', port: 8006 }]);
});

test('an open port without a service does not end anything', async () => {
  const { path } = await standIn(
    `cat <<'X'\n${HEAD}${HOST('<port protocol="tcp" portid="8006"><state state="open"/></port>')}${END}\nX`,
  );

  expect((await scanned(path)).hosts.get(ADDRESS)).toEqual([{ protocol: 'tcp', port: 8006 }]);
});

test('a warning on standard error costs no result', async () => {
  const { path } = await standIn(
    `echo 'RTTVAR has grown to over 2.3 seconds' >&2\ncat <<'X'\n${HEAD}${HOST('')}${END}\nX`,
  );

  expect((await scanned(path)).problem).toBeUndefined();
});

test('no argument is made of anything but addresses and fixed options', async () => {
  const { path, folder } = await standIn(
    `for a in "$@"; do echo "$a" >> "$(dirname "$0")/args"; done\ncat <<'X'\n${HEAD}${END}\nX`,
  );
  await scanned(path);
  const args = (await readFile(join(folder, 'args'), 'utf8')).trim().split('\n');

  expect(args.at(-1)).toBe(ADDRESS);
  expect(args).toContain('--host-timeout');
  expect(args).not.toContain('-oN');
  await expect(
    scanPorts(
      ['127.0.0.1 -oN /tmp/x' as AllowedAddress],
      { packetsPerSecond: 10, nmapPath: path },
      { clock: systemClock, signal: AbortSignal.timeout(1000) },
    ),
  ).rejects.toThrow(/no address/);
});

test('a thousand hostile targets are refused before anything is started', async () => {
  const { path, folder } = await standIn('touch "$(dirname "$0")/started"');
  const random = seededRandom(17);
  const targets = Array.from({ length: 1_000 }, (_, index) => {
    const text = hostileText(random).slice(0, 200);
    return [text, `-${text}`, `${ADDRESS} ${text}`, `${text}\n${ADDRESS}`, `${ADDRESS}/${text}`][index % 5] ?? '';
  }).filter((text) => isIP(text) === 0);
  expect(targets).toHaveLength(1_000);

  for (const target of targets)
    await expect(
      scanPorts(
        [ADDRESS, target as AllowedAddress],
        { packetsPerSecond: 10, nmapPath: path },
        { clock: systemClock, signal: forever },
      ),
    ).rejects.toThrow(/no address/);

  expect(await readdir(folder)).toEqual(['nmap']);
  expect(await processesWith(folder)).toEqual([]);
});

/** Tells the most handlers seen while the worker works, and what is left of the package in it as it replies. */
const TELL_TALE = `
import { writeFileSync } from 'node:fs';
let most = 0;
const look = () => {
  most = Math.max(most, ...['uncaughtException', 'SIGINT'].map((event) => process.listenerCount(event)));
};
setInterval(look, 20).unref();
const send = process.send.bind(process);
process.send = (...message) => {
  look();
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  writeFileSync(process.env.SEEN, JSON.stringify({ most, timers }));
  return send(...message);
};
`;

test('the process that scans has no handler of the package, and is left without a timer of it', async () => {
  const { path, folder } = await standIn('sleep 0.3; exit 1'); // the package keeps its timer after a scan that failed
  const seen = join(folder, 'seen');
  const worker = fork(join(ROOT, 'collectors/discovery/nmap-worker.ts'), {
    detached: true,
    execArgv: ['--import', `data:text/javascript,${encodeURIComponent(TELL_TALE)}`],
    env: { ...process.env, SEEN: seen },
  });
  const ended = once(worker, 'exit');
  worker.send({ nmapPath: path, options: ['-n'], addresses: [ADDRESS] });
  await once(worker, 'message');
  await ended;

  const { most, timers } = JSON.parse(await readFile(seen, 'utf8')) as { most: number; timers: number };
  expect(most).toBe(0);
  expect(timers).toBeLessThanOrEqual(1); // of the worker's own
});

test.each([
  ['sleeps for ever', 'exec sleep 7654321', 'DISCOVERY_NMAP_HANGS'],
  ['ignores TERM', "trap '' TERM INT HUP; while :; do sleep 7654321; done", 'DISCOVERY_NMAP_HANGS'],
  ['forks a child and hangs', 'sleep 7654321 & sleep 7654321', 'DISCOVERY_NMAP_HANGS'],
  ['leaves a child behind', `sleep 7654321 & cat <<'X'\n${HEAD}${END}\nX`, undefined],
  ['exits with 139', 'exit 139', 'DISCOVERY_NMAP_FAILED'],
  ['is ended by a violation of memory', 'kill -SEGV $$', 'DISCOVERY_NMAP_FAILED'],
  ['exits with 0 and nothing', 'exit 0', 'DISCOVERY_NMAP_FAILED'],
  ['writes no XML', 'echo Starting Nmap; echo done', 'DISCOVERY_NMAP_FAILED'],
  ['breaks off in the middle', `printf '%s' '${HEAD}${HOST('<port protocol="tcp" ')}'`, 'DISCOVERY_NMAP_FAILED'],
  ['does not say that it has finished', `cat <<'X'\n${HEAD}${HOST('')}</nmaprun>\nX`, 'DISCOVERY_NMAP_FAILED'],
  [
    'says that it failed',
    `cat <<'X'\n${HEAD}<runstats><finished exit="error"/></runstats></nmaprun>\nX`,
    'DISCOVERY_NMAP_FAILED',
  ],
  [
    'sends an entity bomb',
    `cat <<'X'\n<?xml version="1.0"?><!DOCTYPE nmaprun [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><nmaprun>&b;</nmaprun>\nX`,
    'DISCOVERY_NMAP_FAILED',
  ],
  ['prints without end', 'yes "<nmaprun><host>"', 'DISCOVERY_NMAP_FAILED'],
  [
    'prints a gigabyte of one host',
    `printf '%s' '${HEAD}<host><hostnames>'; head -c 1000000000 /dev/zero | tr '\\0' 'x'`,
    'DISCOVERY_NMAP_FAILED',
  ],
  ['floods standard error', `yes 'warning' | head -c 50000000 >&2; cat <<'X'\n${HEAD}${END}\nX`, undefined],
])('an nmap that %s is a result, and nothing of it is left', async (_what, script, code) => {
  const { path, folder } = await standIn(script);
  // A busy machine takes a second to start the worker; only what hangs has to wait for the end of its time.
  const deadline = code === 'DISCOVERY_NMAP_HANGS' ? 2_000 : 30_000;
  const started = performance.now();
  const memory = process.memoryUsage().rss;

  const { problem } = await scanned(path, deadline);

  expect(problem?.code).toBe(code);
  expect(performance.now() - started).toBeLessThan(deadline + 5_000);
  expect(process.memoryUsage().rss - memory).toBeLessThan(20_000_000);
  expect(await processesWith(folder)).toEqual([]);
  expect(await processesWith('sleep 7654321')).toEqual([]);
  expect(await zombies()).toEqual([]);
  const next = await standIn(`cat <<'X'\n${HEAD}${HOST('')}${END}\nX`);
  expect(await scanned(next.path)).toEqual({ hosts: new Map([[ADDRESS, []]]) });
});

test('a scan that is stopped ends its nmap at once', async () => {
  const { path, folder } = await standIn('exec sleep 7654321');
  const stop = new AbortController();
  const scan = scanned(path, 60_000, stop.signal);
  for (let started = false; !started; ) started = (await processesWith('sleep 7654321')).length > 0;

  const at = performance.now();
  stop.abort();
  await scan;

  expect(performance.now() - at).toBeLessThan(1_500);
  expect(await processesWith(folder)).toEqual([]);
  expect(await processesWith('sleep 7654321')).toEqual([]);
});

test('a missing nmap is a problem with what to do', async () => {
  expect((await scanned('/nonexistent/nmap')).problem).toMatchObject({ code: 'DISCOVERY_NMAP_FAILED' });
});

test('an attribute that is named like a part of every object is no attribute', () => {
  const reader = new NmapReader();
  reader.write(Buffer.from(`${HEAD}<host __proto__="x" constructor="y">${HOST('').slice(6)}${END}`));

  expect(reader.result()).toEqual({ ok: true, hosts: [{ address: ADDRESS, ports: [] }] });
});

test('a host that claims sixty thousand open ports is believed a few', () => {
  const reader = new NmapReader();
  const ports = Array.from(
    { length: 60_000 },
    (_, n) => `<port protocol="tcp" portid="${n + 1}"><state state="open"/></port>`,
  );
  reader.write(Buffer.from(`${HEAD}${HOST(ports.join(''))}${END}`));
  const run = reader.result();

  expect(run.ok && run.hosts[0]?.ports).toHaveLength(256);
});
