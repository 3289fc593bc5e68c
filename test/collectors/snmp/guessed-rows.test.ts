/** Rows that are asked for by guessed names where there is no GETBULK. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Oid, Varbind } from '#collectors/snmp/agent.ts';
import { encodeMessage } from '#collectors/snmp/ber.ts';
import { altered } from '../../support/hostile-agent.ts';
import { startMibAgent, text } from '../../support/mib-agent.ts';
import { community, device, forever, SYS, testPool } from '../../support/snmp.ts';

const ENTRY = '1.3.6.1.4.1.99999.5.1.1';
const PLAN = { scalars: [SYS.name], tables: [[`${ENTRY}.2`, `${ENTRY}.3`]] };

function mib(indexes: readonly (readonly number[])[], end = true): Map<Oid, Varbind> {
  const varbinds = new Map<Oid, Varbind>([[SYS.name, text('bmc-1')]]);
  for (const column of [2, 3])
    for (const index of indexes)
      varbinds.set(`${ENTRY}.${column}.${index.join('.')}`, {
        type: 'gauge32',
        value: ((index.at(-1) ?? 0) % 1_000) + column,
      });
  if (end) varbinds.set('1.3.6.1.4.1.99999.9.1.0', { type: 'integer', value: 1 });
  return varbinds;
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => [n + 1]);

describe('without GETBULK', () => {
  test('a table of 65 rows takes a handful of requests, not one per row', async () => {
    await using agent = await startMibAgent({ varbinds: mib(upTo(65)) });
    await using pool = testPool();
    const asked = () => {
      const polled = pool.agent(device(agent), community());
      polled.advise({ bulk: false });
      return polled;
    };

    const first = asked();
    await first.read(PLAN, forever);
    const second = asked();
    const { columns } = await second.read(PLAN, forever);

    expect([...columns.values()].map(({ size }) => size)).toEqual([65, 65]);
    expect(first.cost.requests).toBeLessThanOrEqual(12);
    expect(second.cost.requests).toBeLessThanOrEqual(7);
  });

  test('whatever the indexes are, all rows come, each once and in order', async () => {
    const numbers = fc.integer({ min: 0, max: 300 });
    const index = fc.oneof(
      numbers.map((n) => [n]),
      fc.tuple(fc.integer({ min: 0, max: 2 }), numbers),
      fc.constantFrom([127], [128], [16_383], [16_384], [4_294_967_295]),
    );
    const step = fc.record({ indexes: fc.array(index, { maxLength: 40 }), end: fc.boolean(), v1: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(step, step, async (before, after) => {
        await using pool = testPool();
        let port = 0;
        for (const { indexes, end, v1 } of [before, { ...after, v1: before.v1 }]) {
          const varbinds = mib(indexes, end);
          await using agent = await startMibAgent({ varbinds, port });
          port = agent.port;
          const polled = pool.agent(device(agent), community('public', v1 ? '1' : '2c'));
          polled.advise({ bulk: false });
          const { columns, partial } = await polled.read(PLAN, forever);
          expect(partial).toEqual([]);
          for (const [column, rows] of columns) {
            const own = [...varbinds].filter(([oid]) => oid.startsWith(`${column}.`));
            expect(new Map(Array.from(rows, ([at, varbind]) => [`${column}.${at}`, varbind]))).toEqual(new Map(own));
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test('an agent that stumbles over a name that it does not have is asked row by row', async () => {
    const varbinds = mib([...upTo(6), [9], [12]]);
    await using agent = await startMibAgent({
      varbinds,
      behave: (incident) => {
        const { reply, send } = incident;
        const { varbinds: asked, type } = incident.request.pdu;
        const unknown = asked.findIndex(({ oid }) => oid.split('.').length > 11 && !varbinds.has(oid));
        if (type !== 'get-next' || unknown < 0) send(encodeMessage(reply));
        else send(encodeMessage(altered(incident, { errorStatus: 5, errorIndex: unknown + 1 })));
      },
    });
    await using pool = testPool();
    const polled = pool.agent(device(agent), community());
    polled.advise({ bulk: false });

    const { columns, partial } = await polled.read(PLAN, forever);

    expect(partial).toEqual([]);
    expect([...columns.values()].map((rows) => [...rows.keys()])).toEqual(
      [2, 3].map(() => ['1', '2', '3', '4', '5', '6', '9', '12']),
    );
  });
});
