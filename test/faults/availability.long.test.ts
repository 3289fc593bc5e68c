/** Availability under what sites do: silence, kills, pulled cables, dead gateways, stopped processes. Takes some minutes. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import type { Milliseconds, WallTime } from '#collectors/contract.ts';
import { entryOf } from '#daemon/availability/entries.ts';
import { readExtract } from '#daemon/availability/timeline.ts';
import { systemClock } from '#daemon/clock.ts';
import { LEDGER_OPTIONS, verifyDatabase } from '#daemon/store/ledger.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import type { Database } from '#daemon/store/store.ts';
import { VERIFIERS } from '#daemon/verifiers.ts';
import { openBook } from '../support/availability.ts';
import { temporaryFolder } from '../support/folder.ts';
import { aliveAddress, type Namespaces, openNamespaces } from '../support/namespace.ts';
import { seededRandom } from '../support/random.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { ROOT, type RunningDaemon, siteward, startDaemon } from '../support/siteward.ts';

const SECOND = 1_000;
const SYNCS = Number(process.env['SITEWARD_SYNCS'] ?? 100);
const EVERYTHING = { from: 0 as WallTime, to: 8e15 as WallTime };

async function namespaces(): Promise<Namespaces & { readonly through: readonly string[] }> {
  const opened = await openNamespaces();
  onTestFinished(() => opened.close());
  const { stdout } = await opened.near('sh', ['-c', 'sleep 1800 >/dev/null 2>&1 </dev/null & echo $!']);
  const keeper = Number(stdout);
  onTestFinished(() => void process.kill(keeper));
  const user = process.getuid?.() === 0 ? [] : ['--user', '--preserve-credentials'];
  return { ...opened, through: ['nsenter', '--target', String(keeper), ...user, '--net', '--'] };
}

const office = (count: number, parent?: string) =>
  Array.from({ length: count }, (_, index) => ({
    name: `pc-${index}`,
    address: aliveAddress(index),
    ...(parent === undefined ? {} : { parent }),
  }));

/** Waits until as many devices were logged as entering a state since `after`. */
async function entered(
  daemon: RunningDaemon,
  state: string,
  count: number,
  after: number,
  patience: number,
): Promise<void> {
  await daemon.logged(`${count} devices ${state}`, () => changes(daemon, state, after).length >= count, patience);
}

const changes = (daemon: RunningDaemon, state: string, after: number) =>
  daemon.log.filter(
    ({ message, to, timestamp }) =>
      message === 'a device changed state' && to === state && Date.parse(String(timestamp)) >= after,
  );

async function reading<T>(directory: string, work: (database: Database) => Promise<T>): Promise<T> {
  const store = await openStore({ directory, log: recordingLogger(), readOnly: true });
  try {
    const { database } = await store.open('ledger', LEDGER_OPTIONS);
    return await work(database);
  } finally {
    await store.close();
  }
}

const opened = (daemon: RunningDaemon) =>
  daemon.log.filter(({ message, status }) => message === 'a notice is due' && status === 'opened');

test('three of thirty fall silent: down within 45 s and back-dated, up at once, and a kill in between is unknown', async () => {
  const site = await namespaces();
  const folder = await temporaryFolder();
  const config = { storage: { directory: 'store' }, devices: office(30) };
  const first = await startDaemon(config, { folder, through: site.through });
  await entered(first, 'up', 30, 0, 60_000);

  const silenced = Date.now();
  for (const index of [3, 4, 5])
    await site.far('ip', ['route', 'add', 'blackhole', `${aliveAddress(index)}/32`, 'table', 'local']);
  await entered(first, 'down', 3, silenced, 60_000);
  for (const { since, timestamp } of changes(first, 'down', silenced)) {
    expect(Date.parse(String(timestamp)) - silenced).toBeLessThan(45 * SECOND);
    // Within one round: the probe that was lost was sent before the next one was due.
    expect(Date.parse(String(since)) - silenced).toBeGreaterThan(-2 * SECOND);
    expect(Date.parse(String(since)) - silenced).toBeLessThan(17 * SECOND);
  }

  const killed = Date.now();
  await first.stop('SIGKILL');
  const second = await startDaemon(config, { folder, through: site.through });
  const started = Date.now();
  await entered(second, 'up', 27, 0, 60_000);
  await entered(second, 'down', 3, 0, 90_000);
  const restored = Date.now();
  for (const index of [3, 4, 5])
    await site.far('ip', ['route', 'del', 'blackhole', `${aliveAddress(index)}/32`, 'table', 'local']);
  await entered(second, 'up', 30, 0, 40_000);
  expect(Date.now() - restored).toBeLessThan(20 * SECOND);
  await second.stop();

  const verified = await siteward(['verify', '--json', '--config', second.configFile]);
  expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, faults: [] });
  await reading(`${folder}/store`, async (database) => {
    const { timelines } = await readExtract(database, EVERYTHING, systemClock.wallNow());
    for (const pieces of timelines.values()) {
      const gap = pieces.find(({ state, from, to }) => state === 'unknown' && from <= killed && to >= killed);
      expect(gap && killed - gap.from).toBeLessThan(15 * SECOND + SECOND);
      expect(gap && gap.to - started).toBeLessThan(10 * SECOND);
    }
  });
});

test('its own link down for two minutes: none of fifty devices is down, all are unknown, and there is one notice', async () => {
  const site = await namespaces();
  const folder = await temporaryFolder();
  const daemon = await startDaemon(
    { storage: { directory: 'store' }, devices: office(50) },
    { folder, through: site.through },
  );
  await entered(daemon, 'up', 50, 0, 60_000);

  const pulled = Date.now();
  await site.near('ip', ['link', 'set', 'near', 'down']);
  await entered(daemon, 'unknown', 50, pulled, 60_000);
  await systemClock.sleep((120 * SECOND - (Date.now() - pulled)) as Milliseconds);
  await site.near('ip', ['link', 'set', 'near', 'up']);
  await site.near('ip', ['route', 'replace', '10.78.0.0/16', 'via', '10.77.0.2']);
  const plugged = Date.now();
  await entered(daemon, 'up', 50, plugged, 60_000);

  expect(changes(daemon, 'down', 0)).toEqual([]);
  expect(changes(daemon, 'unreachable', 0)).toEqual([]);
  expect(opened(daemon)).toMatchObject([{ incident: 'siteward:blind' }]);
  await daemon.stop();
});

test('a gateway that is down: the fifty devices behind it are unreachable, and there is one notice', async () => {
  const site = await namespaces();
  const folder = await temporaryFolder();
  const devices = [{ name: 'gw', address: '10.77.0.2', class: 'firewall' }, ...office(50, 'gw')];
  const daemon = await startDaemon({ storage: { directory: 'store' }, devices }, { folder, through: site.through });
  await entered(daemon, 'up', 51, 0, 60_000);

  const silenced = Date.now();
  await site.far('sysctl', ['-qw', 'net.ipv4.icmp_echo_ignore_all=1']);
  await entered(daemon, 'unreachable', 50, silenced, 90_000);
  await daemon.logged('the notice', () => opened(daemon).length > 0, 60_000);
  await daemon.rounds(2);

  expect(new Set(changes(daemon, 'down', silenced).map(({ device }) => device))).toEqual(new Set(['gw']));
  expect(opened(daemon)).toMatchObject([
    { incident: 'device:gw', title: 'gw is down, 50 devices behind it cannot be reached' },
  ]);
  await daemon.stop();
});

test('stopped for a minute, and the clock of the machine untouched: all unknown, none down, sums hold', async () => {
  const folder = await temporaryFolder();
  const devices = Array.from({ length: 20 }, (_, index) => ({ name: `d-${index}`, address: `127.0.1.${index + 1}` }));
  const daemon = await startDaemon(
    { storage: { directory: 'store' }, polling: { availability: '5s' }, devices },
    { folder },
  );
  await entered(daemon, 'up', 20, 0, 60_000);

  const pid = daemon.log.length > 0 ? daemonPid(`${folder}/store`) : 0;
  process.kill(pid, 'SIGSTOP');
  const stopped = Date.now();
  await systemClock.sleep((60 * SECOND) as Milliseconds);
  process.kill(pid, 'SIGCONT');
  const resumed = Date.now();
  await entered(daemon, 'up', 20, resumed, 60_000);
  await daemon.stop();

  expect(changes(daemon, 'down', 0)).toEqual([]);
  await reading(`${folder}/store`, async (database) => {
    expect((await verifyDatabase(database, VERIFIERS)).faults).toEqual([]);
    const { timelines } = await readExtract(database, EVERYTHING, systemClock.wallNow());
    for (const pieces of timelines.values()) {
      const gap = pieces.find(({ cause }) => cause === 'siteward stood still');
      expect(gap && stopped - gap.from).toBeLessThan(2 * SECOND);
      expect(gap?.to).toBeGreaterThanOrEqual(resumed - SECOND);
    }
  });
});

function daemonPid(store: string): number {
  return Number(spawnSync('cat', [`${store}/siteward.pid`], { encoding: 'utf8' }).stdout.trim());
}

/** Runs the writer until it is killed. @returns the numbers of the entries that it said are on disk */
async function writeUntilKilled(directory: string, through: readonly string[], killAfter?: number): Promise<number[]> {
  const [command = process.execPath, ...args] = [
    ...through,
    process.execPath,
    `${ROOT}/test/faults/ledger-writer.ts`,
    directory,
    '400',
  ];
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] });
  const acknowledged: number[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    if (line === 'ready' && killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter);
    const turn = /^on disk (\d+)$/.exec(line)?.[1];
    if (turn !== undefined) acknowledged.push(Number(turn));
  });
  await Promise.all([once(child, 'close'), once(lines, 'close')]);
  return acknowledged;
}

async function expectKept(directory: string, acknowledged: readonly number[]): Promise<void> {
  const book = await openBook(directory, systemClock);
  const { database } = book.ledger;
  const [segment] = await database.read('SELECT max(segment) - 1 AS id FROM availability_entries');
  const rows = await database.read("SELECT * FROM availability_entries WHERE kind = 'state' AND segment = ?", [
    segment?.['id'] ?? 0,
  ]);
  const turns = rows.map(entryOf).flatMap((entry) => (entry.kind === 'state' ? [entry.detail.resolution] : []));
  expect((await verifyDatabase(database, VERIFIERS)).faults).toEqual([]);
  expect(turns.slice(0, acknowledged.length)).toEqual(acknowledged);
  await book.close();
}

test('forty kills at random instants: nothing that was acknowledged is lost, and every ledger verifies', async () => {
  const directory = await temporaryFolder();
  const random = seededRandom(42);
  let total = 0;
  for (let round = 0; round < 40; round += 1) {
    const acknowledged = await writeUntilKilled(directory, [], Math.floor(random() * 1_500));
    await expectKept(directory, acknowledged);
    total += acknowledged.length;
  }
  expect(total).toBeGreaterThan(40);
});

test(`kills at each of ${SYNCS} syncs of the disk: nothing that was acknowledged is lost`, async () => {
  const directory = await temporaryFolder();
  let total = 0;
  for (let nth = 1; nth <= SYNCS; nth += 1) {
    const strace = [
      'strace',
      '-f',
      '-qq',
      '-e',
      'trace=fsync,fdatasync',
      '-e',
      `inject=fsync,fdatasync:signal=KILL:when=${nth}`,
      '-o',
      '/dev/null',
    ];
    const acknowledged = await writeUntilKilled(directory, strace);
    await expectKept(directory, acknowledged);
    total += acknowledged.length;
  }
  // Each run gets further than the one before: the last ones had entries on disk when they were killed.
  expect(total).toBeGreaterThan(SYNCS);
  console.log(`${total} acknowledged entries, killed at ${SYNCS} syncs: all there`);
});
