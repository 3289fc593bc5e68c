/** Names, labels and series are remembered from poll to poll: what comes of it must be what a first read gives. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deviceOf, libraryOf, lines } from './support.ts';

const profile = (slow: string) =>
  libraryOf(`
tables:
  port:
    entry: 1.3.6.1.4.1.99999.3.1
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
const ports = fc.uniqueArray(port, { selector: ({ index }) => index, minLength: 1, maxLength: 6 });

/** Without it a device might show nothing at its inventory, and polls would not ask for the table at all. */
const ALWAYS: Port = { index: 9, name: 'mgmt', octets: 1, state: 1 };

function recording(found: readonly Port[]): string {
  const rows = [...found, ALWAYS].toSorted((a, b) => a.index - b.index);
  const column = (number: number, tag: string, value: (port: Port) => string | number) =>
    rows.map((each) => `1.3.6.1.4.1.99999.3.1.${number}.${each.index}|${tag}|${value(each)}`);
  return [
    '1.3.6.1.2.1.1.1.0|4|Test device',
    '1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.99999.1',
    ...column(1, '4x', ({ name }) => Buffer.from(name).toString('hex')),
    ...column(2, '66', ({ octets }) => octets),
    ...column(3, '2', ({ state }) => state),
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
