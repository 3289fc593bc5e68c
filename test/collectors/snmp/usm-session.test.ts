import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Milliseconds } from '#collectors/contract.ts';
import { SnmpError } from '#collectors/snmp/errors.ts';
import { device, forever, SYS, testPool, type UserOptions, user } from '../../support/snmp.ts';
import { type Snmpd, type SnmpdUser, startSnmpd } from '../../support/snmpd.ts';

const AUTH = {
  md5: 'MD5',
  sha: 'SHA',
  sha224: 'SHA-224',
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512',
} as const;
const PRIVACY = { des: 'DES', aes128: 'AES', aes256: 'AES-256', aes256_cisco: 'AES-256-C' } as const;
const PAIRS: readonly (readonly [keyof typeof AUTH, keyof typeof PRIVACY])[] = [
  ['md5', 'des'],
  ['sha', 'des'],
  ['sha256', 'aes128'],
  ['sha224', 'aes128'],
  ['sha384', 'aes256'],
  ['sha512', 'aes256'],
  ['sha', 'aes256'],
  ['sha', 'aes256_cisco'],
  ['md5', 'aes256_cisco'],
  ['sha512', 'aes256_cisco'],
];

const AUTH_KEY = 'correct-horse';
const PRIVACY_KEY = 'battery-staple';
const nameOf = ([auth, privacy]: (typeof PAIRS)[number]) => `${auth}_${privacy}`;
const snmpdUsers: readonly SnmpdUser[] = [
  ...PAIRS.map(
    (pair): SnmpdUser => ({
      name: nameOf(pair),
      level: 'priv',
      auth: { protocol: AUTH[pair[0]], key: AUTH_KEY },
      privacy: { protocol: PRIVACY[pair[1]], key: PRIVACY_KEY },
    }),
  ),
  { name: 'signed', level: 'auth', auth: { protocol: 'SHA-256', key: AUTH_KEY } },
  { name: 'open', level: 'noauth' },
  { name: 'narrow', level: 'auth', auth: { protocol: 'SHA', key: AUTH_KEY }, view: 'one' },
];
const credential = (pair: (typeof PAIRS)[number], change: UserOptions = {}) =>
  user(nameOf(pair), { auth: [pair[0], AUTH_KEY], privacy: [pair[1], PRIVACY_KEY], ...change });

let snmpd: Snmpd;
beforeAll(async () => {
  snmpd = await startSnmpd({ users: snmpdUsers, conf: ['view one included 1.3.6.1.2.1.2.1', 'sysName the agent'] });
});
afterAll(() => snmpd.stop());

const plan = { scalars: [SYS.upTime, SYS.name], tables: [] };
const error = async (reading: Promise<unknown>): Promise<SnmpError> => {
  const thrown = await reading.then(() => undefined).catch((reason: unknown) => reason);
  if (thrown instanceof SnmpError) return thrown;
  throw new Error(`expected an SnmpError, got ${thrown}`);
};

describe('against a real snmpd', () => {
  test.each(PAIRS)('%s with %s is understood, with one packet more for the first poll', async (...pair) => {
    await using pool = testPool();

    const first = pool.agent(device(snmpd), credential(pair));
    const result = await first.read(plan, forever);
    const second = pool.agent(device(snmpd), credential(pair));
    await second.read(plan, forever);

    expect(Buffer.from((result.scalars.get(SYS.name)?.value as Uint8Array) ?? []).toString()).toBe('the agent');
    expect(result.scalars.get(SYS.upTime)?.type).toBe('timeticks');
    expect([first.cost.requests, second.cost.requests]).toEqual([2, 1]);
  });

  test.each([
    ['auth_no_priv', user('signed', { auth: ['sha256', AUTH_KEY] })],
    ['no_auth_no_priv', user('open')],
  ])('level %s is understood', async (_level, without) => {
    await using pool = testPool();

    const result = await pool.agent(device(snmpd), without).read(plan, forever);

    expect(result.scalars.size).toBe(2);
  });

  test('GETBULK brings tables over v3 as over v2c', async () => {
    await using pool = testPool();
    const column = '1.3.6.1.2.1.1.9.1.3'; // sysORDescr

    const result = await pool
      .agent(device(snmpd), credential(['sha512', 'aes256']))
      .read({ scalars: [SYS.upTime], tables: [[column]] }, forever);

    expect(result.partial).toEqual([]);
    expect(result.columns.get(column)?.size).toBeGreaterThan(5);
  });
});

describe('what is wrong is named', () => {
  test.each([
    [
      'a user that is not there',
      user('nobody', { auth: ['sha', AUTH_KEY], privacy: ['aes128', PRIVACY_KEY] }),
      'SNMP_UNKNOWN_USER',
    ],
    ['a wrong auth key', credential(['sha256', 'aes128'], { auth: ['sha256', 'incorrect'] }), 'SNMP_WRONG_AUTH_KEY'],
    ['a wrong auth protocol', credential(['sha256', 'aes128'], { auth: ['sha512', AUTH_KEY] }), 'SNMP_WRONG_AUTH_KEY'],
    [
      'a wrong AES key',
      credential(['sha256', 'aes128'], { privacy: ['aes128', 'incorrect'] }),
      'SNMP_PROBABLY_WRONG_PRIVACY_KEY',
    ],
    [
      'a wrong DES key',
      credential(['md5', 'des'], { privacy: ['des', 'incorrect'] }),
      'SNMP_PROBABLY_WRONG_PRIVACY_KEY',
    ],
    [
      'a wrong privacy protocol',
      credential(['sha', 'aes256'], { privacy: ['aes128', PRIVACY_KEY] }),
      'SNMP_PROBABLY_WRONG_PRIVACY_KEY',
    ],
    [
      'the other AES-256',
      credential(['sha', 'aes256'], { privacy: ['aes256_cisco', PRIVACY_KEY] }),
      'SNMP_PROBABLY_WRONG_PRIVACY_KEY',
    ],
    [
      'privacy where the user has none',
      user('signed', { auth: ['sha256', AUTH_KEY], privacy: ['aes128', PRIVACY_KEY] }),
      'SNMP_UNSUPPORTED_SECURITY_LEVEL',
    ],
    ['an unknown context', credential(['sha256', 'aes128'], { context: 'elsewhere' }), 'SNMP_UNKNOWN_CONTEXT'],
    ['too low a level', credential(['sha256', 'aes128'], { level: 'auth_no_priv' }), 'SNMP_VIEW_TOO_SMALL'],
    ['a view without the system group', user('narrow', { auth: ['sha', AUTH_KEY] }), 'SNMP_VIEW_TOO_SMALL'],
  ])('%s', async (_what, wrong, code) => {
    await using pool = testPool();

    const refusal = await error(pool.agent(device(snmpd), wrong).read(plan, forever));

    expect(refusal).toMatchObject({ code, answered: true });
    expect(refusal.hint.length).toBeGreaterThan(20);
  });

  test('and counts as an answer to whether the device is there', async () => {
    await using pool = testPool();

    const alive = await pool.alive(device(snmpd), user('nobody', { auth: ['sha', AUTH_KEY] }), forever);

    expect(alive).toMatchObject({ answered: true, error: { code: 'SNMP_UNKNOWN_USER' } });
  });
});

describe('a restarted agent', () => {
  test('costs one packet more, with boots one higher and time near zero', async () => {
    await using other = await startSnmpd({ users: snmpdUsers.slice(0, 3) });
    await using pool = testPool();
    const read = async () => {
      const agent = pool.agent(device(other), credential(['sha256', 'aes128']));
      const { scalars } = await agent.read({ scalars: ['1.3.6.1.6.3.10.2.1.2.0', SYS.upTime], tables: [] }, forever);
      return { boots: Number(scalars.get('1.3.6.1.6.3.10.2.1.2.0')?.value), requests: agent.cost.requests };
    };
    const before = await read();

    await other.restart();
    const after = await read();
    const later = await read();

    expect(after).toEqual({ boots: before.boots + 1, requests: 2 });
    expect(later).toEqual({ boots: before.boots + 1, requests: 1 });
  });

  test('that forgets how often it was started is understood too', async () => {
    await using other = await startSnmpd({ users: snmpdUsers.slice(0, 3), forgetsBoots: true });
    await using pool = testPool();
    const read = () => pool.agent(device(other), credential(['sha256', 'aes128'])).read(plan, forever);
    await read();

    await other.restart();
    const result = await read();

    expect(result.scalars.size).toBe(2);
  });

  test('is silent while it is away and found again after', async () => {
    await using other = await startSnmpd({ users: snmpdUsers.slice(0, 3) });
    await using pool = testPool({ timeout: 100 as Milliseconds });
    const read = () => pool.agent(device(other), credential(['sha', 'des'])).read(plan, forever);
    await read();

    await other.halt();
    const silences = [await error(read()), await error(read()), await error(read())];
    await other.restart();
    const result = await read();

    expect(silences.map(({ code, answered }) => ({ code, answered }))).toEqual(
      silences.map(() => ({ code: 'SNMP_TIMEOUT', answered: false })),
    );
    expect(result.scalars.size).toBe(2);
  });

  test('with another engine ID is found again by itself', async () => {
    const users = snmpdUsers.slice(0, 3);
    await using one = await startSnmpd({ users, conf: ['engineID first'] });
    await using pool = testPool();
    const read = () => pool.agent(device(one), credential(['sha256', 'aes128'])).read(plan, forever);
    await read();

    await one.stop();
    await using two = await startSnmpd({ users, conf: ['engineID second'], port: one.port });
    const result = await read();

    expect(two.port).toBe(one.port);
    expect(result.scalars.size).toBe(2);
  });
});
