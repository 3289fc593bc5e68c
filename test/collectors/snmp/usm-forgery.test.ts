import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Milliseconds } from '#collectors/contract.ts';
import { writePdu } from '#collectors/snmp/ber.ts';
import {
  FLAG,
  type SecuredView,
  securedView,
  writeScopedFrame,
  writeSecured,
} from '#collectors/snmp/secured-message.ts';
import { BerReader, BerWriter, TAG } from '#collectors/snmp/tlv.ts';
import { startRelay } from '../../support/relay.ts';
import { device, forever, SYS, testPool, user } from '../../support/snmp.ts';
import { type Snmpd, startSnmpd } from '../../support/snmpd.ts';

const reader = user('reader', { auth: ['sha256', 'correct-horse'], privacy: ['aes128', 'battery-staple'] });
const plan = { scalars: [SYS.name], tables: [] };
const writer = new BerWriter();
const NOTHING = new Uint8Array(0);

let snmpd: Snmpd;
beforeAll(async () => {
  snmpd = await startSnmpd({
    users: [
      {
        name: 'reader',
        level: 'priv',
        auth: { protocol: 'SHA-256', key: 'correct-horse' },
        privacy: { protocol: 'AES', key: 'battery-staple' },
      },
    ],
    conf: ['sysName the-truth'],
  });
});
afterAll(() => snmpd.stop());

function view(datagram: Uint8Array): SecuredView {
  const message = new BerReader(datagram);
  message.enter(TAG.sequence);
  message.int32();
  return securedView(message);
}

const isSigned = (datagram: Buffer) => (view(datagram).flags & FLAG.auth) !== 0;

/** A reply in the agent's name without any key: plain, unsigned, with a lie in it. */
function unsigned(reply: Buffer): Uint8Array {
  const { msgId, engineId, engineBoots, engineTime, user: name } = view(reply);
  const mark = writer.mark;
  const value = { type: 'octet-string', value: new TextEncoder().encode('a lie') } as const;
  writePdu(writer, {
    type: 'response',
    requestId: msgId,
    errorStatus: 0,
    errorIndex: 0,
    varbinds: [{ oid: SYS.name, value }],
  });
  writeScopedFrame(writer, engineId, NOTHING, mark);
  const scopedPdu = writer.take();
  const frame = {
    msgId,
    flags: 0,
    engineId,
    engineBoots,
    engineTime,
    user: name,
    digestLength: 0,
    salt: NOTHING,
    scopedPdu,
  };
  return writeSecured(writer, frame).octets;
}

/** A report in the agent's name, unsigned. */
function report(
  reply: Buffer,
  counter: number,
  change: { engineTime?: number; engineBoots?: number } = {},
): Uint8Array {
  const { msgId, engineId, engineBoots, engineTime } = view(reply);
  const mark = writer.mark;
  writePdu(writer, {
    type: 'report',
    requestId: msgId,
    errorStatus: 0,
    errorIndex: 0,
    varbinds: [{ oid: `1.3.6.1.6.3.15.1.1.${counter}.0`, value: { type: 'counter32', value: 1 } }],
  });
  writeScopedFrame(writer, engineId, NOTHING, mark);
  const scopedPdu = writer.take();
  const frame = {
    msgId,
    flags: 0,
    engineId,
    engineBoots,
    engineTime,
    user: NOTHING,
    digestLength: 0,
    salt: NOTHING,
    scopedPdu,
    ...change,
  };
  return writeSecured(writer, frame).octets;
}

const flipped = (reply: Buffer, at: number) => {
  const copy = Buffer.from(reply);
  copy[at] = (copy[at] ?? 0) ^ 0x40;
  return copy;
};

async function readThrough(handle: Parameters<typeof startRelay>[1], polls = 1) {
  await using relay = await startRelay(snmpd.port, handle);
  await using pool = testPool({ timeout: 300 as Milliseconds, retries: 0 });
  const agent = pool.agent(device(relay), reader);
  let name: string | undefined;
  for (let poll = 0; poll < polls; poll++) {
    const { scalars } = await agent.read(plan, forever);
    const value = scalars.get(SYS.name)?.value;
    name = value instanceof Uint8Array ? Buffer.from(value).toString() : undefined;
  }
  return { name, dropped: pool.counters.dropped, cost: agent.cost };
}

describe('a forged v3 reply is dropped, and the true one behind it counts', () => {
  test.each([
    ['with a changed octet at its end', (reply: Buffer) => flipped(reply, reply.length - 1), 'not_authentic'],
    ['with a changed digest', (reply: Buffer) => flipped(reply, view(reply).digestFrom), 'not_authentic'],
    ['without a signature', unsigned, 'not_authentic'],
  ] as const)('%s', async (_what, forge, reason) => {
    const { name, dropped } = await readThrough((reply) => (isSigned(reply) ? [forge(reply), reply] : [reply]));

    expect(name).toBe('the-truth');
    expect(dropped[reason]).toBe(1);
  });

  test('recorded from an earlier request', async () => {
    const recorded: Buffer[] = [];

    const { name, dropped } = await readThrough((reply) => {
      recorded.push(Buffer.from(reply));
      return [...recorded.slice(0, -1), reply];
    }, 3);

    expect(name).toBe('the-truth');
    expect(dropped.doubled).toBeGreaterThan(2);
  });
});

test('an unsigned response alone is no answer', async () => {
  const reading = readThrough((reply) => (isSigned(reply) ? [unsigned(reply)] : [reply]));

  await expect(reading).rejects.toMatchObject({ code: 'SNMP_TIMEOUT' });
});

test('wrong boots and time in the first report are set right by the agent', async () => {
  const { name, cost } = await readThrough((reply) =>
    isSigned(reply) ? [reply] : [report(reply, 4, { engineBoots: 77, engineTime: 1_000_000 })],
  );

  expect(name).toBe('the-truth');
  expect(cost).toEqual({ requests: 3, timeouts: 0 });
});

test('an agent that keeps saying that it is out of time is named', async () => {
  const reading = readThrough((reply) => (isSigned(reply) ? [report(reply, 2)] : [reply]));

  await expect(reading).rejects.toMatchObject({ code: 'SNMP_NOT_IN_TIME_WINDOW', answered: true });
});

test('an agent that keeps changing its engine ID is named', async () => {
  const reading = readThrough((reply) => (isSigned(reply) ? [report(reply, 4)] : [reply]));

  await expect(reading).rejects.toMatchObject({ code: 'SNMP_ENGINE_ID_CHANGES', answered: true });
});

test('a report of an unknown kind is named', async () => {
  const reading = readThrough((reply) => (isSigned(reply) ? [report(reply, 99)] : [reply]));

  await expect(reading).rejects.toMatchObject({ code: 'SNMP_GENERAL_ERROR', answered: true });
});

test('no mutation of v3 replies brings a wrong value or an error that is not named', async () => {
  const random = fc.sample(fc.nat(0x7fff_ffff), { numRuns: 2_000, seed: 20_261_124 });
  let drawn = 0;
  const draw = (limit: number) => (random[drawn++ % random.length] ?? 0) % limit;
  const mutated = (reply: Buffer) => {
    const copy = Buffer.from(reply);
    for (let change = draw(3); change >= 0; change--) copy[draw(copy.length)] = draw(256);
    return copy.subarray(0, draw(6) === 0 ? draw(copy.length) : copy.length);
  };
  await using relay = await startRelay(snmpd.port, (reply) => [mutated(reply), mutated(reply), reply]);
  await using pool = testPool({ timeout: 300 as Milliseconds, retries: 1 });
  const names = new Set<string>();
  const codes = new Set<string>();

  for (let poll = 0; poll < 300; poll++) {
    try {
      const { scalars } = await pool.agent(device(relay), reader).read(plan, forever);
      const value = scalars.get(SYS.name)?.value;
      if (value instanceof Uint8Array) names.add(Buffer.from(value).toString());
    } catch (error) {
      codes.add(error instanceof Error && 'code' in error ? String(error.code) : String(error));
    }
  }

  expect([...names]).toEqual(['the-truth']);
  for (const code of codes) expect(code).toMatch(/^SNMP_/);
  expect(pool.counters.dropped.not_authentic).toBeGreaterThan(20);
  expect(pool.counters.dropped.malformed).toBeGreaterThan(50);
});
