/** `siteward doctor` as it is run: on a box where all is well, and on one where someone planted faults. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, chown, cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import type { Finding } from '#daemon/doctor/finding.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type Influxd, startInfluxd } from '../support/influxd.ts';
import { freePort, startServer } from '../support/process.ts';
import { startReceiver } from '../support/receiver.ts';
import { siteward, startDaemon, writeConfig } from '../support/siteward.ts';
import { startVictoriaMetrics } from '../support/victoria-metrics.ts';

const SECURE = {
  version: 3,
  user: 'monitor',
  level: 'auth_priv',
  auth: { protocol: 'sha256', key: 'a key of some length' },
  privacy: { protocol: 'aes128', key: 'another key of some length' },
};
const DEVICES = [{ name: 'itself', address: '127.0.0.1', checks: ['icmp'] }];
const ROOT_OF_ITS_OWN = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];

/** Runs what follows where files are covered by others: `[path, by what]`. */
function covering(...files: readonly (readonly [string, string])[]): readonly string[] {
  const script = `${files.map(([path, by]) => `mount --bind '${by}' '${path}' && `).join('')}exec "$@"`;
  return ['unshare', ...ROOT_OF_ITS_OWN, '--mount', 'sh', '-c', script, 'sh'];
}

/** As a service that was given neither the right to send echo requests nor to read what is not its own. */
const WITHOUT_RIGHTS = ['setpriv', '--bounding-set', '-net_raw,-dac_override,-dac_read_search,-fowner'];

async function influxd(options?: { readonly auth: boolean }): Promise<Influxd> {
  const started = await startInfluxd(await temporaryFolder(), undefined, options);
  onTestFinished(() => started.stop('SIGKILL'));
  return started;
}

/** The file that names this NTP server as the one of this machine. */
async function timeFrom(port: number): Promise<readonly [string, string]> {
  const file = join(await temporaryFolder(), 'chrony.conf');
  await writeFile(file, `# of this test\nserver 127.0.0.1 iburst port ${port}\n`);
  return ['/etc/chrony/chrony.conf', file];
}

/** A real NTP server, which leaves the clock of this machine alone. */
async function startChronyd(): Promise<number> {
  const [folder, port] = [await temporaryFolder(), await freePort()];
  const config = `port ${port}
bindaddress 127.0.0.1
allow 127.0.0.1
local stratum 3
cmdport 0
pidfile ${folder}/pid
user root
`;
  await writeFile(join(folder, 'chrony.conf'), config);
  const server = await startServer(
    'chronyd',
    ['-U', '-x', '-d', '-f', join(folder, 'chrony.conf')],
    /chronyd version .* starting/,
    { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` },
  );
  onTestFinished(() => server.stop('SIGKILL'));
  return port;
}

/** An NTP server (RFC 5905, mode 4) whose clock is ahead of this machine's. */
async function startTimeServer(aheadSeconds: number): Promise<number> {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.on('message', (request, { port, address }) => {
    const answer = Buffer.alloc(48);
    answer.set([(4 << 3) | 4, 2]);
    request.copy(answer, 24, 40, 48);
    for (const at of [32, 40]) answer.writeUInt32BE(Math.floor(Date.now() / 1000) + 2_208_988_800 + aheadSeconds, at);
    socket.send(answer, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket.address().port;
}

/** A data folder as the daemon makes it, with points of its own at `url`. */
async function watchedFolder(url: string): Promise<string> {
  const daemon = await startDaemon({
    credentials: { secure: SECURE },
    devices: DEVICES,
    polling: { availability: '5s', metrics: '15s' },
    outputs: { influx: [{ name: 'central', url }] },
  });
  onTestFinished(() => daemon[Symbol.asyncDispose]());
  await daemon.metrics('points at influxd', (samples) =>
    samples.find(({ name, labels, value }) =>
      name === 'siteward_output_points_total' && labels.outcome === 'written' ? value > 0 : false,
    ),
  );
  return daemon.folder;
}

interface Examined {
  readonly code: number | null;
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

async function examine(folder: string, through: readonly string[]): Promise<Examined> {
  const { code, stdout, stderr } = await siteward(['doctor', '--json', '--config', join(folder, 'siteward.yaml')], {
    cwd: folder,
    through,
  });
  expect(stderr).toBe('');
  return { code, ...JSON.parse(stdout) };
}

test('on a box where all is well, beside the running daemon, everything is green', async () => {
  const receiver = await influxd();
  const folder = await watchedFolder(receiver.url);
  await writeConfig(join(folder, 'siteward.yaml'), {
    credentials: { secure: SECURE },
    devices: DEVICES,
    discovery: { ranges: [{ range: '127.0.0.0/30', nmap: true }] },
    outputs: { influx: [{ name: 'central', url: receiver.url }] },
  });
  const through = covering(await timeFrom(await startChronyd()));

  const { code, ok, findings } = await examine(folder, through);
  const readable = await siteward(['doctor', '--config', join(folder, 'siteward.yaml')], { cwd: folder, through });

  expect(findings.filter(({ state }) => state !== 'good')).toEqual([]);
  expect({ code, ok }).toEqual({ code: 0, ok: true });
  const messages = Object.fromEntries(findings.map(({ check, message }) => [check, message]));
  expect(messages).toMatchObject({
    clock: expect.stringMatching(/^within \d+ ms of 127\.0\.0\.1, of stratum 3$/),
    'echo requests': expect.stringMatching(/fping \d.* may send them$/),
    nmap: expect.stringContaining('/nmap'),
    ledger: expect.stringContaining('whole'),
    storage: expect.stringContaining('MB free'),
    'credential secure': expect.stringContaining('encrypted'),
    'output central': expect.stringContaining('reads back what was written'),
  });
  expect(readable.code).toBe(0);
  expect(readable.stdout.split('\n').filter((line) => line !== '' && !line.startsWith('good    '))).toEqual([]);
}, 120_000);

test('on a box with sixteen faults each is named, with what to do', async () => {
  const well = await influxd();
  const guarded = await influxd({ auth: true });
  const query = async (statement: string) =>
    await fetch(`${guarded.url}/query?u=admin&p=right`, {
      method: 'POST',
      body: new URLSearchParams({ q: statement }),
    });
  await query(`CREATE USER admin WITH PASSWORD 'right' WITH ALL PRIVILEGES`);
  for (const statement of [
    'CREATE DATABASE siteward',
    `CREATE USER reader WITH PASSWORD 'right'`,
    'GRANT READ ON siteward TO reader',
  ])
    await query(statement);
  const live = await watchedFolder(well.url);
  await well.query('CREATE DATABASE forgetful');
  await well.query('CREATE RETENTION POLICY "day" ON "forgetful" DURATION 1d REPLICATION 1 DEFAULT');
  const anHourAgo = new Date(Date.now() - 3_600_000).toUTCString();
  const late = await startReceiver(() => ({ status: 204, headers: { date: anHourAgo } }));
  const victoria = await startVictoriaMetrics(await temporaryFolder());
  onTestFinished(() => victoria.stop('SIGKILL'));
  await fetch(`${victoria.url}/write`, { method: 'POST', body: 'no line at all\n' });

  const folder = await temporaryFolder();
  await cp(live, folder, { recursive: true });
  const ledger = new DatabaseSync(join(folder, '.siteward/ledger.db'));
  ledger.exec(`DROP TRIGGER availability_entries_stay;
    UPDATE availability_entries SET at = at - 60000 WHERE kind = 'state'`);
  ledger.close();
  await writeConfig(join(folder, 'siteward.yaml'), {
    storage: { free_floor: '900TB' },
    credentials: { known: { version: '2c', community: 'public' }, listened: { version: '2c', community: 'x7!kq' } },
    devices: [...DEVICES, { name: 'lost', address: 'printer.invalid', credentials: ['known', 'listened'] }],
    discovery: { ranges: [{ range: '127.0.0.0/30', nmap: true }] },
    outputs: {
      influx: [
        { name: 'away', url: `http://127.0.0.1:${await freePort()}` },
        { name: 'stranger', url: guarded.url, user: 'admin', password: 'wrong' },
        { name: 'reader', url: guarded.url, user: 'reader', password: 'right' },
        { name: 'nowhere', url: well.url, database: 'no_such', create_database: false },
        { name: 'forgetful', url: well.url, database: 'forgetful' },
        { name: 'late', url: late.url, dialect: 'influx2', organization: 'acme', token: 't' },
        { name: 'doubling', url: victoria.url, dialect: 'victoriametrics' },
      ],
    },
  });
  const time = await timeFrom(await startTimeServer(3600));

  const { code, ok, findings } = await examine(folder, [
    ...covering(time, ['/usr/bin/nmap', '/dev/null']),
    ...WITHOUT_RIGHTS,
  ]);

  const bad = findings.filter(({ state }) => state !== 'good');
  const planted = [
    ['output away', 'fault', /does not answer/, /URL.*firewall.*route/],
    ['output stranger', 'fault', /refuses the login \(401\)/, /password/],
    ['output reader', 'fault', /refuses the login \(403\)/, /user/],
    ['output nowhere', 'fault', /no_such/, /database/],
    ['output forgetful', 'warning', /keeps points for 1 day/, /max_age/],
    ['output late', 'warning', /clock is 3[56]\d\d s from ours/, /NTP/],
    ['output doubling', 'warning', /delivered twice/, /-dedup\.minScrapeInterval=1ms/],
    ['output doubling', 'warning', /thrown away 1 line/, /cannot unmarshal/],
    ['clock', 'fault', /is (3599|3600)\.\d s behind 127\.0\.0\.1/, /chronyc/],
    ['echo requests', 'fault', /fping does not run \(EPERM\)/, /CAP_NET_RAW/],
    ['nmap', 'fault', /not installed/, /apt-get install nmap/],
    ['storage', 'fault', /below storage\.free_floor/, /make room/],
    ['ledger', 'fault', /./, /verify/],
    ['dns', 'fault', /printer\.invalid cannot be resolved/, /resolver/],
    ['credential known', 'warning', /every scanner tries/, /v3/],
    ['credential listened', 'warning', /in the clear/, /auth_priv/],
  ] as const;
  for (const [check, state, message, advice] of planted) {
    expect(bad, `${check}: ${JSON.stringify(bad, null, 1)}`).toContainEqual({
      check,
      state,
      message: expect.stringMatching(message),
      advice: expect.stringMatching(advice),
    });
  }
  const named = new Set<string>(planted.map(([check]) => check));
  expect(bad.filter(({ check }) => !named.has(check))).toEqual([]);
  expect({ code, ok }).toEqual({ code: 1, ok: false });
}, 120_000);

test('a data folder that is not its own and a machine that names no time server are no greens', async () => {
  const folder = await temporaryFolder();
  await chmod(folder, 0o755);
  const data = join(folder, '.siteward');
  await mkdir(data, { mode: 0o700 });
  await writeFile(join(data, 'ledger.db'), 'whatever');
  await chown(data, 65534, 65534);
  await writeConfig(join(folder, 'siteward.yaml'), { devices: DEVICES });
  const empty = join(folder, 'empty');
  await writeFile(empty, '');

  const { code, findings } = await examine(folder, [
    ...covering(['/etc/chrony/chrony.conf', empty], ['/etc/systemd/timesyncd.conf', empty]),
    ...WITHOUT_RIGHTS,
  ]);

  const said = (wanted: string) => findings.filter(({ check }) => check === wanted);
  expect(said('storage')).toMatchObject([
    { state: 'fault', message: expect.stringContaining('cannot be written'), advice: expect.stringContaining('user') },
  ]);
  expect(said('ledger').filter(({ state }) => state === 'good')).toEqual([]);
  expect(said('clock')).toMatchObject([
    {
      state: 'warning',
      message: expect.stringContaining('cannot be told'),
      advice: expect.stringContaining('apt-get install chrony'),
    },
  ]);
  expect(code).toBe(1);
});
