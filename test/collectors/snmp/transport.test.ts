import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { Clock, Milliseconds, Monotonic } from '#collectors/contract.ts';
import type { Varbind } from '#collectors/snmp/agent.ts';
import { encodeMessage } from '#collectors/snmp/ber.ts';
import { SnmpError } from '#collectors/snmp/errors.ts';
import { TokenBucket } from '#collectors/snmp/token-bucket.ts';
import { systemClock } from '#daemon/clock.ts';
import { doubling, withGarbage, withStrangers } from '../../support/hostile-agent.ts';
import { startMibAgent } from '../../support/mib-agent.ts';
import { community, device, forever, SYS, testPool } from '../../support/snmp.ts';
import { startSnmpd } from '../../support/snmpd.ts';

const varbinds = new Map<string, Varbind>([[SYS.upTime, { type: 'timeticks', value: 4_711 }]]);
const LIE: Varbind = { type: 'timeticks', value: 666 };
const plan = { scalars: [SYS.upTime], tables: [] };
const quick = { timeout: 60 as Milliseconds };

describe('a reply counts only', () => {
  test('from the address and port that were asked', async () => {
    await using agent = await startMibAgent({ varbinds, behave: withStrangers('127.0.0.9', LIE) });
    await using pool = testPool();

    const { scalars } = await pool.agent(device(agent), community()).read(plan, forever);

    expect(scalars.get(SYS.upTime)).toEqual({ type: 'timeticks', value: 4_711 });
    expect(pool.counters.dropped.foreign + pool.counters.dropped.late + pool.counters.dropped.doubled).toBe(2);
    expect(pool.counters.dropped.foreign).toBeGreaterThan(0);
  });

  test('when it is whole, has the id, the community and the version of the request, and is a response', async () => {
    await using agent = await startMibAgent({ varbinds, behave: withGarbage([Buffer.from('hello'), Buffer.alloc(9)]) });
    await using pool = testPool();

    const { scalars } = await pool.agent(device(agent), community()).read(plan, forever);

    expect(scalars.get(SYS.upTime)).toEqual({ type: 'timeticks', value: 4_711 });
    expect(pool.counters).toMatchObject({
      requests: 1,
      answers: 1,
      timeouts: 0,
      // two of garbage, the request sent back, and half a reply
      dropped: { malformed: 4, unexpected: 1, wrong_community: 1, wrong_version: 1 },
    });
  });

  test('once', async () => {
    await using agent = await startMibAgent({ varbinds, behave: doubling });
    await using pool = testPool();
    const read = () => pool.agent(device(agent), community()).read(plan, forever);

    await read();
    await read();

    expect(pool.counters).toMatchObject({ answers: 2, dropped: { doubled: 1 } });
  });

  test('while its request waits: a late one is never matched to a newer request', async () => {
    let late: Uint8Array | undefined;
    await using agent = await startMibAgent({
      varbinds,
      behave: ({ reply, send, served }) => {
        const lie = { ...reply, pdu: { ...reply.pdu, varbinds: [{ oid: SYS.upTime, value: LIE }] } };
        if (served === 0) late = encodeMessage(lie);
        else if (late) {
          send(late);
          send(encodeMessage(reply));
        }
      },
    });
    await using pool = testPool({ ...quick, retries: 0 });
    const read = () => pool.agent(device(agent), community()).read(plan, forever);

    await expect(read()).rejects.toMatchObject({ code: 'SNMP_TIMEOUT' });
    const { scalars } = await read();

    expect(scalars.get(SYS.upTime)).toEqual({ type: 'timeticks', value: 4_711 });
    expect(pool.counters.dropped.late).toBe(1);
  });
});

describe('a request', () => {
  test('that is lost is sent again with the same id', async () => {
    await using agent = await startMibAgent({
      varbinds,
      behave: ({ reply, send, served }) => (served === 0 ? undefined : send(encodeMessage(reply))),
    });
    await using pool = testPool(quick);
    const asked = pool.agent(device(agent), community());

    const { scalars } = await asked.read(plan, forever);

    expect(scalars.size).toBe(1);
    expect(asked.cost).toEqual({ requests: 2, timeouts: 1 });
    expect(new Set(agent.requests.map(({ pdu }) => pdu.requestId)).size).toBe(1);
  });

  test('has an id that cannot be foreseen', async () => {
    await using agent = await startMibAgent({ varbinds });
    await using pool = testPool();

    for (let i = 0; i < 200; i++) await pool.agent(device(agent), community()).read(plan, forever);
    const ids = agent.requests.map(({ pdu }) => pdu.requestId);

    expect(new Set(ids).size).toBe(200);
    expect(Math.min(...ids)).toBeGreaterThan(0);
    for (let bit = 0; bit < 31; bit++) {
      const set = ids.filter((id) => (id >>> bit) & 1).length;
      expect(set).toBeGreaterThan(50);
      expect(set).toBeLessThan(150);
    }
  });

  test('to a silent agent fails after all its tries and says so', async () => {
    await using agent = await startMibAgent({ varbinds, behave: () => {} });
    await using pool = testPool({ ...quick, retries: 2 });

    const failure = await pool
      .agent(device(agent), community())
      .read(plan, forever)
      .catch((reason: unknown) => reason);

    expect(failure).toBeInstanceOf(SnmpError);
    expect(failure).toMatchObject({
      code: 'SNMP_TIMEOUT',
      answered: false,
      message: `no SNMP answer from 127.0.0.1:${agent.port} after 3 tries in 180 ms`,
    });
    expect(agent.requests).toHaveLength(3);
  });

  test('whose answer comes from another address names that address', async () => {
    await using agent = await startMibAgent({
      varbinds,
      behave: ({ reply, sendFrom }) => sendFrom('127.0.0.9', encodeMessage(reply)),
    });
    await using pool = testPool(quick);

    const read = pool.agent(device(agent), community()).read(plan, forever);

    await expect(read).rejects.toMatchObject({
      code: 'SNMP_TIMEOUT',
      hint: expect.stringContaining('write 127.0.0.9 as the address'),
    });
  });

  test('that cannot be sent is our fault, not the silence of the device', async () => {
    await using pool = testPool(quick);

    const alive = await pool.alive(device({ address: '255.255.255.255', port: 161 }), community(), forever);

    expect(alive).toMatchObject({ answered: false, error: { code: 'SNMP_NOT_SENT' } });
  });

  test('that is aborted ends at once and leaves nothing behind', async () => {
    await using agent = await startMibAgent({ varbinds, behave: () => {} });
    await using pool = testPool({ timeout: 60_000 as Milliseconds });
    const stop = new AbortController();

    const reading = pool.agent(device(agent), community()).read(plan, stop.signal);
    await agent.next();
    stop.abort(new Error('enough'));

    await expect(reading).rejects.toMatchObject({ code: 'SNMP_OUT_OF_TIME', answered: false });
  });

  test('in flight when the pool closes ends', async () => {
    await using agent = await startMibAgent({ varbinds, behave: () => {} });
    const pool = testPool({ timeout: 60_000 as Milliseconds });

    const reading = pool.agent(device(agent), community()).read(plan, forever);
    const outcome = reading.catch((reason: unknown) => reason);
    await agent.next();
    await pool.close();

    expect(await outcome).toBeInstanceOf(Error);
  });

  test('that was answered while this process stood still was answered in time', async () => {
    await using snmpd = await startSnmpd({ communities: ['public'] });
    await using pool = testPool({ timeout: 50 as Milliseconds, retries: 0 });
    const target = device(snmpd);
    await pool.alive(target, community(), forever);

    const asked = pool.alive(target, community(), forever);
    const until = performance.now() + 200;
    while (performance.now() < until) Math.sqrt(until);
    const alive = await asked;

    expect(alive).toMatchObject({ answered: true, cost: { requests: 1, timeouts: 0 } });
  });

  test('reaches agents by IPv6 too', async () => {
    await using snmpd = await startSnmpd({ communities: ['public'], ipv6: true });
    await using pool = testPool();

    const { scalars } = await pool.agent(device({ address: '::1', port: snmpd.port }), community()).read(plan, forever);

    expect(scalars.get(SYS.upTime)?.type).toBe('timeticks');
  });
});

test('five hundred devices share one socket per address family', async () => {
  await using agent = await startMibAgent({ varbinds });
  await using pool = testPool({ timeout: 5_000 as Milliseconds, maxPacketsPerSecond: 1_000 });
  const names = Array.from({ length: 500 }, (_, n) => `device-${n}`);
  const sockets = () => process.getActiveResourcesInfo().filter((resource) => resource === 'UDPWrap').length;
  const before = sockets();

  const alive = await Promise.all(names.map((name) => pool.alive(device(agent, name), community(), forever)));

  expect(alive.every(({ answered }) => answered)).toBe(true);
  expect(sockets() - before).toBeLessThanOrEqual(1);
});

test('a flood of strange datagrams does not hold up good replies', async () => {
  await using agent = await startMibAgent({ varbinds });
  await using pool = testPool({ timeout: 5_000 as Milliseconds });
  let port = 0;
  await using probe = await startMibAgent({
    varbinds,
    behave: ({ reply, send }) => send(encodeMessage(reply)),
  });
  const flood = createSocket('udp4').bind(0, '127.0.0.1');
  await once(flood, 'listening');
  flood.on('message', (_datagram, source) => {
    port = source.port;
  });
  await pool
    .alive(device({ address: '127.0.0.1', port: flood.address().port }), community(), AbortSignal.timeout(50))
    .catch(() => {});
  const noise = Buffer.alloc(1_400, 0x30);

  for (let i = 0; i < 300; i++) flood.send(noise, port, '127.0.0.1');
  const alive = await pool.alive(device(agent), community(), forever);
  const other = await pool.alive(device(probe, 'other'), community(), forever);
  flood.close();

  expect([alive.answered, other.answered]).toEqual([true, true]);
  expect(pool.counters.dropped.malformed).toBeGreaterThan(0);
});

/** A clock that only moves when it is asked to sleep. */
function sleepingClock(): Clock & { now: number } {
  const clock = {
    ...systemClock,
    now: 0,
    monotonicNow: () => clock.now as Monotonic,
    sleep: (duration: Milliseconds) => {
      clock.now += duration;
      return Promise.resolve();
    },
  };
  return clock;
}

describe('the cap on packets', () => {
  test('holds over any second, in the order of asking', async () => {
    const clock = sleepingClock();
    const bucket = new TokenBucket(clock, 100);
    const sent: { n: number; at: number }[] = [];

    await new Promise<void>((resolve) => {
      for (let n = 0; n < 500; n++) {
        const use = () => {
          sent.push({ n, at: clock.now });
          if (sent.length === 500) resolve();
          return true;
        };
        if (bucket.take()) use();
        else bucket.wait(use);
      }
    });

    expect(sent.map(({ n }) => n)).toEqual(Array.from({ length: 500 }, (_, n) => n));
    for (const { at } of sent) {
      const within = sent.filter((other) => other.at >= at && other.at < at + 1_000);
      expect(within.length).toBeLessThanOrEqual(111);
    }
    expect(clock.now).toBeGreaterThan(4_500);
    expect(clock.now).toBeLessThan(6_000);
  });

  test('gives the turn of one who left to the next', async () => {
    const clock = sleepingClock();
    const bucket = new TokenBucket(clock, 10);
    bucket.take();

    const at = await new Promise<number>((resolve) => {
      for (let n = 0; n < 1_000; n++) bucket.wait(() => false);
      bucket.wait(() => {
        resolve(clock.now);
        return true;
      });
    });

    expect(at).toBeLessThanOrEqual(200);
  });

  test('is kept by the pool and counted', async () => {
    await using agent = await startMibAgent({ varbinds });
    await using pool = testPool({ maxPacketsPerSecond: 20, timeout: 5_000 as Milliseconds });
    const started = performance.now();

    await Promise.all(
      Array.from({ length: 10 }, (_, n) => pool.alive(device(agent, `device-${n}`), community(), forever)),
    );

    expect(performance.now() - started).toBeGreaterThan(350); // two at once, eight more at 20 a second
    expect(pool.counters.throttled).toBe(8);
  });
});
