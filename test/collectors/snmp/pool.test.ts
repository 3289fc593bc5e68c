import { describe, expect, test } from 'vitest';
import type { Milliseconds } from '#collectors/contract.ts';
import type { Varbind } from '#collectors/snmp/agent.ts';
import { encodeMessage } from '#collectors/snmp/ber.ts';
import { altered, tooBig } from '../../support/hostile-agent.ts';
import { startMibAgent, table } from '../../support/mib-agent.ts';
import { community, device, forever, SYS, testPool, user } from '../../support/snmp.ts';
import { startSnmpd } from '../../support/snmpd.ts';

const COLUMNS = ['1.3.6.1.2.1.2.2.1.2', '1.3.6.1.2.1.2.2.1.3'];
const varbinds = new Map<string, Varbind>([[SYS.upTime, { type: 'timeticks', value: 99 }], ...table(COLUMNS, 30)]);
const plan = { scalars: [SYS.upTime], tables: [COLUMNS] };
const KEYS = { auth: ['sha256', 'correct-horse'], privacy: ['aes128', 'battery-staple'] } as const;

describe('what was learnt about a device', () => {
  test('outlives the poll and a reload that makes its credential anew', async () => {
    await using agent = await startMibAgent({ varbinds, behave: tooBig(50, 4) });
    await using pool = testPool();
    await pool.agent(device(agent), community()).read(plan, forever);
    await pool.agent(device(agent), community()).read(plan, forever);
    const before = agent.requests.length;

    await pool.agent(device(agent), community()).read(plan, forever);

    const asked = agent.requests.slice(before).map(({ pdu }) => (pdu.type === 'get-bulk' ? pdu.maxRepetitions : 0));
    expect(Math.max(...asked)).toBeLessThanOrEqual(4);
  });

  test('is gone once the device is forgotten, or has another address', async () => {
    await using agent = await startMibAgent({ varbinds });
    await using moved = await startMibAgent({ varbinds });
    await using pool = testPool();
    const first = async (at: typeof agent) => {
      const before = at.requests.length;
      await pool.agent(device(at), community()).read(plan, forever);
      return at.requests[before]?.pdu.type;
    };

    expect(await first(agent)).toBe('get');
    expect(await first(agent)).toBe('get-bulk');
    pool.forget('device');
    expect(await first(agent)).toBe('get');
    expect(await first(moved)).toBe('get');
  });

  test('belongs to the credential: another view may show other things', async () => {
    await using agent = await startMibAgent({ varbinds });
    await using pool = testPool();
    await pool.agent(device(agent), community('one')).read(plan, forever);
    const before = agent.requests.length;

    await pool.agent(device(agent), community('two')).read(plan, forever);

    expect(agent.requests[before]?.pdu.type).toBe('get');
  });

  test('is kept for the credentials used last', async () => {
    await using agent = await startMibAgent({ varbinds });
    await using pool = testPool();
    const read = async (name: string) => {
      const before = agent.requests.length;
      await pool.agent(device(agent), community(name)).read(plan, forever);
      return agent.requests[before]?.pdu.type;
    };
    for (const name of ['a', 'b', 'c', 'd', 'a', 'e']) await read(name);

    expect([await read('a'), await read('b')]).toEqual(['get-bulk', 'get']);
  });
});

test('a v3 session outlives the poll and a reload', async () => {
  await using snmpd = await startSnmpd({
    users: [
      {
        name: 'reader',
        level: 'priv',
        auth: { protocol: 'SHA-256', key: KEYS.auth[1] },
        privacy: { protocol: 'AES', key: KEYS.privacy[1] },
      },
    ],
  });
  await using pool = testPool();
  const requests = async () => {
    const agent = pool.agent(device(snmpd), user('reader', KEYS));
    await agent.read({ scalars: [SYS.upTime], tables: [] }, forever);
    return agent.cost.requests;
  };

  expect([await requests(), await requests(), await requests()]).toEqual([2, 1, 1]);
});

test('each poll has its own cost', async () => {
  await using agent = await startMibAgent({ varbinds });
  await using pool = testPool();
  const polls = Array.from({ length: 5 }, (_, n) => pool.agent(device(agent, `device-${n % 2}`), community()));

  await Promise.all(polls.map((poll) => poll.read(plan, forever)));
  const cost = polls.reduce((sum, poll) => sum + poll.cost.requests, 0);

  expect(cost).toBe(agent.requests.length);
  expect(pool.counters.requests).toBe(cost);
});

describe('alive', () => {
  test('gives the uptime for one packet', async () => {
    await using agent = await startMibAgent({ varbinds });
    await using pool = testPool();

    const alive = await pool.alive(device(agent), community(), forever);

    expect(alive).toEqual({
      answered: true,
      uptime: { type: 'timeticks', value: 99 },
      cost: { requests: 1, timeouts: 0 },
    });
  });

  test('takes an error for an answer', async () => {
    await using agent = await startMibAgent({
      varbinds,
      behave: (incident) => incident.send(encodeMessage(altered(incident, { errorStatus: 5, errorIndex: 1 }))),
    });
    await using pool = testPool();

    expect(await pool.alive(device(agent), community(), forever)).toMatchObject({ answered: true });
  });

  test('takes silence for none', async () => {
    await using agent = await startMibAgent({ varbinds, behave: () => {} });
    await using pool = testPool({ timeout: 50 as Milliseconds });

    expect(await pool.alive(device(agent), community(), forever)).toMatchObject({
      answered: false,
      error: { code: 'SNMP_TIMEOUT' },
      cost: { requests: 2, timeouts: 2 },
    });
  });

  test('that is aborted says nothing about the device', async () => {
    await using agent = await startMibAgent({ varbinds, behave: () => {} });
    await using pool = testPool();
    const reason = new Error('the daemon stops');

    const asked = pool.alive(device(agent), community(), AbortSignal.abort(reason));

    await expect(asked).rejects.toBe(reason);
  });
});
