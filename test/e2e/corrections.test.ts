/** What people say of an outage: from a terminal beside a running daemon, refused where it cannot be, and in the report. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../support/process.ts';
import { type RunningDaemon, siteward, startDaemon } from '../support/siteward.ts';

let daemon: RunningDaemon;
const NOW = Date.now();
const minute = (count: number): string => new Date(NOW - count * 60_000).toISOString();

beforeAll(async () => {
  // A verb is told where the daemon listens by the config alone: a port of its own choosing is no use here.
  daemon = await startDaemon({
    storage: { directory: 'store' },
    http: { listen: `127.0.0.1:${await freePort()}` },
    devices: [{ name: 'srv-1', address: '127.0.0.1', sla: 'gold' }],
    slas: { gold: { target: '99.9%' } },
  });
  await daemon.logged('a state', ({ message, to }) => message === 'a device changed state' && to === 'up');
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
});

const availability = async (...args: readonly string[]) =>
  await siteward(['availability', ...args, '--config', daemon.configFile]);
const corrections = async () => JSON.parse((await availability('corrections', '--json')).stdout);

test('a correction beside a running daemon is in the ledger, in the list and in the report, with author and reason', async () => {
  const span = ['--from', minute(10), '--to', minute(5)];
  const state = await availability(
    'correct',
    'srv-1',
    ...span,
    '--state',
    'down',
    '--author',
    'K. Weber',
    '--reason',
    'it was off',
  );
  const party = await availability('correct', 'srv-1', ...span, '--party', 'carrier', '--reason', 'ticket 4711');

  expect([state.code, state.stderr, party.code, party.stderr]).toEqual([0, '', 0, '']);
  const listed = await corrections();
  expect(listed).toMatchObject([
    { device: 'srv-1', state: 'down', party: null, author: 'K. Weber', reason: 'it was off' },
    { device: 'srv-1', state: null, party: 'carrier', reason: 'ticket 4711' },
  ]);
  expect(listed[1].author).not.toBe('');
  expect(Date.parse(listed[0].to) - Date.parse(listed[0].from)).toBe(300_000);
  expect((await availability('corrections')).stdout).toMatch(/srv-1 .*responsible: carrier .*ticket 4711/);
  const report = JSON.parse(
    (await siteward(['report', 'sla', '--period', 'this-month', '--format', 'json', '--config', daemon.configFile]))
      .stdout,
  );
  expect(report.slas[0].corrections).toMatchObject([{ author: 'K. Weber' }, { party: 'carrier' }]);
  const verified = await siteward(['verify', '--json', '--config', daemon.configFile]);
  expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, faults: [] });
});

test('what cannot be said is refused, each with its reason, and nothing of it is in the ledger', async () => {
  const [from, to, ahead] = [minute(10), minute(5), minute(-60)];
  const wrong: readonly (readonly [why: string, ...args: string[]])[] = [
    ['no such device', 'srv-9', '--from', from, '--to', to, '--state', 'up', '--reason', 'x'],
    ['not yet', 'srv-1', '--from', from, '--to', ahead, '--state', 'up', '--reason', 'x'],
    ['why is not said', 'srv-1', '--from', from, '--to', to, '--state', 'up'],
    ['--party carrier|power|client|msp', 'srv-1', '--from', from, '--to', to, '--reason', 'x'],
    ['no time that passes', 'srv-1', '--from', to, '--to', from, '--state', 'up', '--reason', 'x'],
  ];
  const before = await corrections();

  const refused = await Promise.all(wrong.map(async ([, ...args]) => await availability('correct', ...args)));

  for (const [index, { code, stdout, stderr }] of refused.entries()) {
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(wrong[index]?.[0]);
    expect(stderr).not.toMatch(/\n\s+at /);
  }
  expect(await corrections()).toEqual(before);
});

test('without a daemon a correction is refused, what was said before is still listed, and the ledger is untouched', async () => {
  await daemon.stop();
  const before = await corrections();

  const { code, stderr } = await availability(
    'correct',
    'srv-1',
    '--from',
    minute(9),
    '--to',
    minute(8),
    '--state',
    'up',
    '--reason',
    'x',
  );

  expect(code).toBe(2);
  expect(stderr).toContain('no daemon answers at http://127.0.0.1');
  expect(stderr).toContain('siteward run');
  expect(before.length).toBeGreaterThan(0);
  expect(await corrections()).toEqual(before);
});
