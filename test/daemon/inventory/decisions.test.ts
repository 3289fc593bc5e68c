import { describe, expect, test } from 'vitest';
import type { Milliseconds, WallTime } from '#collectors/contract.ts';
import type { NeighbourTables } from '#collectors/discovery/neighbours.ts';
import { configOf } from '#config/load.ts';
import { adoptedDevices } from '#daemon/inventory/adopted.ts';
import { decide, deviceName } from '#daemon/inventory/adoption.ts';
import { contractReport } from '#daemon/inventory/contract-report.ts';
import { credentialReport } from '#daemon/inventory/credential-report.ts';
import { inWindow, isDue } from '#daemon/inventory/due-scan.ts';
import { parentGuesses } from '#daemon/inventory/parents.ts';
import type { DeviceRecord } from '#daemon/inventory/record.ts';
import { commandLineScope } from '#daemon/inventory/scope.ts';
import { deviceRecord } from '../../support/device-record.ts';

const NOW = Date.parse('2026-11-24T10:00:00Z') as WallTime;

function record(id: string, rest: Partial<DeviceRecord> = {}): DeviceRecord {
  return deviceRecord(id, {
    state: 'adopted',
    name: id,
    addresses: ['192.0.2.20'],
    range: '192.0.2.0/24',
    evidence: { serial: `SER-${id}`, vendor: 'Ricoh', model: 'IM C3000' },
    identity: { class: 'printer', profile: 'ricoh' },
    credential: { name: 'office', version: '2c' },
    firstSeen: NOW,
    lastSeen: NOW,
    ...rest,
  });
}

const { config } = configOf(
  {
    site: { id: 's', client: 'ACME', timezone: 'Europe/Berlin' },
    credentials: {
      office: { version: '2c', community: 'public' },
      secure: {
        version: 3,
        user: 'm',
        auth: { protocol: 'sha256', key: 'authentication' },
        privacy: { protocol: 'aes128', key: 'privacy-key' },
      },
      old: {
        version: 3,
        user: 'o',
        level: 'auth_priv',
        auth: { protocol: 'md5', key: 'authentication' },
        privacy: { protocol: 'des', key: 'privacy-key' },
      },
    },
    discovery: { ranges: [{ range: '192.0.2.0/24', credentials: ['office', 'secure'] }] },
    slas: { gold: { target: '99.9%' } },
    contracts: { copies: { devices: ['copier-*'] } },
  },
  '/nowhere',
);

describe('adoption', () => {
  const copier = {
    class: 'printer' as const,
    address: '192.0.2.20',
    evidence: { serial: 'SER-1', vendor: 'Ricoh', sysName: 'Copier-2F.example.net' },
  };
  const taken = new Set<string>();

  test('asks where a person is to decide, and takes what is sure where not', () => {
    expect(decide(copier, { mode: 'ask', rules: [], taken }).adopt).toBe(false);
    expect(decide(copier, { mode: 'yes', rules: [], taken })).toMatchObject({ adopt: true, name: 'Copier-2F' });
  });

  test('never adopts an address of which too little is known', () => {
    const unknown = { class: undefined, address: '192.0.2.21', evidence: { macs: ['00:26:73:00:00:01'] } };

    expect(decide(unknown, { mode: 'yes', rules: [{ adopt: true }], taken })).toMatchObject({
      adopt: false,
      reason: /not enough/,
    });
  });

  test('the first rule that fits says whether, under which name and with what', () => {
    const rules = [
      { class: 'server' as const, adopt: true },
      {
        vendor: 'RICOH',
        name: 'copier-*',
        adopt: true,
        as: '{class}-{serial}',
        sla: 'gold',
        contract: 'copies',
        parent: 'sw-1',
      },
      { class: 'printer' as const, adopt: false },
    ];

    expect(decide(copier, { mode: 'rules', rules, taken })).toMatchObject({
      name: 'printer-SER-1',
      settings: { sla: 'gold', contract: 'copies', parent: 'sw-1' },
    });
    expect(
      decide({ ...copier, evidence: { ...copier.evidence, vendor: 'HP' } }, { mode: 'rules', rules, taken }).adopt,
    ).toBe(false);
  });

  test.each([
    ['../../etc/passwd', 'printer-192.0.2.20'],
    ['<script>alert(1)</script>', 'printer-192.0.2.20'],
    ['Küche 2. OG', 'Kuche-2'],
    ['$(reboot)', 'reboot'],
    ['x'.repeat(300), 'x'.repeat(63)],
    ['\u0000\u001b[31m', '31m'],
    ['***', 'printer-192.0.2.20'],
  ])('a device that calls itself %j gets a name that can be one', (sysName, name) => {
    expect(deviceName({ ...copier, evidence: { sysName } }, taken)).toBe(name);
  });

  test('a name that is taken gets a number', () => {
    expect(deviceName(copier, new Set(['Copier-2F', 'Copier-2F-2']))).toBe('Copier-2F-3');
  });
});

describe('adopted devices', () => {
  test('are watched with the one credential that worked, and only while their range offers it', () => {
    const [inside, outside, other] = adoptedDevices(
      [
        record('a'),
        record('b', { addresses: ['203.0.113.5'] }),
        record('c', { credential: { name: 'old', version: '3' } }),
      ],
      config,
    );

    expect(inside?.target.credentials.map(({ name }) => name)).toEqual(['office']);
    expect(outside?.target.credentials).toEqual([]);
    expect(other?.target.credentials).toEqual([]);
  });

  test('whose place another has taken are not asked there', () => {
    expect(adoptedDevices([record('a', { addresses: [] })], config)).toEqual([]);
  });
});

describe('when a range is scanned', () => {
  const plan = { range: '192.0.2.0/24', every: 3_600_000 as Milliseconds };
  const done = {
    range: plan.range,
    started: (NOW - 3_000_000) as WallTime,
    finished: (NOW - 2_900_000) as WallTime,
    nextSlice: 0,
  };

  test('when it never was, when it was stopped, and when its time has come', () => {
    expect(isDue(plan, undefined, NOW, 'UTC')).toBe(true);
    expect(isDue(plan, done, NOW, 'UTC')).toBe(false);
    expect(isDue(plan, { range: plan.range, started: done.started, nextSlice: 3 }, NOW, 'UTC')).toBe(true);
    expect(isDue(plan, { ...done, started: (NOW - 3_600_000) as WallTime }, NOW, 'UTC')).toBe(true);
    expect(isDue(plan, { ...done, started: (NOW + 86_400_000) as WallTime }, NOW, 'UTC')).toBe(true);
  });

  test('only in its window, in the time of the site, also past midnight', () => {
    const night = 'Mon-Fri 22:00-06:00';
    const at = (text: string) => inWindow(night, Date.parse(text) as WallTime, 'Europe/Berlin');

    expect(at('2026-11-24T20:59:00Z')).toBe(false);
    expect(at('2026-11-24T21:00:00Z')).toBe(true);
    expect(at('2026-11-25T04:59:00Z')).toBe(true);
    expect(at('2026-11-25T05:00:00Z')).toBe(false);
    expect(at('2026-11-28T04:00:00Z')).toBe(true);
    expect(at('2026-11-29T04:00:00Z')).toBe(false);
    expect(isDue({ ...plan, window: night }, undefined, NOW, 'Europe/Berlin')).toBe(false);
  });
});

describe('who is behind whom', () => {
  const tables = (rest: Partial<NeighbourTables>): NeighbourTables => ({ arp: [], bridge: [], links: [], ...rest });
  const gateway = record('gw', {
    addresses: ['192.0.2.1'],
    identity: { class: 'firewall', profile: 'x' },
    evidence: { sysName: 'gw' },
  });
  const first = record('sw-1', {
    addresses: ['192.0.2.2'],
    identity: { class: 'switch', profile: 'x' },
    evidence: { sysName: 'sw-1' },
  });
  const second = record('sw-2', {
    addresses: ['192.0.2.3'],
    identity: { class: 'switch', profile: 'x' },
    evidence: { sysName: 'sw-2' },
  });
  const copier = record('copier', { evidence: { macs: ['00:26:73:00:00:01'] } });
  const alone = record('alone', { addresses: ['192.0.2.9'], evidence: { macs: ['00:26:73:00:00:09'] } });

  test('by LLDP towards the gateway, by the switch port that has the fewest others, else by the gateway', () => {
    const guesses = parentGuesses({
      records: [copier, second, first, gateway, alone],
      gateway: '192.0.2.1',
      tables: new Map([
        [
          'sw-1',
          tables({
            links: [
              { port: '1', sysName: 'gw' },
              { port: '24', sysName: 'sw-2' },
            ],
            bridge: [{ mac: '00:26:73:00:00:01', port: '24' }],
          }),
        ],
        [
          'sw-2',
          tables({
            links: [{ port: '48', sysName: 'sw-1' }],
            bridge: [
              { mac: '00:26:73:00:00:01', port: '7' },
              { mac: '00:00:00:00:00:02', port: '48' },
            ],
          }),
        ],
      ]),
    });

    expect(Object.fromEntries(guesses)).toEqual({
      'sw-1': { device: 'gw', by: 'lldp' },
      'sw-2': { device: 'sw-1', by: 'lldp', port: '24' },
      copier: { device: 'sw-2', by: 'bridge', port: '7' },
      alone: { device: 'gw', by: 'gateway' },
    });
  });

  test('no order of devices or tables changes a guess', () => {
    const links = new Map([
      ['sw-1', tables({ links: [{ port: '24', sysName: 'sw-2' }] })],
      ['sw-2', tables({ links: [{ port: '48', sysName: 'sw-1' }] })],
    ]);
    const guess = (records: DeviceRecord[], reversed: boolean) =>
      Object.fromEntries(
        parentGuesses({ records, gateway: '192.0.2.1', tables: reversed ? new Map([...links].toReversed()) : links }),
      );

    expect(guess([second, first, gateway], true)).toEqual(guess([gateway, first, second], false));
  });
});

test('the report of credentials says who answers to what, and never what is in it', () => {
  const report = credentialReport({
    config,
    records: [
      record('copier-1'),
      record('fw', { credential: { name: 'secure', version: '3' } }),
      record('ups', { credential: { name: 'old', version: '3' } }),
    ],
    events: [
      {
        seq: 1,
        at: NOW,
        device: 'fw',
        kind: 'credential-changed',
        detail: { from: 'office (v2c)', to: 'secure (v3)' },
      },
      { seq: 2, at: NOW, device: 'ups', kind: 're-addressed', detail: { from: 'a', to: 'b' } },
    ],
    period: { from: (NOW - 1_000) as WallTime, to: (NOW + 1_000) as WallTime },
  });

  expect(report.json).toMatchObject({
    devices: [
      {
        device: 'copier-1',
        weaknesses: [expect.stringMatching(/everybody tries/), expect.stringMatching(/clear text/)],
      },
      { device: 'ups', weaknesses: ['authentication by MD5', 'privacy by DES'] },
      { device: 'fw', version: '3', weaknesses: [] },
    ],
    changes: [{ device: 'fw', change: 'answers to secure (v3), before to office (v2c)' }],
  });
  expect(JSON.stringify(report)).not.toMatch(/privacy-key|"authentication"/);
});

test('the report of contracts says what is there and under none, and what is under one and not there', () => {
  const old = (NOW - 3 * 86_400_000) as WallTime;
  const { json } = contractReport({
    config,
    records: [
      record('copier-1', { lastSeen: old }),
      record('srv-1'),
      record('srv-2', { settings: { sla: 'gold' } }),
      record('x', { state: 'ignored' }),
    ],
    period: { from: (NOW - 86_400_000) as WallTime, to: NOW },
    now: NOW,
  });

  expect(json).toMatchObject({
    seen_under_no_contract: [{ device: 'srv-1' }],
    under_contract_not_seen: [{ device: 'copier-1', contracts: ['copies'], days_not_seen: 3 }],
  });
});

describe('what a person may scan', () => {
  test('loopback and what is configured; without a config whatever is typed', () => {
    expect(commandLineScope({ ranges: ['127.8.0.0/27'], config }).targets[0]?.text).toBe('127.8.0.0/27');
    expect(commandLineScope({ ranges: ['192.0.2.64/26'], config }).gate.allow('192.0.2.65')).toBe('192.0.2.65');
    expect(() => commandLineScope({ ranges: ['203.0.113.0/24'], config })).toThrow(
      expect.objectContaining({ code: 'RANGE_OUTSIDE' }),
    );
    expect(commandLineScope({ ranges: ['203.0.113.0/24'] }).gate.allow('203.0.113.9')).toBe('203.0.113.9');
  });

  test('with the credentials of its range and no others', () => {
    const { gate } = commandLineScope({ ranges: ['192.0.2.0/26'], config });
    const address = gate.allow('192.0.2.9');
    if (!address) throw new Error('not let through');

    expect(gate.rangeOf(address).credentials.map(({ name }) => name)).toEqual(['office', 'secure']);
  });
});
