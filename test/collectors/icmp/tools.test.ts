import { chmod, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Clock, Milliseconds, Observation } from '#collectors/contract.ts';
import { createIcmpCollector } from '#collectors/icmp/collector.ts';
import { fpingVersion, parseFping } from '#collectors/icmp/fping.ts';
import { parsePing } from '#collectors/icmp/ping.ts';
import { systemClock } from '#daemon/clock.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { target } from '../../support/targets.ts';

/** The machine's clock, except that time limits are over soon: for programs that never end. */
const impatient: Clock = { ...systemClock, timeout: () => AbortSignal.timeout(500) };
const unhurried = { clock: systemClock, signal: AbortSignal.timeout(60_000) };
const hurried = { clock: impatient, signal: AbortSignal.timeout(60_000) };

/** A program of our own in place of a tool. */
async function program(name: string, body: string, mode = 0o755): Promise<{ folder: string; path: string }> {
  const folder = await temporaryFolder();
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, mode);
  return { folder, path };
}

async function askWith(fpingPath: string, context = unhurried): Promise<Observation> {
  const collector = createIcmpCollector({ fpingPath });
  const [observation] = await collector.collect('alive', [target('printer', '127.0.0.1')], context);
  await collector.close();
  if (!observation) throw new Error('no observation');
  return observation;
}

describe('an fping that fails says nothing about the device', () => {
  test.each([
    ['hangs', 'sleep 1000', 'ICMP_TOOL_HANGS', hurried],
    ['hangs with a child that holds its output', 'sleep 1000 & wait', 'ICMP_TOOL_HANGS', hurried],
    [
      'prints garbage',
      'echo "127.0.0.1 : lots of nonsense" >&2; head -c 3000 /dev/urandom >&2',
      'ICMP_TOOL_REFUSED',
      unhurried,
    ],
    ['prints without end', 'exec cat /dev/zero >&2', 'ICMP_TOOL_FLOODS', unhurried],
    ['exits 3', 'exit 3', 'ICMP_TOOL_REFUSED', unhurried],
    ['prints results and exits 4', 'echo "127.0.0.1 : - - -" >&2; exit 4', 'ICMP_TOOL_REFUSED', unhurried],
    ['refuses its options', 'echo "fping: invalid option -- \'C\'" >&2; exit 1', 'ICMP_TOOL_REFUSED', unhurried],
    ['prints too few values', 'echo "127.0.0.1 : - -" >&2; exit 1', 'ICMP_TOOL_REFUSED', unhurried],
    ['dies of a signal', 'kill -9 $$', 'ICMP_TOOL_KILLED', unhurried],
    [
      'lacks the permission',
      `echo "fping: can't create socket (must run as root?)" >&2; exit 4`,
      'ICMP_NO_PERMISSION',
      unhurried,
    ],
    [
      'knows no such family',
      'echo "127.0.0.2 : - - -" >&2; echo "127.0.0.1: Address family not supported" >&2; exit 2',
      'ICMP_TOOL_REFUSED',
      unhurried,
    ],
  ])('it %s', async (_what, body, code, context) => {
    const { path } = await program('fping', body);

    const { evidence, problems, groups } = await askWith(path, context);

    expect(evidence.kind).toBe('could-not-tell');
    expect(problems.map((problem) => problem.code)).toEqual([code]);
    expect(groups).toEqual([]);
  });

  test('it is missing', async () => {
    const { problems } = await askWith('/nonexistent/fping');

    expect(problems).toMatchObject([
      { code: 'ICMP_TOOL_NOT_STARTED', message: '/nonexistent/fping cannot be started (ENOENT)' },
    ]);
  });

  test('it is not executable', async () => {
    const { path } = await program('fping', 'exit 0', 0o644);

    const { evidence, problems } = await askWith(path);

    expect(evidence.kind).toBe('could-not-tell');
    expect(problems).toMatchObject([{ code: 'ICMP_TOOL_NOT_STARTED', hint: expect.stringContaining('chmod') }]);
  });

  test('it answers for one address and forgets the other', async () => {
    const { path } = await program('fping', 'echo "127.0.0.1 : - - -" >&2; exit 1');
    const collector = createIcmpCollector({ fpingPath: path });

    const observations = await collector.collect(
      'alive',
      [target('a', '127.0.0.1'), target('b', '127.0.0.2')],
      unhurried,
    );

    expect(observations.map(({ evidence }) => evidence.kind)).toEqual(['silent', 'could-not-tell']);
    await collector.close();
  });
});

describe('the choice of the tool', () => {
  test('is fping where it runs', async () => {
    const collector = createIcmpCollector();

    const description = await collector.describe(unhurried);

    expect(description).toMatchObject({ tool: 'fping', version: expect.stringMatching(/^\d+\.\d+/) });
    await collector.close();
  });

  test('is ping where fping does not run, and says why', async () => {
    const { folder } = await program('fping', 'echo "Illegal instruction" >&2; exit 132');
    await symlink('/usr/bin/ping', join(folder, 'ping'));
    const collector = createIcmpCollector({ searchPath: folder });

    const description = await collector.describe(unhurried);
    const [observation] = await collector.collect('alive', [target('a', '127.0.0.1')], unhurried);

    expect(description).toMatchObject({ tool: 'ping', why: expect.stringContaining('Illegal instruction') });
    expect(observation?.evidence.kind).toBe('answered');
    await collector.close();
  });

  test('is could-not-tell where there is neither', async () => {
    const collector = createIcmpCollector({ searchPath: await temporaryFolder() });

    const [observation] = await collector.collect('alive', [target('a', '127.0.0.1')], unhurried);

    expect(observation?.evidence).toEqual({
      kind: 'could-not-tell',
      reason: 'fping is not installed, and there is no ping either',
    });
    expect(observation?.problems).toMatchObject([
      { code: 'ICMP_NO_TOOL', hint: expect.stringContaining('apt-get install fping') },
    ]);
    await collector.close();
  });

  test('finds an fping that was installed later', async () => {
    const folder = await temporaryFolder();
    let now = 0;
    const clock: Clock = { ...systemClock, monotonicNow: () => now as ReturnType<Clock['monotonicNow']> };
    const collector = createIcmpCollector({ searchPath: folder });
    const before = await collector.describe({ ...unhurried, clock });
    await symlink('/usr/bin/fping', join(folder, 'fping'));

    now += 299_000;
    const tooSoon = await collector.describe({ ...unhurried, clock });
    now += 2_000;
    const after = await collector.describe({ ...unhurried, clock });

    expect([before.tool, tooSoon.tool, after.tool]).toEqual(['none', 'none', 'fping']);
    await collector.close();
  });

  test('a ping that prints one odd word does no harm', async () => {
    const { folder } = await program('ping', 'echo Killed');
    const collector = createIcmpCollector({ searchPath: folder });

    const [observation] = await collector.collect('alive', [target('a', '127.0.0.1')], unhurried);

    expect(observation?.evidence.kind).toBe('could-not-tell');
    await collector.close();
  });

  test('no more than 32 pings run at once', async () => {
    const { folder } = await program(
      'ping',
      'echo 1 >>"$(dirname "$0")/started.$$"; ls "$(dirname "$0")" | grep -c started >>"$(dirname "$0")/peak"; sleep 0.1; rm "$(dirname "$0")/started.$$"',
    );
    const collector = createIcmpCollector({ searchPath: folder });
    const targets = Array.from({ length: 48 }, (_, n) => target(`${n}`, `127.0.1.${n + 1}`));

    await collector.collect('alive', targets, unhurried);

    const peaks = (await readFile(join(folder, 'peak'), 'utf8')).trim().split('\n').map(Number);
    expect(peaks).toHaveLength(48);
    expect(Math.max(...peaks)).toBeLessThanOrEqual(32);
    await collector.close();
  });
});

describe('what the tools print', () => {
  const asked = new Set(['192.0.2.1', '192.0.2.20', '2001:db8::1']);
  const trips = (...values: number[]) => ({ kind: 'asked', sent: 3, roundTrips: values as Milliseconds[] });

  test.each([
    ['5.0 and 5.1', '192.0.2.1   : 0.42 - 0.391\n192.0.2.20  : - - -\n2001:db8::1 : 12.3 101 0.05\n'],
    [
      '5.1 with duplicates and ICMP errors between',
      '192.0.2.1 : duplicate for [0], 64 bytes, 0.50 ms\nICMP Host Unreachable from 192.0.2.254 for ICMP Echo sent to 192.0.2.20\n\n' +
        '192.0.2.1   : 0.42 - 0.391\n192.0.2.20  : - - -\n2001:db8::1 : 12.3 101 0.05\n',
    ],
    [
      '5.5 with errors of ICMPv6 between',
      'ICMPv6 Unreachable (Address Unreachable) from 2001:db8::ff for ICMP Echo sent to 2001:db8::1\n' +
        '192.0.2.1   : 0.42 - 0.391\n192.0.2.20  : - - -\n2001:db8::1 : 12.3 101 0.05\n',
    ],
  ])('is read from fping %s', (_version, output) => {
    expect(Object.fromEntries(parseFping(output, asked))).toEqual({
      '192.0.2.1': trips(0.42, 0.391),
      '192.0.2.20': trips(),
      '2001:db8::1': trips(12.3, 101, 0.05),
    });
  });

  test('addresses that were not asked for are passed over', () => {
    expect(parseFping('198.51.100.7 : 1.0 1.0 1.0\n', asked).size).toBe(0);
  });

  test.each([
    ['fping: Version 5.1\nfping: comments to nobody', '5.1'],
    ['/usr/bin/fping: Version 5.5', '5.5'],
    ['BusyBox v1.36.1 multi-call binary', undefined],
    ['', undefined],
  ])('the version in %j is %s', (output, version) => {
    expect(fpingVersion(output)).toBe(version);
  });

  test('a duplicate in the output of ping is no second reply', () => {
    const lines = [0, 1, 1, 2].map(
      (seq, n) => `64 bytes from 192.0.2.1: icmp_seq=${seq + 1} ttl=64 time=${n + 1} ms${n === 2 ? ' (DUP!)' : ''}`,
    );
    const output = [
      'PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.',
      ...lines,
      '',
      '--- 192.0.2.1 ping statistics ---',
      '3 packets transmitted, 3 received, +1 duplicates, 0% packet loss, time 2003ms',
    ];

    expect(parsePing('192.0.2.1', output.join('\n'))).toMatchObject({
      kind: 'asked',
      sent: 3,
      roundTrips: { length: 3 },
    });
  });

  test.each([
    ['ping: socket: Operation not permitted', 'ICMP_NO_PERMISSION'],
    ['ping: connect: Network is unreachable', 'ICMP_NO_ROUTE'],
    ['Killed', 'ICMP_TOOL_REFUSED'],
    ['', 'ICMP_TOOL_REFUSED'],
    [
      'PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.\n\n--- 192.0.2.1 ping statistics ---\n3 packets transmitted, 0 received, 100% packet loss, time 1001ms\n\nping: sendmsg: Operation not permitted',
      'ICMP_NO_PERMISSION',
    ],
  ])('%j of ping is could-not-tell', (output, code) => {
    expect(parsePing('192.0.2.1', output)).toMatchObject({ kind: 'could-not-tell', problem: { code } });
  });
});
