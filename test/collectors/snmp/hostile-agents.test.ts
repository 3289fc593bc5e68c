import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Milliseconds } from '#collectors/contract.ts';
import type { Oid, Varbind } from '#collectors/snmp/agent.ts';
import { encodeMessage, type WireVarbind } from '#collectors/snmp/ber.ts';
import {
  altered,
  cycling,
  empty,
  everGrowing,
  goingBack,
  repeating,
  tooBig,
  wildErrorIndex,
} from '../../support/hostile-agent.ts';
import { type Incident, type MibAgentOptions, startMibAgent, table, text } from '../../support/mib-agent.ts';
import { community, device, forever, SYS, testPool } from '../../support/snmp.ts';

/** For agents that are silent; the others get time enough on a busy machine. */
const quick = { timeout: 150 as Milliseconds, retries: 0 };
const patient = { timeout: 5_000 as Milliseconds, retries: 0 };
const COLUMN = '1.3.6.1.2.1.2.2.1.2';
const OTHER = '1.3.6.1.2.1.2.2.1.3';
const name = text('honest');
const good = () => new Map<Oid, Varbind>([[SYS.name, name], ...table([COLUMN, OTHER], 12)]);
const plan = { scalars: [SYS.name], tables: [[COLUMN]] };

/** Reads from an agent that behaves so, and says what it cost. */
async function readFrom(behave: NonNullable<MibAgentOptions['behave']>, change: Changes = {}) {
  const { version = '2c', patience = patient, ...options } = change;
  await using agent = await startMibAgent({ varbinds: good(), behave, ...options });
  await using pool = testPool(patience);
  const result = await pool.agent(device(agent), community('public', version)).read(plan, forever);
  return { ...result, requests: agent.requests.length };
}

interface Changes extends Partial<MibAgentOptions> {
  readonly version?: '1' | '2c';
  readonly patience?: typeof patient;
}

describe.each(['2c', '1'] as const)('a walk by v%s', (version) => {
  test.each([
    ['the same OID again and again', repeating, 1],
    ['each OID before the last', goingBack, 1],
    ['three OIDs in a circle', cycling, 3],
  ])('over %s ends where the order ends', async (_what, behave, rows) => {
    const { columns, partial, requests, scalars } = await readFrom(behave(COLUMN), { version });

    expect(partial).toEqual([{ column: COLUMN, reason: 'not-increasing' }]);
    expect(columns.get(COLUMN)?.size).toBe(rows);
    expect(scalars.get(SYS.name)).toEqual(name);
    expect(requests).toBeLessThan(6);
  });

  test('over an empty list of varbinds ends at once', async () => {
    const { partial, requests } = await readFrom(empty, { version });

    expect(partial.map(({ reason }) => reason)).toEqual(['no-answer', 'no-answer']);
    expect(requests).toBe(2);
  });

  test('over an error-index that names nothing ends', async () => {
    const reading = readFrom(wildErrorIndex, { version });

    await expect(reading).rejects.toMatchObject({ code: 'SNMP_GENERAL_ERROR', answered: true });
  });
});

describe('a table without an end', () => {
  test('ends at 20,000 rows', async () => {
    const { columns, partial } = await readFrom(everGrowing(COLUMN));

    expect(partial).toEqual([{ column: COLUMN, reason: 'too-many-rows' }]);
    expect(columns.get(COLUMN)?.size).toBe(20_000);
  });

  test('of long values ends at four megabytes', async () => {
    const { columns, partial } = await readFrom(everGrowing(COLUMN, 2_000));
    const octets = (columns.get(COLUMN)?.size ?? 0) * 2_000;

    expect(partial).toEqual([{ column: COLUMN, reason: 'too-many-bytes' }]);
    expect(octets).toBeGreaterThan(4_000_000);
    expect(octets).toBeLessThan(4_194_304);
  });

  test('of one row per answer ends when its time is over, and keeps what was read', async () => {
    const grow = everGrowing(COLUMN);
    await using agent = await startMibAgent({
      varbinds: good(),
      behave: (incident) =>
        grow({
          ...incident,
          send: (octets) => incident.send(octets),
          request: { ...incident.request, pdu: one(incident) },
        }),
    });
    await using pool = testPool();

    const { columns, partial, scalars } = await pool
      .agent(device(agent), community())
      .read(plan, AbortSignal.timeout(200));

    expect(partial).toEqual([{ column: COLUMN, reason: 'out-of-time' }]);
    expect(columns.get(COLUMN)?.size).toBeGreaterThan(1); // how many depends on the machine
    expect(scalars.get(SYS.name)).toEqual(name);
  });
});

/** The request as if one row had been asked. */
function one({ request: { pdu } }: Incident): Incident['request']['pdu'] {
  return pdu.type === 'get-bulk'
    ? { ...pdu, nonRepeaters: 0, maxRepetitions: 1, varbinds: pdu.varbinds.slice(0, 1) }
    : pdu;
}

describe('tooBig', () => {
  test.each([1, 2, 5, 13, 39])('above %i names is met with smaller requests, and remembered', async (names) => {
    const columns = Array.from({ length: 39 }, (_, n) => `1.3.6.1.4.1.99999.1.1.${n + 1}`);
    await using agent = await startMibAgent({ varbinds: table(columns, 2), behave: tooBig(names, 100) });
    await using pool = testPool(quick);
    const read = async () => {
      const asked = pool.agent(device(agent), community());
      return { ...(await asked.read({ scalars: [], tables: [columns] }, forever)), cost: asked.cost };
    };

    await read();
    const seen = agent.requests.length;
    const { columns: rows, partial } = await read();

    expect([...rows.values()].map(({ size }) => size)).toEqual(columns.map(() => 2));
    expect(partial).toEqual([]);
    expect(agent.requests.slice(seen).every(({ pdu }) => pdu.varbinds.length <= names)).toBe(true);
  });

  test.each([1, 2, 7, 30])('above %i rows is met with fewer rows', async (rows) => {
    const { columns, partial } = await readFrom(tooBig(100, rows), { varbinds: table([COLUMN], 40) });

    expect(columns.get(COLUMN)?.size).toBe(40);
    expect(partial).toEqual([]);
  });

  test('to everything is said', async () => {
    await expect(readFrom(tooBig())).rejects.toMatchObject({ code: 'SNMP_TOO_BIG', answered: true });
  });

  test('to the table alone leaves the scalars', async () => {
    const { scalars, partial } = await readFrom((incident) =>
      incident.request.pdu.type === 'get'
        ? incident.send(encodeMessage(incident.reply))
        : incident.send(encodeMessage(altered(incident, { errorStatus: 1, varbinds: [] }))),
    );

    expect(scalars.get(SYS.name)).toEqual(name);
    expect(partial).toEqual([{ column: COLUMN, reason: 'too-big' }]);
  });
});

describe('values', () => {
  test('of types that do not exist, or that do not fit theirs, are left out; the others stay', async () => {
    const { columns, partial } = await readFrom((incident) => {
      const octets = encodeMessage(incident.reply);
      // the gauges 3 and 7 of the table become a BOOLEAN and an IpAddress of one octet
      const mark = (row: number, tag: number) => {
        const at = Buffer.from(octets).indexOf(Uint8Array.of(row, 0x42, 1, row));
        if (at >= 0) octets[at + 1] = tag;
      };
      mark(3, 0x01);
      mark(7, 0x40);
      incident.send(octets);
    });

    expect([...(columns.get(COLUMN)?.keys() ?? [])]).toEqual(['1', '2', '4', '5', '6', '8', '9', '10', '11', '12']);
    expect(partial).toEqual([]);
  });

  test('under another name than asked are no answer to a GET', async () => {
    const { scalars } = await readFrom((incident) => {
      const varbinds = incident.reply.pdu.varbinds.map(({ value }): WireVarbind => ({ oid: SYS.descr, value }));
      incident.send(
        encodeMessage(incident.request.pdu.type === 'get' ? altered(incident, { varbinds }) : incident.reply),
      );
    });

    expect(scalars.size).toBe(0);
  });

  test('more than were asked for are not looked at', async () => {
    const { columns, partial } = await readFrom((incident) => {
      const { pdu } = incident.request;
      const more: WireVarbind[] = Array.from({ length: 1_500 }, (_, n) => ({
        oid: `${COLUMN}.${n + 100}`,
        value: name,
      }));
      const varbinds = pdu.type === 'get' ? incident.reply.pdu.varbinds : [...incident.reply.pdu.varbinds, ...more];
      incident.send(encodeMessage(altered(incident, { varbinds })));
    });

    expect(columns.get(COLUMN)?.size).toBe(12);
    expect(partial).toEqual([]);
  });
});

describe('an agent that falls silent', () => {
  test('in the middle of a walk leaves what was read, marked', async () => {
    const { scalars, columns, partial, requests } = await readFrom(
      ({ reply, send, served }) => (served < 4 ? send(encodeMessage(reply)) : undefined),
      { varbinds: new Map([...good(), ...table([COLUMN], 400)]), maxOctets: 300, patience: quick },
    );

    expect(scalars.get(SYS.name)).toEqual(name);
    expect(columns.get(COLUMN)?.size).toBeGreaterThan(2);
    expect(partial).toEqual([{ column: COLUMN, reason: 'no-answer' }]);
    expect(requests).toBeLessThanOrEqual(8);
  });

  test('from the start costs no more than its tries', async () => {
    await using agent = await startMibAgent({ varbinds: good(), behave: () => {} });
    await using pool = testPool({ ...quick, retries: 1 });
    const asked = pool.agent(device(agent), community());

    await expect(asked.read(plan, forever)).rejects.toMatchObject({ code: 'SNMP_TIMEOUT', answered: false });
    expect(asked.cost).toEqual({ requests: 2, timeouts: 2 });
  });

  test('to large requests alone is asked smaller ones from the third time on', async () => {
    await using agent = await startMibAgent({
      varbinds: good(),
      behave: ({ request: { pdu }, reply, send }) =>
        pdu.varbinds.length <= 5 ? send(encodeMessage(reply)) : undefined,
    });
    await using pool = testPool(quick);
    const columns = Array.from({ length: 16 }, (_, n) => `1.3.6.1.2.1.2.2.1.${n + 1}`);
    const read = async () => {
      const asked = pool.agent(device(agent), community());
      const { partial } = await asked.read({ scalars: [SYS.name], tables: [columns] }, forever);
      return { partial, timeouts: asked.cost.timeouts };
    };

    const polls = [await read(), await read(), await read(), await read()];

    expect(polls.map(({ partial }) => partial)).toEqual([[], [], [], []]);
    expect(polls[0]?.timeouts).toBeGreaterThan(0);
    expect(polls[3]?.timeouts).toBe(0);
  });
});

test('one lost packet does not make an agent be asked for less for ever', async () => {
  let isLossy = false;
  await using agent = await startMibAgent({
    varbinds: table([COLUMN, OTHER], 60),
    maxOctets: 1_400,
    behave: ({ reply, send }) => {
      if (!isLossy) send(encodeMessage(reply));
      isLossy = false;
    },
  });
  await using pool = testPool(quick);
  const read = async () => {
    const asked = pool.agent(device(agent), community());
    const { partial } = await asked.read({ scalars: [], tables: [[COLUMN, OTHER]] }, forever);
    expect(partial).toEqual([]);
    return asked.cost.requests;
  };
  await read();
  const before = await read();

  isLossy = true;
  await read();
  const after = await read();

  expect(after).toBe(before);
});

test('mutated replies from fifty agents end nothing and hold up nobody', async () => {
  const random = fc.sample(fc.nat(0x7fff_ffff), { numRuns: 4_000, seed: 20_261_124 });
  let drawn = 0;
  const draw = (limit: number) => (random[drawn++ % random.length] ?? 0) % limit;
  const mutating: MibAgentOptions['behave'] = ({ reply, send }) => {
    for (let copy = 0; copy < 3; copy++) {
      const octets = encodeMessage(reply);
      for (let change = draw(4); change >= 0; change--) octets[draw(octets.length)] = draw(256);
      send(octets.subarray(0, draw(5) === 0 ? draw(octets.length) : octets.length));
    }
  };
  await using pool = testPool({ timeout: 500 as Milliseconds, retries: 0 });
  await using honest = await startMibAgent({ varbinds: good() });
  const liars = await Promise.all(
    Array.from({ length: 50 }, () => startMibAgent({ varbinds: good(), behave: mutating })),
  );
  const uncaught: unknown[] = [];
  const catchAll = (error: unknown) => uncaught.push(error);
  process.on('uncaughtException', catchAll);
  const end = performance.now() + 3_000;
  let polls = 0;

  const lied = liars.map(async (liar, n) => {
    while (performance.now() < end) {
      await pool
        .agent(device(liar, `liar-${n}`), community())
        .read(plan, forever)
        .catch(() => undefined);
      polls++;
    }
  });
  while (performance.now() < end) {
    const result = await pool.agent(device(honest, 'honest'), community()).read(plan, forever);
    expect(result.columns.get(COLUMN)?.size).toBe(12);
    expect(result.scalars.get(SYS.name)).toEqual(name);
    expect(result.partial).toEqual([]);
  }
  await Promise.all(lied);
  await Promise.all(liars.map((liar) => liar.stop()));
  process.off('uncaughtException', catchAll);

  expect(uncaught).toEqual([]);
  expect(polls).toBeGreaterThan(200);
  expect(pool.counters.dropped.malformed).toBeGreaterThan(200);
});
