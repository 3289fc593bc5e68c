import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeMessage, encodeMessage, type Pdu } from '#collectors/snmp/ber.ts';
import { SimulatedAgent } from '#daemon/demo/agent.ts';
import { type ObjectEntry, ObjectTree } from '#daemon/demo/object-tree.ts';

const run = promisify(execFile);
const TABLE = '1.3.6.1.4.1.99999.1.1';
let alarm = false;

const OBJECTS: readonly ObjectEntry[] = [
  ['1.3.6.1.2.1.1.1.0', { type: 'octet-string', value: Buffer.from('Test device') }],
  ['1.3.6.1.2.1.1.2.0', { type: 'oid', value: '1.3.6.1.4.1.99999' }],
  ['1.3.6.1.2.1.1.3.0', { type: 'timeticks', value: 4_294_967_295 }],
  ['1.3.6.1.2.1.1.7.0', { type: 'integer', value: -72 }],
  ...[1, 2, 9, 10, 100, 1000].flatMap((row): ObjectEntry[] => [
    [`${TABLE}.2.${row}`, { type: 'counter64', value: 18_446_744_073_709_551_615n - BigInt(row) }],
    [`${TABLE}.3.${row}`, { type: 'gauge32', value: 4_000_000_000 + row }],
  ]),
  [`${TABLE}.4.7`, () => (alarm ? { type: 'integer', value: 7 } : undefined)],
  ['1.3.6.1.4.1.99999.2.0', { type: 'ip-address', value: '192.0.2.1' }],
];

let agent: SimulatedAgent;
beforeAll(async () => {
  agent = await SimulatedAgent.start({ objects: new ObjectTree(OBJECTS), community: 'test', address: '127.0.0.53' });
});
afterAll(async () => {
  await agent.close();
});

/** What a tool of net-snmp prints, a line per varbind: `.OID = TYPE: value`. */
async function tool(name: string, ...args: string[]): Promise<string[]> {
  const where = `${agent.address}:${agent.port}`;
  const { stdout } = await run(name, [
    '-On',
    '-m',
    '',
    '-r',
    '0',
    '-t',
    '2',
    '-c',
    'test',
    ...args.slice(0, -1),
    where,
    ...args.slice(-1),
  ]);
  return stdout.trim().split('\n');
}

async function ask(
  pdu: Pdu,
  { version = '2c', community = 'test' }: { version?: '1' | '2c'; community?: string } = {},
) {
  const socket = createSocket('udp4');
  socket.send(encodeMessage({ version, community: Buffer.from(community), pdu }), agent.port, agent.address);
  const [datagram] = await once(socket, 'message', { signal: AbortSignal.timeout(500) }).finally(() => socket.close());
  const answer = decodeMessage(datagram).pdu;
  if (answer.type !== 'response') throw new Error(`answered by ${answer.type}`);
  return { octets: datagram.length as number, ...answer };
}

const varbind = (oid: string) => ({ oid, value: { type: 'null' } as const });
const get = (...oids: string[]): Pdu => ({
  type: 'get',
  requestId: 7,
  errorStatus: 0,
  errorIndex: 0,
  varbinds: oids.map(varbind),
});
const getNext = (...oids: string[]): Pdu => ({ ...get(...oids), type: 'get-next' }) as Pdu;
const getBulk = (nonRepeaters: number, maxRepetitions: number, ...oids: string[]): Pdu => ({
  type: 'get-bulk',
  requestId: 8,
  nonRepeaters,
  maxRepetitions,
  varbinds: oids.map(varbind),
});

describe('to the tools of net-snmp', () => {
  test('snmpget sees every type as it is', async () => {
    const lines = [
      await tool('snmpget', '-v2c', '1.3.6.1.2.1.1.1.0'),
      await tool('snmpget', '-v2c', '1.3.6.1.2.1.1.2.0'),
      await tool('snmpget', '-v2c', '-Ot', '1.3.6.1.2.1.1.3.0'),
      await tool('snmpget', '-v2c', '1.3.6.1.2.1.1.7.0'),
      await tool('snmpget', '-v2c', `${TABLE}.2.1`),
      await tool('snmpget', '-v2c', `${TABLE}.3.1`),
      await tool('snmpget', '-v2c', '1.3.6.1.4.1.99999.2.0'),
    ];

    expect(lines.flat().map((line) => line.replace(/^\S+ = /, ''))).toEqual([
      'STRING: "Test device"',
      'OID: .1.3.6.1.4.1.99999',
      '4294967295',
      'INTEGER: -72',
      'Counter64: 18446744073709551614',
      'Gauge32: 4000000001',
      'IpAddress: 192.0.2.1',
    ]);
  });

  test('snmpwalk and snmpbulkwalk see the same, in the order of sub-identifiers', async () => {
    const walked = await tool('snmpwalk', '-v2c', '1.3.6.1');
    const bulk = await tool('snmpbulkwalk', '-v2c', '-Cr50', '1.3.6.1');
    const small = await tool('snmpbulkwalk', '-v2c', '-Cr2', '1.3.6.1');

    const names = walked.slice(0, -1).map((line) => line.split(' ')[0]);
    expect(names).toEqual(
      OBJECTS.filter(([oid]) => oid !== `${TABLE}.4.7`)
        .map(([oid]) => `.${oid}`)
        .toSorted(byArcs),
    );
    expect(bulk).toEqual(walked);
    expect(small).toEqual(walked);
  });

  test('by SNMPv1 the walk passes over Counter64', async () => {
    const walked = await tool('snmpwalk', '-v1', TABLE);

    expect(walked).toHaveLength(6);
    expect(walked.every((line) => line.includes('Gauge32'))).toBe(true);
  });
});

describe('by RFC 3416', () => {
  test('a missing instance and a missing object are told apart', async () => {
    const { errorStatus, varbinds } = await ask(get('1.3.6.1.2.1.1.1.1', '1.3.6.1.2.1.99.0', '1.3.6.1.2.1.1.7.0'));

    expect(errorStatus).toBe(0);
    expect(varbinds.map(({ value }) => value.type)).toEqual(['no-such-instance', 'no-such-object', 'integer']);
  });

  test('GETBULK takes non-repeaters once and repeats the rest side by side', async () => {
    const { varbinds } = await ask(getBulk(1, 2, '1.3.6.1.2.1.1.1', `${TABLE}.2`, `${TABLE}.3`));

    expect(varbinds.map(({ oid }) => oid)).toEqual([
      '1.3.6.1.2.1.1.1.0',
      `${TABLE}.2.1`,
      `${TABLE}.3.1`,
      `${TABLE}.2.2`,
      `${TABLE}.3.2`,
    ]);
  });

  test('GETBULK ends with one row of endOfMibView, under the last name', async () => {
    const { varbinds } = await ask(getBulk(0, 50, '1.3.6.1.4.1.99999.1.9'));

    expect(varbinds).toEqual([
      { oid: '1.3.6.1.4.1.99999.2.0', value: { type: 'ip-address', value: '192.0.2.1' } },
      { oid: '1.3.6.1.4.1.99999.2.0', value: { type: 'end-of-mib-view' } },
    ]);
  });

  test('GETNEXT behind the end gives endOfMibView', async () => {
    const { varbinds } = await ask(getNext('2.99'));

    expect(varbinds).toEqual([{ oid: '2.99', value: { type: 'end-of-mib-view' } }]);
  });

  test.each([-1, 0])('GETBULK of %i repetitions gives no repeaters', async (repetitions) => {
    const { errorStatus, varbinds } = await ask(getBulk(1, repetitions, '1.3.6.1.2.1.1.1', `${TABLE}.2`));

    expect(errorStatus).toBe(0);
    expect(varbinds).toHaveLength(1);
  });

  test('an object that comes and goes is walked over while it is away', async () => {
    const before = await ask(getNext(`${TABLE}.4`));
    alarm = true;
    const during = await ask(getNext(`${TABLE}.4`));
    alarm = false;

    expect(before.varbinds[0]?.oid).toBe('1.3.6.1.4.1.99999.2.0');
    expect(during.varbinds[0]?.oid).toBe(`${TABLE}.4.7`);
  });

  test('an answer never grows beyond the largest message: GETBULK is cut, GET is tooBig', async () => {
    const objects = new ObjectTree(
      Array.from(
        { length: 50 },
        (_, n): ObjectEntry => [`1.3.6.1.9.${n}`, { type: 'octet-string', value: Buffer.alloc(40, 'x') }],
      ),
    );
    const small = await SimulatedAgent.start({ objects, community: 'test', maxOctets: 484 });
    const [before, oids] = [agent, Array.from({ length: 50 }, (_, n) => `1.3.6.1.9.${n}`)];
    agent = small;

    const bulk = await ask(getBulk(0, 50, '1.3.6.1.9'));
    const single = await ask(get(...oids));

    agent = before;
    await small.close();
    expect(bulk.errorStatus).toBe(0);
    expect(bulk.octets).toBeLessThanOrEqual(484);
    expect(bulk.varbinds.length).toBeGreaterThan(4);
    expect(single).toMatchObject({ errorStatus: 1, errorIndex: 0, varbinds: [] });
  });
});

describe('by RFC 1157', () => {
  test('one bad name spoils the request and is named', async () => {
    const { errorStatus, errorIndex, varbinds } = await ask(get('1.3.6.1.2.1.1.7.0', '1.3.6.1.2.1.99.0'), {
      version: '1',
    });

    expect({ errorStatus, errorIndex }).toEqual({ errorStatus: 2, errorIndex: 2 });
    expect(varbinds).toHaveLength(2);
  });

  test('Counter64 does not exist, nor does GETBULK', async () => {
    const { errorStatus } = await ask(get(`${TABLE}.2.1`), { version: '1' });

    expect(errorStatus).toBe(2);
    await expect(ask(getBulk(0, 5, TABLE), { version: '1' })).rejects.toThrow();
  });
});

test.each([
  ['a wrong community', () => ask(get('1.3.6.1.2.1.1.1.0'), { community: 'guess' })],
  ['a response', () => ask({ ...get('1.3.6.1.2.1.1.1.0'), type: 'response' } as Pdu)],
])('%s gets no answer', async (_what, question) => {
  await expect(question()).rejects.toThrow();
});

test('garbage gets no answer and does no harm', async () => {
  const socket = createSocket('udp4');
  for (const octets of ['', '30', '3003020101', 'ff'.repeat(100)])
    socket.send(Buffer.from(octets, 'hex'), agent.port, agent.address);

  const { errorStatus } = await ask(get('1.3.6.1.2.1.1.1.0'));

  socket.close();
  expect(errorStatus).toBe(0);
});

test('a silent agent answers again when it is silent no more', async () => {
  agent.silent = () => true;
  const question = ask(get('1.3.6.1.2.1.1.1.0'));
  await expect(question).rejects.toThrow();

  agent.silent = () => false;

  expect((await ask(get('1.3.6.1.2.1.1.1.0'))).errorStatus).toBe(0);
});

describe('by SNMPv3', () => {
  const user = {
    name: 'monitor',
    auth: { protocol: 'sha256', key: 'a-long-auth-key' },
    privacy: { protocol: 'aes128', key: 'a-long-privacy-key' },
  } as const;
  const engine: readonly ObjectEntry[] = [
    ['1.3.6.1.6.3.10.2.1.1.0', { type: 'octet-string', value: Buffer.from('80001f880474657374', 'hex') }],
    ['1.3.6.1.6.3.10.2.1.2.0', { type: 'integer', value: 7 }],
    ['1.3.6.1.6.3.10.2.1.3.0', { type: 'integer', value: 1_000 }],
  ];
  let secured: SimulatedAgent;
  beforeAll(async () => {
    secured = await SimulatedAgent.start({ objects: new ObjectTree([...OBJECTS, ...engine]), user });
  });
  afterAll(async () => {
    await secured.close();
  });

  async function secureTool(name: string, oid: string, change: Record<string, string> = {}): Promise<string[]> {
    const options = {
      '-l': 'authPriv',
      '-u': user.name,
      '-a': 'SHA-256',
      '-A': user.auth.key,
      '-x': 'AES',
      '-X': user.privacy.key,
    };
    const args = ['-v3', '-On', '-m', '', '-r', '0', '-t', '1', ...Object.entries({ ...options, ...change }).flat()];
    const { stdout } = await run(name, [...args, `${secured.address}:${secured.port}`, oid]);
    return stdout.trim().split('\n');
  }

  test('a walk sees the same as one by SNMPv2c', async () => {
    const open = await tool('snmpbulkwalk', '-v2c', TABLE);

    expect(await secureTool('snmpbulkwalk', TABLE)).toEqual(open);
    expect(await secureTool('snmpwalk', TABLE)).toEqual(open);
  });

  test.each([
    ['an unknown user', { '-u': 'someone' }, /Unknown user name/],
    ['a wrong authentication key', { '-A': 'another-auth-key' }, /Authentication failure/],
    ['a wrong privacy key', { '-X': 'another-privacy-key' }, /Decryption error|Timeout/],
    ['a lower level', { '-l': 'authNoPriv' }, /Unsupported security level/],
  ])('%s is told what is wrong', async (_what, change, message) => {
    await expect(secureTool('snmpget', '1.3.6.1.2.1.1.1.0', change)).rejects.toThrow(message);
  });

  test('it does not answer to a community', async () => {
    const before = agent;
    agent = secured;
    const question = ask(get('1.3.6.1.2.1.1.1.0'));
    agent = before;

    await expect(question).rejects.toThrow();
  });
});

function byArcs(a: string, b: string): number {
  const [left, right] = [a, b].map((oid) => oid.split('.').slice(1).map(Number));
  for (const [index, arc] of (left ?? []).entries()) {
    const difference = arc - (right?.[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}
