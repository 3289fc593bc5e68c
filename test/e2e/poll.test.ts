import { execFile } from 'node:child_process';
import { readFileSync, statfsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import type { ExpectedReading } from '../support/recorded-site.ts';
import { type Finished, siteward, writeConfig } from '../support/siteward.ts';
import { freeUdpPort, type Snmpd, startSnmpd } from '../support/snmpd.ts';

interface PollJson {
  readonly device: Readonly<Record<string, string | null>>;
  readonly readings: readonly ExpectedReading[];
  readonly requests: number;
  readonly seconds: number;
  readonly problems: readonly { readonly code: string; readonly message: string; readonly hint: string }[];
}

const KEY = { auth: 'auth-key-of-the-test', privacy: 'privacy-key-of-the-test' };
const WRONG = 'another-key-of-the-test';

function credential(user: string, protocol: string, privacy: string, keys: Partial<typeof KEY> = {}) {
  const { auth, privacy: key } = { ...KEY, ...keys };
  return {
    version: 3,
    user,
    level: 'auth_priv',
    auth: { protocol, key: auth },
    privacy: { protocol: privacy, key },
  };
}

const CREDENTIALS = {
  public: { version: '2c', community: 'public' },
  'sha256-aes128': credential('strong', 'sha256', 'aes128'),
  'sha512-aes256': credential('stronger', 'sha512', 'aes256'),
  'sha1-des': credential('old', 'sha', 'des'),
  'wrong-user': credential('nobody', 'sha256', 'aes128'),
  'wrong-auth': credential('strong', 'sha256', 'aes128', { auth: WRONG }),
  'wrong-privacy': credential('strong', 'sha256', 'aes128', { privacy: WRONG }),
  'wrong-privacy-des': credential('old', 'sha', 'des', { privacy: WRONG }),
} as const;

const run = promisify(execFile);

let snmpd: Snmpd;
let folder: string;
let before: Host;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'siteward-poll-'));
  await writeConfig(join(folder, 'siteward.yaml'), { credentials: CREDENTIALS });
  // Before the agent starts, for it keeps what it reads for some seconds.
  before = readHost();
  const user = (name: string, auth: string, privacy: string) => ({
    name,
    level: 'priv' as const,
    auth: { protocol: auth, key: KEY.auth },
    privacy: { protocol: privacy, key: KEY.privacy },
  });
  snmpd = await startSnmpd({
    communities: ['public'],
    users: [user('strong', 'SHA-256', 'AES'), user('stronger', 'SHA-512', 'AES-256'), user('old', 'SHA', 'DES')],
    conf: ['sysName poll-me', 'includeAllDisks 0%'],
  });
});

afterAll(async () => {
  await snmpd.stop();
  await rm(folder, { recursive: true, force: true });
});

async function poll(credentials: keyof typeof CREDENTIALS): Promise<Finished & { readonly json: PollJson }> {
  const options = ['--port', String(snmpd.port), '--credentials', credentials, '--config', 'siteward.yaml', '--json'];
  const finished = await siteward(['poll', snmpd.address, ...options], { cwd: folder });
  if (finished.stdout === '') throw new Error(`poll ended with ${finished.code}: ${finished.stderr}`);
  return { ...finished, json: JSON.parse(finished.stdout) as PollJson };
}

/** What this machine says of itself. */
interface Host {
  readonly uptime: number;
  readonly load: readonly number[];
  readonly memory: { readonly size: number; readonly used: number };
  readonly bytes: ReadonlyMap<string, { readonly received: number; readonly sent: number }>;
}

function readHost(): Host {
  const memory = readFileSync('/proc/meminfo', 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(memory)?.[1]) * 1024;
  const interfaces = readFileSync('/proc/net/dev', 'utf8').matchAll(/^\s*([^\s:]+):\s*(\d+)(?:\s+\d+){7}\s+(\d+)/gm);
  return {
    uptime: Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]),
    load: readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).map(Number),
    memory: { size: kilobytes('MemTotal'), used: kilobytes('MemTotal') - kilobytes('MemAvailable') },
    bytes: new Map(
      [...interfaces].map(([, name = '', received, sent]) => [
        name,
        { received: Number(received), sent: Number(sent) },
      ]),
    ),
  };
}

function value({ readings }: PollJson, metric: string, labels: Readonly<Record<string, string>> = {}): number {
  const found = readings.filter(
    (reading) =>
      reading.metric === metric && Object.entries(labels).every(([name, text]) => reading.labels[name] === text),
  );
  expect(found, `${metric} ${JSON.stringify(labels)}`).toHaveLength(1);
  return Number(found[0]?.value);
}

function labelValues({ readings }: PollJson, metric: string, label: string): string[] {
  return readings.filter((reading) => reading.metric === metric).map(({ labels }) => labels[label] ?? '');
}

/** Values by index of a column, by net-snmp's own client. */
async function walk(oid: string): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await run('snmpwalk', [
    ...['-v2c', '-c', 'public', '-On', '-Oq', '-Oe', '-Ot', '-t', '5', '-r', '1'],
    `${snmpd.address}:${snmpd.port}`,
    oid,
  ]);
  const rows = stdout.matchAll(new RegExp(`^\\.${oid.replaceAll('.', '\\.')}\\.(\\S+) "?([^"\\n]*)"?$`, 'gm'));
  return new Map([...rows].map(([, index = '', text = '']) => [index, text]));
}

const within = (a: number, b: number, by: number) => Math.abs(a - b) <= by;

describe.each(['public', 'sha256-aes128', 'sha512-aes256', 'sha1-des'] as const)(
  'by %s, a poll of this machine',
  (credentials) => {
    let json: PollJson;
    let after: Host;

    beforeAll(async () => {
      const finished = await poll(credentials);
      after = readHost();
      expect(finished.code).toBe(0);
      expect(finished.stderr).toBe('');
      json = finished.json;
    });

    test('says what it is, in few requests and without a problem', () => {
      expect(json.device).toMatchObject({ class: 'server', vendor: 'Linux', sys_name: 'poll-me' });
      expect(json.device.profile).toBe('net-snmp-linux');
      expect(json.problems).toEqual([]);
      expect(json.requests).toBeLessThanOrEqual(20);
    });

    test('gives uptime, load and memory without buffers and cache, as /proc has them', () => {
      const uptime = value(json, 'siteward_device_uptime_seconds');
      expect(uptime).toBeGreaterThanOrEqual(Math.floor(before.uptime));
      expect(uptime).toBeLessThanOrEqual(after.uptime + 1);
      for (const [index, window] of ['1m', '5m', '15m'].entries()) {
        const sides = [before.load[index] ?? 0, after.load[index] ?? 0];
        const load = value(json, 'siteward_load_average', { window });
        expect(load).toBeGreaterThanOrEqual(Math.min(...sides) - 0.5);
        expect(load).toBeLessThanOrEqual(Math.max(...sides) + 0.5);
      }
      const labels = { memory: 'Physical memory' };
      const size = value(json, 'siteward_memory_size_bytes', labels);
      const used = value(json, 'siteward_memory_used_bytes', labels);
      expect(size).toBe(after.memory.size);
      const sides = [before.memory.used, after.memory.used];
      expect(used).toBeGreaterThan(Math.min(...sides) - 0.03 * size);
      expect(used).toBeLessThan(Math.max(...sides) + 0.03 * size);
      expect(value(json, 'siteward_memory_used_ratio', labels)).toBeCloseTo(used / size, 6);
    });

    test('gives every file system, as large and as full as the system calls say', () => {
      const mountpoints = labelValues(json, 'siteward_filesystem_size_bytes', 'mountpoint');
      expect(mountpoints).toContain('/');
      for (const mountpoint of mountpoints) {
        const { blocks, bfree, bsize } = statfsSync(mountpoint);
        const size = value(json, 'siteward_filesystem_size_bytes', { mountpoint });
        expect(size).toBe(blocks * bsize);
        const used = value(json, 'siteward_filesystem_used_bytes', { mountpoint });
        expect(within(used, (blocks - bfree) * bsize, 0.01 * size + 64e6), `${mountpoint}: ${used}`).toBe(true);
      }
    });

    test('gives the bytes of every interface, between those before and those after', () => {
      for (const [name, first] of before.bytes) {
        const last = after.bytes.get(name) ?? first;
        const labels = { interface: name };
        const received = value(json, 'siteward_interface_receive_bytes_total', labels);
        const sent = value(json, 'siteward_interface_transmit_bytes_total', labels);
        expect(received).toBeGreaterThanOrEqual(first.received);
        expect(received).toBeLessThanOrEqual(last.received);
        expect(sent).toBeGreaterThanOrEqual(first.sent);
        expect(sent).toBeLessThanOrEqual(last.sent);
      }
    });

    test('gives what snmpwalk gives for interfaces and file systems', async () => {
      const names = await walk('1.3.6.1.2.1.31.1.1.1.1');
      const enabled = await walk('1.3.6.1.2.1.2.2.1.7');
      const up = await walk('1.3.6.1.2.1.2.2.1.8');
      const errors = await walk('1.3.6.1.2.1.2.2.1.14');
      expect(names.size).toBeGreaterThan(0);
      expect(labelValues(json, 'siteward_interface_info', 'interface').toSorted()).toEqual(
        [...names.values()].toSorted(),
      );
      for (const [index, name] of names) {
        const labels = { interface: name };
        expect(value(json, 'siteward_interface_enabled', labels)).toBe(enabled.get(index) === '1' ? 1 : 0);
        expect(value(json, 'siteward_interface_up', labels)).toBe(up.get(index) === '1' ? 1 : 0);
        expect(value(json, 'siteward_interface_receive_errors_total', labels)).toBe(Number(errors.get(index)));
      }
      const descriptions = await walk('1.3.6.1.2.1.25.2.3.1.3');
      const units = await walk('1.3.6.1.2.1.25.2.3.1.4');
      const sizes = await walk('1.3.6.1.2.1.25.2.3.1.5');
      for (const [index, mountpoint] of descriptions) {
        if (!labelValues(json, 'siteward_filesystem_size_bytes', 'mountpoint').includes(mountpoint)) continue;
        const size = Number(sizes.get(index)) * Number(units.get(index));
        expect(value(json, 'siteward_filesystem_size_bytes', { mountpoint })).toBe(size);
      }
    });
  },
);

test.each([
  ['wrong-user', 'SNMP_UNKNOWN_USER', /nobody/, /user/],
  ['wrong-auth', 'SNMP_WRONG_AUTH_KEY', /authentication key/, /auth\.key/],
  ['wrong-privacy', 'SNMP_PROBABLY_WRONG_PRIVACY_KEY', /encrypt/, /privacy\.key/],
  ['wrong-privacy-des', 'SNMP_PROBABLY_WRONG_PRIVACY_KEY', /encrypt/, /privacy\.key/],
] as const)('a %s is named as such, with what to do', async (credentials, code, message, hint) => {
  const { code: status, json, stderr } = await poll(credentials);

  expect(json.problems.map((problem) => problem.code)).toEqual([code]);
  expect(json.problems[0]?.message).toMatch(message);
  expect(json.problems[0]?.hint).toMatch(hint);
  expect(json.readings).toEqual([]);
  expect(status).not.toBe(2);
  expect(stderr + JSON.stringify(json)).not.toContain(WRONG);
});

test('nobody there is exit 1, one JSON document, and what to check', async () => {
  const port = await freeUdpPort();

  const { code, stdout, stderr } = await siteward([
    ...['poll', '127.0.0.1', '--port', String(port), '--community', 'public', '--json'],
  ]);

  expect(code).toBe(1);
  expect(stderr).toBe('');
  const { device, readings, problems } = JSON.parse(stdout) as PollJson;
  expect(device).toMatchObject({ address: '127.0.0.1', class: null, vendor: null, profile: null });
  expect(readings).toEqual([]);
  expect(problems).toEqual([
    {
      code: 'SNMP_TIMEOUT',
      message: expect.stringContaining(String(port)),
      hint: expect.stringContaining('community'),
    },
  ]);
});

test.each([
  ['a host that no name server knows', ['no-such-host.invalid', '--community', 'public'], /no-such-host\.invalid/],
  ['a port that is none', ['127.0.0.1', '--port', '70000', '--community', 'public'], /70000/],
  ['a port that is no number', ['127.0.0.1', '--port', 'snmp', '--community', 'public'], /snmp/],
  ['nothing to ask with', ['127.0.0.1'], /--community/],
  ['credentials that the config does not have', ['127.0.0.1', '--credentials', 'offcie'], /offcie/],
  ['an option that does not exist', ['127.0.0.1', '--comunity', 'public'], /--comunity/],
  ['no address', [], /address/],
  ['a config that is not there', ['127.0.0.1', '--config', '/nowhere/siteward.yaml'], /nowhere\/siteward\.yaml/],
])('%s is exit 2, with a message on stderr and nothing on stdout', async (_what, args, message) => {
  const cwd = await temporaryFolder();

  const { code, stdout, stderr } = await siteward(['poll', ...args, '--json'], { cwd });

  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^\s+at /m);
});

test('an escape sequence in the name of a device does not reach the terminal', async () => {
  const hostile = await startSnmpd({ communities: ['public'], conf: ['sysName evil\u001b[31m\u202egnp.exe'] });
  onTestFinished(() => hostile.stop());

  const { code, stdout, stderr } = await siteward([
    ...['poll', hostile.address, '--port', String(hostile.port), '--community', 'public'],
  ]);

  expect(code).toBe(0);
  expect(stdout).toContain('evil');
  for (const character of ['\u001b', '\u202e']) expect(stdout + stderr).not.toContain(character);
});

test('the load of each processor is what snmpwalk says it is', async () => {
  // The agent knows it when it has measured for a while.
  const loads = await vi.waitFor(
    async () => {
      const walked = await walk('1.3.6.1.2.1.25.3.3.1.2');
      expect(walked.size).toBeGreaterThan(0);
      return walked;
    },
    { timeout: 100_000, interval: 500 },
  );

  const { json } = await poll('public');

  const later = await walk('1.3.6.1.2.1.25.3.3.1.2');
  const said = json.readings.filter(
    ({ metric, labels }) => metric === 'siteward_cpu_usage_ratio' && labels.cpu !== 'all',
  );
  expect(said.map(({ labels }) => labels.cpu).toSorted()).toEqual([...loads.keys()].toSorted());
  for (const { labels, value: ratio } of said) {
    const sides = [loads, later].map((each) => Number(each.get(labels.cpu ?? '')) / 100);
    expect(Number(ratio)).toBeGreaterThanOrEqual(Math.min(...sides) - 0.011);
    expect(Number(ratio)).toBeLessThanOrEqual(Math.max(...sides) + 0.011);
  }
}, 120_000);
