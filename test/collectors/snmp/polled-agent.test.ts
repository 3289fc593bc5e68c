import { describe, expect, test } from 'vitest';
import type { Milliseconds } from '#collectors/contract.ts';
import type { Oid, ReadPlan, Varbind } from '#collectors/snmp/agent.ts';
import { encodeMessage } from '#collectors/snmp/ber.ts';
import { altered } from '../../support/hostile-agent.ts';
import { type MibAgent, startMibAgent, table, text } from '../../support/mib-agent.ts';
import { community, device, forever, SYS, type TestPool, testPool } from '../../support/snmp.ts';
import { startSnmpd } from '../../support/snmpd.ts';

const quick = { timeout: 60 as Milliseconds };
const IF = '1.3.6.1.2.1.2.2.1';
const IFX = '1.3.6.1.2.1.31.1.1.1';
/** What is read of interfaces: 21 columns. */
const INTERFACES: readonly Oid[] = [
  ...[2, 3, 5, 6, 7, 8, 13, 14, 19, 20].map((n) => `${IF}.${n}`),
  ...[1, 6, 7, 8, 9, 10, 11, 12, 13, 15, 18].map((n) => `${IFX}.${n}`),
];
const system = new Map<Oid, Varbind>([
  [SYS.descr, text('a switch with 26 ports')],
  [SYS.objectId, { type: 'oid', value: '1.3.6.1.4.1.99999.1' }],
  [SYS.upTime, { type: 'timeticks', value: 123_456 }],
  [SYS.contact, text('noc')],
  [SYS.name, text('sw-1')],
  [SYS.location, text('rack 1')],
]);
const cell = (column: Oid, row: number): Varbind =>
  column.startsWith(IFX) ? { type: 'counter64', value: 5_000_000_000n + BigInt(row) } : { type: 'gauge32', value: row };
const switchMib = (ports = 26) => new Map([...system, ...table(INTERFACES, ports, cell)]);
const PLAN: ReadPlan = { scalars: Object.values(SYS), tables: [INTERFACES] };

async function poll(pool: TestPool, agent: MibAgent, plan = PLAN, credential = community()) {
  const asked = pool.agent(device(agent), credential);
  const before = agent.requests.length;
  const result = await asked.read(plan, forever);
  return { ...result, cost: asked.cost, asked: agent.requests.slice(before).map(({ pdu }) => pdu) };
}

const rows = (columns: ReadonlyMap<Oid, ReadonlyMap<string, Varbind>>) => [...columns.values()].map(({ size }) => size);

describe('a switch of 26 ports, 21 columns and the system group', () => {
  test('takes at most 12 requests of an agent that cuts its replies at 1400 octets', async () => {
    await using agent = await startMibAgent({ varbinds: switchMib(), maxOctets: 1_400 });
    await using pool = testPool();

    const polls = [await poll(pool, agent), await poll(pool, agent), await poll(pool, agent)];

    for (const { scalars, columns, partial } of polls) {
      expect(scalars).toEqual(system);
      expect(rows(columns)).toEqual(INTERFACES.map(() => 26));
      for (const [column, read] of columns) {
        expect([...read]).toEqual(Array.from({ length: 26 }, (_, n) => [String(n + 1), cell(column, n + 1)]));
      }
      expect(partial).toEqual([]);
    }
    expect(polls[0]?.cost.requests).toBeLessThanOrEqual(15);
    expect(polls[1]?.cost.requests).toBeLessThanOrEqual(12);
    expect(polls[2]?.cost.requests).toBeLessThanOrEqual(12);
  });

  test('takes replies no larger than an Ethernet frame of an agent of which no more is known', async () => {
    let longest = 0;
    await using agent = await startMibAgent({
      varbinds: switchMib(),
      // it can neither cut nor refuse: what is longer gets lost on the way
      behave: ({ reply, send }) => {
        const octets = encodeMessage(reply);
        if (octets.length > 1_472) return;
        longest = Math.max(longest, octets.length);
        send(octets);
      },
    });
    await using pool = testPool(quick);

    const first = await poll(pool, agent);
    const second = await poll(pool, agent);

    expect([...rows(first.columns), ...rows(second.columns)]).toEqual(Array.from({ length: 42 }, () => 26));
    expect(first.partial).toEqual([]);
    expect(first.cost.timeouts).toBe(1); // one look whether more works
    expect(second.cost.timeouts).toBe(0);
    expect(longest).toBeGreaterThan(1_000);
  });

  test('takes few requests where larger replies work', async () => {
    await using agent = await startMibAgent({ varbinds: switchMib() });
    await using pool = testPool();

    await poll(pool, agent);
    await poll(pool, agent);
    const { cost, columns } = await poll(pool, agent);

    expect(rows(columns)).toEqual(INTERFACES.map(() => 26));
    expect(cost.requests).toBeLessThanOrEqual(6);
  });

  test('never asks for more than 50 rows at once', async () => {
    await using agent = await startMibAgent({ varbinds: table([`${IF}.2`], 2_000) });
    await using pool = testPool();

    await poll(pool, agent, { scalars: [], tables: [[`${IF}.2`]] });
    const { asked, columns } = await poll(pool, agent, { scalars: [], tables: [[`${IF}.2`]] });

    expect(rows(columns)).toEqual([2_000]);
    const repetitions = asked.map((pdu) => (pdu.type === 'get-bulk' ? pdu.maxRepetitions : 0));
    expect(Math.max(...repetitions)).toBe(50);
  });

  test('by v1 takes a row of all columns per request', async () => {
    await using agent = await startMibAgent({ varbinds: switchMib(8) });
    await using pool = testPool();

    const { columns, scalars, asked } = await poll(pool, agent, PLAN, community('public', '1'));

    expect(rows(columns)).toEqual(INTERFACES.map(() => 8));
    expect(scalars.size).toBe(6);
    expect(new Set(asked.map(({ type }) => type))).toEqual(new Set(['get', 'get-next']));
    expect(asked.length).toBeLessThanOrEqual(1 + 9 + 1); // the end of the MIB is an error in v1;
  });
});

describe('scalars', () => {
  test('ride along with the table once the agent is known to have them', async () => {
    await using agent = await startMibAgent({ varbinds: switchMib(2) });
    await using pool = testPool();

    const first = await poll(pool, agent);
    const second = await poll(pool, agent);

    expect(first.asked[0]?.type).toBe('get');
    expect(second.asked.map(({ type }) => type)).toEqual(second.asked.map(() => 'get-bulk'));
    expect(second.scalars).toEqual(system);
  });

  test('are asked by GET again where riding along brings nothing although they are there', async () => {
    await using agent = await startMibAgent({
      varbinds: switchMib(2),
      behave: (incident) => {
        const { request, reply, send } = incident;
        if (request.pdu.type !== 'get-bulk') return send(encodeMessage(reply));
        const { nonRepeaters } = request.pdu;
        const varbinds = reply.pdu.varbinds.map((varbind, index) =>
          index < nonRepeaters ? { oid: '1.3.6.1.2.1.99.1', value: varbind.value } : varbind,
        );
        send(encodeMessage(altered(incident, { varbinds })));
      },
    });
    await using pool = testPool();

    await poll(pool, agent);
    const second = await poll(pool, agent);
    const third = await poll(pool, agent);

    expect(second.scalars).toEqual(system);
    expect(third.scalars).toEqual(system);
    expect(third.asked[0]?.type).toBe('get'); // it is not asked that way again
  });

  test('that are not there are absent, and found when they come', async () => {
    const varbinds = new Map<Oid, Varbind>([...system, ...table([`${IF}.2`], 2)]);
    await using agent = await startMibAgent({ varbinds });
    await using pool = testPool();
    const plan = { scalars: [SYS.name, '1.3.6.1.4.1.1.1.0'], tables: [[`${IF}.2`]] };

    const before = await poll(pool, agent, plan);
    await agent.stop();
    varbinds.set('1.3.6.1.4.1.1.1.0', { type: 'integer', value: 7 });
    await using later = await startMibAgent({ varbinds, port: agent.port });
    const after = await poll(pool, later, plan);

    expect([...before.scalars.keys()]).toEqual([SYS.name]);
    expect([...after.scalars.keys()].sort()).toEqual([SYS.name, '1.3.6.1.4.1.1.1.0'].sort());
  });

  test('that a v1 agent lacks cost a request once, not at each poll', async () => {
    await using agent = await startMibAgent({ varbinds: system });
    await using pool = testPool();
    const lacking = ['1.3.6.1.4.1.1.1.0', '1.3.6.1.4.1.1.2.0', '1.3.6.1.4.1.1.3.0'];
    const plan = { scalars: [lacking[0] ?? '', SYS.name, ...lacking.slice(1), SYS.descr], tables: [] };

    const first = await poll(pool, agent, plan, community('public', '1'));
    const second = await poll(pool, agent, plan, community('public', '1'));

    expect([...first.scalars.keys()]).toEqual([SYS.name, SYS.descr]);
    expect([...second.scalars.keys()]).toEqual([SYS.name, SYS.descr]);
    expect([first.cost.requests, second.cost.requests]).toEqual([4, 1]);
  });

  test('at instances other than 0 ride along too', async () => {
    const oid = '1.3.6.1.4.1.9.9.109.1.1.1.1.8.1';
    await using agent = await startMibAgent({
      varbinds: new Map<Oid, Varbind>([...switchMib(2), [oid, { type: 'gauge32', value: 33 }]]),
    });
    await using pool = testPool();
    const plan = { scalars: [oid], tables: [[`${IF}.2`]] };

    await poll(pool, agent, plan);
    const { scalars, cost } = await poll(pool, agent, plan);

    expect(scalars.get(oid)).toEqual({ type: 'gauge32', value: 33 });
    expect(cost.requests).toBe(1);
  });

  test('come in chunks where there are many', async () => {
    const many = Array.from({ length: 300 }, (_, n) => `1.3.6.1.4.1.99999.2.${n + 1}.0`);
    await using agent = await startMibAgent({
      varbinds: new Map(many.map((oid, n) => [oid, { type: 'integer', value: n }])),
      maxNames: 25,
    });
    await using pool = testPool();

    const first = await poll(pool, agent, { scalars: many, tables: [] });
    const second = await poll(pool, agent, { scalars: many, tables: [] });

    expect(first.scalars.size).toBe(300);
    expect(second.cost.requests).toBe(15); // 20 at once, after 40 were too many
  });
});

describe('tables', () => {
  test('that are small share a request once they are known', async () => {
    const tables = Array.from({ length: 6 }, (_, t) => [1, 2, 3].map((c) => `1.3.6.1.4.1.99999.3.${t}.1.${c}`));
    await using agent = await startMibAgent({
      varbinds: new Map(tables.flatMap((columns, t) => [...table(columns, t % 3)])),
    });
    await using pool = testPool();

    await poll(pool, agent, { scalars: [], tables });
    const { cost, columns } = await poll(pool, agent, { scalars: [], tables });

    expect(rows(columns)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 0, 0, 0, 1, 1, 1, 2, 2, 2]);
    expect(cost.requests).toBe(1);
  });

  test('that were empty are looked at again, and read when they have rows', async () => {
    const columns = [1, 2, 3].map((n) => `1.3.6.1.4.1.99999.4.1.${n}`);
    const behind: [Oid, Varbind] = ['1.3.6.1.4.1.99999.9.0', { type: 'integer', value: 1 }];
    const varbinds = new Map<Oid, Varbind>([behind]);
    await using pool = testPool();
    await using empty = await startMibAgent({ varbinds });
    const plan = { scalars: [], tables: [columns] };

    await poll(pool, empty, plan);
    const still = await poll(pool, empty, plan);
    await empty.stop();
    await using full = await startMibAgent({
      varbinds: new Map([behind, ...table(columns, 7)]),
      port: empty.port,
    });
    const now = await poll(pool, full, plan);

    expect(still.asked[0]?.varbinds).toHaveLength(1);
    expect(rows(still.columns)).toEqual([0, 0, 0]);
    expect(rows(now.columns)).toEqual([7, 7, 7]);
  });

  test('with gaps in their columns are read whole', async () => {
    const varbinds = new Map<Oid, Varbind>();
    for (let row = 1; row <= 30; row++) {
      varbinds.set(`${IF}.2.${row}`, text(`port ${row}`));
      if (row % 3 === 0) varbinds.set(`${IF}.3.${row}`, { type: 'integer', value: 6 });
      if (row === 30) varbinds.set(`${IF}.5.${row}`, { type: 'gauge32', value: 1 });
    }
    await using agent = await startMibAgent({ varbinds, maxOctets: 500 });
    await using pool = testPool();
    const plan = { scalars: [], tables: [[`${IF}.2`, `${IF}.3`, `${IF}.4`, `${IF}.5`]] };

    const polls = [await poll(pool, agent, plan), await poll(pool, agent, plan)];

    for (const { columns, partial } of polls) {
      expect(rows(columns)).toEqual([30, 10, 0, 1]);
      expect(partial).toEqual([]);
    }
  });

  test('with more columns than a request takes are read in parts', async () => {
    const columns = Array.from({ length: 70 }, (_, n) => `1.3.6.1.4.1.99999.5.1.${n + 1}`);
    await using agent = await startMibAgent({ varbinds: table(columns, 5), maxNames: 30 });
    await using pool = testPool();

    const { columns: read, partial } = await poll(pool, agent, { scalars: [], tables: [columns] });

    expect(rows(read)).toEqual(columns.map(() => 5));
    expect(partial).toEqual([]);
  });

  test('that grow between polls are read whole', async () => {
    const plan = { scalars: [], tables: [[`${IF}.2`, `${IF}.3`]] };
    await using pool = testPool();
    const sizes: number[][] = [];
    let port = 0;

    for (const size of [3, 90, 2, 40]) {
      await using agent = await startMibAgent({ varbinds: table(plan.tables.flat(), size), port });
      port = agent.port;
      sizes.push(rows((await poll(pool, agent, plan)).columns));
    }

    expect(sizes).toEqual([3, 90, 2, 40].map((size) => [size, size]));
  });
  test('keep the indices and the order of the agent', async () => {
    const column = '1.3.6.1.2.1.4.20.1.2';
    const indices = ['9.200.0.1', '10.0.0.1', '10.0.0.128', '10.0.0.16384', '192.168.1.1'];
    await using agent = await startMibAgent({
      varbinds: new Map(indices.map((index, n) => [`${column}.${index}`, { type: 'integer', value: n }])),
    });
    await using pool = testPool();

    const { columns } = await poll(pool, agent, { scalars: [], tables: [[column]] });

    expect([...(columns.get(column)?.keys() ?? [])]).toEqual(indices);
  });

  test('of a real snmpd are the same by v1, v2c, and one column at a time', async () => {
    await using snmpd = await startSnmpd({ communities: ['public'] });
    await using pool = testPool();
    const columns = [1, 2, 3, 5, 6].map((n) => `${IF}.${n}`);
    const read = async (version: '1' | '2c', tables: readonly (readonly Oid[])[], name: string) =>
      (await pool.agent(device(snmpd, name), community('public', version)).read({ scalars: [], tables }, forever))
        .columns;

    const together = await read('2c', [columns], 'one');
    const apart = await read(
      '2c',
      columns.map((column) => [column]),
      'two',
    );
    const old = await read('1', [columns], 'three');

    expect(together.get(`${IF}.2`)?.size).toBeGreaterThan(0);
    expect(apart).toEqual(together);
    expect(old).toEqual(together);
  });
});

describe('hints', () => {
  test('against GETBULK lead to GETNEXT', async () => {
    await using agent = await startMibAgent({ varbinds: switchMib(3) });
    await using pool = testPool();
    const asked = pool.agent(device(agent), community());
    asked.advise({ bulk: false });

    const { columns } = await asked.read(PLAN, forever);

    expect(rows(columns)).toEqual(INTERFACES.map(() => 3));
    expect(agent.requests.some(({ pdu }) => pdu.type === 'get-bulk')).toBe(false);
  });

  test('on the most varbinds are kept', async () => {
    await using agent = await startMibAgent({ varbinds: switchMib(3) });
    await using pool = testPool();
    const asked = pool.agent(device(agent), community());
    asked.advise({ maxVarbinds: 4 });

    const { columns } = await asked.read(PLAN, forever);

    expect(rows(columns)).toEqual(INTERFACES.map(() => 3));
    expect(Math.max(...agent.requests.map(({ pdu }) => pdu.varbinds.length))).toBe(4);
  });
});

describe('an agent that knows no GETBULK', () => {
  test('is asked by GETNEXT from then on', async () => {
    await using agent = await startMibAgent({ varbinds: switchMib(3), bulk: false });
    await using pool = testPool({ ...quick, retries: 0 });

    const first = await poll(pool, agent);
    const second = await poll(pool, agent);

    expect(rows(first.columns)).toEqual(INTERFACES.map(() => 3));
    expect(second.asked.some(({ type }) => type === 'get-bulk')).toBe(false);
    expect(second.cost.timeouts).toBe(0);
    expect(rows(second.columns)).toEqual(INTERFACES.map(() => 3));
  });
});
