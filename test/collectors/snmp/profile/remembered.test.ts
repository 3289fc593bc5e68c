/** Names, labels and series are remembered from poll to poll: what comes of it must be what a first read gives. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Labels } from '#collectors/contract.ts';
import { deviceOf, libraryOf, lines } from './support.ts';

const PORTS = '1.3.6.1.4.1.99999.3.1';
const profile = (slow: string) =>
  libraryOf(`
tables:
  port:
    entry: ${PORTS}
    columns: {name: 1, octets: 2, state: 3}
    slow: [${slow}]
areas:
  interfaces:
    - rows: port
      readings:
        - metric: siteward_interface_up
          when: [{value: {column: state}, above: 0}]
          value: {column: state, map: {1: 1, 2: 0}}
          labels: {interface: {first: [{column: name}, {join: [port, {index: all}], separator: ''}]}}
        - metric: siteward_interface_receive_bytes_total
          value: {column: octets, absent: [0]}
          labels: {interface: {first: [{column: name}, {join: [port, {index: all}], separator: ''}]}}
`);
const PROFILE = profile('');
/** Whose names are asked at inventory only, and when its rows are others. */
const SLOW = profile('name');

/** As interfaces are: a name that is asked at each poll, an alias that is not, and counters of 32 bits. */
const MIXED = libraryOf(`
tables:
  port:
    entry: ${PORTS}
    columns: {name: 1, octets: 2, state: 3, alias: 4}
    slow: [alias]
areas:
  interfaces:
    - rows: port
      speed: 100000000
      readings:
        - metric: siteward_interface_info
          value: 1
          labels: {interface: {column: name}, alias: {column: alias}}
        - metric: siteward_interface_receive_bytes_total
          value: {column: octets}
          labels: {interface: {column: name}}
`);

interface Port {
  readonly index: number;
  readonly name: string;
  readonly octets: number;
  readonly state: number;
}

/** Few, so that rows often bear the same one, or one that looks numbered already. */
const NAMES = ['wan', 'lan', 'lan (2)', '', 'größe', '-'] as const;

const port: fc.Arbitrary<Port> = fc.record({
  index: fc.integer({ min: 1, max: 6 }),
  name: fc.constantFrom(...NAMES),
  octets: fc.integer({ min: 0, max: 2 }),
  state: fc.integer({ min: 0, max: 3 }),
});
const portsOf = (each: fc.Arbitrary<Port>) =>
  fc.uniqueArray(each, { selector: ({ index }) => index, minLength: 1, maxLength: 6 });
const ports = portsOf(port);
/** All of which have a name, so that all that is remembered of their rows is used; many stay from read to read. */
const namedPorts = portsOf(
  fc
    .record({ index: fc.integer({ min: 1, max: 4 }), name: fc.constantFrom('wan', 'lan', 'größe') })
    .map((each) => ({ ...each, octets: 1, state: 1 })),
);

/** Without it a device might show nothing at its inventory, and polls would not ask for the table at all. */
const ALWAYS: Port = { index: 9, name: 'mgmt', octets: 1, state: 1 };

function recording(found: readonly Port[]): string {
  const rows = [...found, ALWAYS].toSorted((a, b) => a.index - b.index);
  const column = (number: number, tag: string, value: (port: Port) => string | number) =>
    rows.map((each) => `${PORTS}.${number}.${each.index}|${tag}|${value(each)}`);
  return [
    '1.3.6.1.2.1.1.1.0|4|Test device',
    '1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.99999.1',
    ...column(1, '4x', ({ name }) => Buffer.from(name).toString('hex')),
    ...column(2, '66', ({ octets }) => octets),
    ...column(3, '2', ({ state }) => state),
  ].join('\n');
}

/** The aliases are others wherever the rows are, so that they are asked anew. */
function mixed(found: readonly Port[], octets: number): string {
  const rows = [...found, ALWAYS].toSorted((a, b) => a.index - b.index);
  const all = rows.map(({ index }) => index).join('.');
  const counters = `${PORTS}.2.`;
  return [
    ...recording(found)
      .split('\n')
      .filter((line) => !line.startsWith(counters)),
    `1.3.6.1.2.1.1.3.0|67|${(octets / 2 ** 31) * 6_000}`,
    ...rows.map(({ index }) => `${counters}${index}|65|${octets % 2 ** 32}`),
    ...rows.map(({ index }) => `${PORTS}.4.${index}|4|${index} of ${all}`),
  ].join('\n');
}

describe('what is remembered of a device', () => {
  test('whatever its rows are called from poll to poll, a poll gives what a first read gives', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(ports, { minLength: 2, maxLength: 6 }), async (polls) => {
        const [first = [], ...later] = polls;
        const device = deviceOf(PROFILE, recording(first));
        await device.ask('inventory');
        for (const found of later) {
          device.agent.become(recording(found));
          const polled = lines(await device.ask('metrics'));
          const fresh = lines(await deviceOf(PROFILE, recording(found)).ask('inventory'));
          expect(polled).toEqual(fresh);
          expect(new Set(polled.map((line) => line.replace(/ \S+$/, ''))).size).toBe(polled.length);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('names that are not asked at each poll are those of the rows at hand', async () => {
    /** Another name for each row of each set of rows. */
    const named = (found: readonly Port[]) => {
      const rows = found.reduce((sum, { index }) => sum + 2 ** index, 0);
      return found.map((each) => ({ ...each, name: NAMES[(rows * 7 + each.index) % NAMES.length] ?? '' }));
    };
    await fc.assert(
      fc.asyncProperty(fc.array(ports, { minLength: 3, maxLength: 8 }), async (polls) => {
        const [first = [], ...later] = polls.map(named);
        const device = deviceOf(SLOW, recording(first));
        await device.ask('inventory');
        // Twice each: what is remembered is compared at the first and taken as it is at the second.
        for (const found of later.flatMap((each) => [each, each])) {
          device.agent.become(recording(found));
          const polled = lines(await device.ask('metrics'));
          const fresh = lines(await deviceOf(SLOW, recording(found)).ask('inventory'));
          expect(polled).toEqual(fresh);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('whatever is asked in whatever order, equal labels of two reads are one object, and counters go on under them', async () => {
    const MOST = 2 ** 32;
    const read = fc.record({
      question: fc.constantFrom('inventory' as const, 'metrics' as const),
      found: namedPorts,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(read, { minLength: 2, maxLength: 8 }), async (reads) => {
        const device = deviceOf(MIXED, mixed([], 0));
        await device.ask('inventory', 0);
        let before = new Map<string, Labels>();
        const all = reads.flatMap(({ question, found }) => [
          { question, found },
          { question: 'metrics', found } as const,
        ]);
        for (const [number, { question, found }] of all.entries()) {
          // Always half a turn further: every second read turns.
          const octets = ((number + 1) * MOST) / 2;
          device.agent.become(mixed(found, octets));
          const readings = (await device.ask(question, (number + 1) * 60)).groups.flatMap((group) => group.readings);
          const now = new Map(readings.map(({ labels }) => [JSON.stringify(labels), labels]));
          const fresh = (await deviceOf(MIXED, mixed(found, octets)).ask('inventory')).groups;
          expect(now.keys().toArray()).toEqual([
            ...new Set(fresh.flatMap((group) => group.readings.map(({ labels }) => JSON.stringify(labels)))),
          ]);
          for (const [text, labels] of now) expect(labels).toBe(before.get(text) ?? labels);
          for (const { labels } of readings) expect(labels).toBe(now.get(JSON.stringify(labels)));
          const always = readings.find(
            ({ metric, labels }) => metric.includes('receive') && labels.interface === 'mgmt',
          );
          expect(always?.value).toBe(BigInt(octets));
          before = now;
        }
      }),
      { numRuns: 200 },
    );
  });

  test('labels stay the same objects while they say the same', async () => {
    const rows = [
      { index: 1, name: 'wan', octets: 5, state: 1 },
      { index: 2, name: 'lan', octets: 6, state: 1 },
    ];
    const device = deviceOf(PROFILE, recording(rows));
    const [before] = (await device.ask('inventory')).groups;
    device.agent.become(recording(rows.map((row) => ({ ...row, octets: row.octets + 1 }))));
    const [after] = (await device.ask('metrics')).groups;

    expect(after?.readings.map(({ value }) => value)).not.toEqual(before?.readings.map(({ value }) => value));
    for (const [position, { labels }] of after?.readings.entries() ?? [])
      expect(labels).toBe(before?.readings[position]?.labels);
  });
});
