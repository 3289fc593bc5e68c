import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Clock, WallTime } from '#collectors/contract.ts';
import { Gate } from '#collectors/discovery/gate.ts';
import { type ScanOptions, type ScanRange, scan } from '#collectors/discovery/scan.ts';
import { Tries } from '#collectors/discovery/tries.ts';
import type { Oid, Varbind } from '#collectors/snmp/agent.ts';
import { encodeMessage } from '#collectors/snmp/ber.ts';
import type { ProfileLibrary } from '#collectors/snmp/profile/library.ts';
import { parseRange } from '#config/ranges.ts';
import type { Credential } from '#config/schema.ts';
import { systemClock } from '#daemon/clock.ts';
import { profileLibrary } from '#daemon/profile-library.ts';
import { startMibAgent, text } from '../../support/mib-agent.ts';
import { community, forever, SYS, user } from '../../support/snmp.ts';
import { freeUdpPort, startSnmpd } from '../../support/snmpd.ts';

let profiles: ProfileLibrary;
let port: number;
beforeAll(async () => {
  profiles = (await profileLibrary()).library;
  port = await freeUdpPort();
});

const IF_PHYS_ADDRESS = '1.3.6.1.2.1.2.2.1.6';

function device(
  name: string,
  mac: readonly number[],
  more: readonly (readonly [Oid, Varbind])[] = [],
): Map<Oid, Varbind> {
  return new Map<Oid, Varbind>([
    [SYS.descr, text('RouterOS CCR2004')],
    [SYS.objectId, { type: 'oid', value: '1.3.6.1.4.1.14988.1' }],
    [SYS.upTime, { type: 'timeticks', value: 100 }],
    [SYS.name, text(name)],
    [`${IF_PHYS_ADDRESS}.1`, { type: 'octet-string', value: Uint8Array.from(mac) }],
    ...more,
  ]);
}

async function agent(address: string, varbinds: Map<Oid, Varbind>, secret = 'public') {
  const wrong: string[] = [];
  const started = await startMibAgent({
    address,
    port,
    varbinds,
    behave: ({ request, reply, send }) => {
      const offered = Buffer.from(request.community).toString();
      if (offered !== secret) wrong.push(offered);
      else send(encodeMessage(reply));
    },
  });
  onTestFinished(() => started.stop());
  return Object.assign(started, { wrong });
}

interface Setup extends Partial<ScanOptions> {
  readonly range?: string;
  readonly exclude?: readonly string[];
  readonly credentials?: readonly Credential[];
}

function options({ range = '127.20.0.0/29', exclude = [], credentials = [community()], ...rest }: Setup): ScanOptions {
  const own: ScanRange = {
    range: parseRange(range),
    exclude: exclude.map(parseRange),
    credentials,
    maxPacketsPerSecond: 1_000,
    nmap: false,
  };
  return {
    clock: systemClock,
    profiles,
    gate: new Gate([own]),
    targets: [own.range],
    tries: new Tries(),
    port,
    ...rest,
  };
}

describe('what is contacted', () => {
  test('finds what answers in the range, and asks nobody outside, excluded or only heard of', async () => {
    const arp = (address: string) =>
      [`1.3.6.1.2.1.4.22.1.2.1.${address}`, { type: 'octet-string', value: Uint8Array.of(0, 1, 2, 3, 4, 99) }] as const;
    const lldp = [
      ['1.0.8802.1.1.2.1.4.1.1.5.0.1.1', text('x')],
      ['1.0.8802.1.1.2.1.4.1.1.9.0.1.1', text('neighbour')],
      ['1.0.8802.1.1.2.1.4.2.1.3.0.1.1.1.4.127.20.9.2', { type: 'integer', value: 1 }],
    ] as const;
    const router = await agent(
      '127.20.0.1',
      device('router', [0, 1, 2, 3, 4, 1], [arp('127.20.9.1'), arp('127.20.0.3'), ...lldp]),
    );
    const inside = await agent('127.20.0.2', device('inside', [0, 1, 2, 3, 4, 2]));
    const excluded = await agent('127.20.0.4', device('excluded', [0, 1, 2, 3, 4, 4]));
    const outside = await Promise.all(
      ['127.20.0.8', '127.20.9.1', '127.20.9.2'].map((address) => agent(address, device('x', [0, 1, 2, 3, 4, 8]))),
    );

    const { sightings, packets, complete } = await scan(options({ exclude: ['127.20.0.4'] }), forever);

    const found = sightings
      .filter(({ identity }) => identity)
      .map(({ address, identity }) => [address, identity?.sysName])
      .toSorted();
    expect(found).toEqual([
      ['127.20.0.1', 'router'],
      ['127.20.0.2', 'inside'],
    ]);
    expect(sightings.find(({ address }) => address === '127.20.0.3')?.mac).toBe('00:01:02:03:04:63');
    expect(excluded.requests).toHaveLength(0);
    for (const other of outside) expect(other.requests).toHaveLength(0);
    expect(complete).toBe(true);
    expect(packets).toBeGreaterThanOrEqual(router.requests.length + inside.requests.length + 7);
  });

  test('a network of IPv6 is known from the neighbour table of a router that lies elsewhere, and from before', async () => {
    const named = (last: number): [Oid, Varbind] => [
      `1.3.6.1.2.1.4.35.1.4.1.2.16.${'0.'.repeat(15)}${last}`,
      { type: 'octet-string', value: Uint8Array.of(0, 1, 2, 3, 7, last) },
    ];
    const router = device('router', [0, 1, 2, 3, 7, 200], [named(1), named(2)]);
    await agent('127.25.0.1', router);
    const only = await agent('::1', device('only', [0, 1, 2, 3, 7, 1]));
    const neighbour = options({ range: '127.25.0.0/30' }).gate.ranges[0];
    const own = options({ range: '::/64' });
    const gate = new Gate([...own.gate.ranges, ...(neighbour ? [neighbour] : [])]);
    const found = async (known: readonly string[]) => {
      const seen: string[] = [];
      const { sightings } = await scan(
        { ...own, gate, known, onSlice: (slice) => void seen.push(...slice.map(({ address }) => address)) },
        forever,
      );
      expect(new Set(seen)).toEqual(new Set(sightings.map(({ address }) => address)));
      return sightings.map(({ address, identity, mac }) => [address, identity?.sysName, mac]).toSorted();
    };

    expect(await found([])).toEqual([]);
    expect(only.requests).toHaveLength(0);
    expect(await found(['127.25.0.1', '127.26.0.1'])).toEqual([
      ['127.25.0.1', 'router', undefined],
      ['::1', 'only', '00:01:02:03:07:01'],
    ]);
    expect(await found(['::1'])).toEqual([['::1', 'only', undefined]]);
  });

  test('stops at once, with what it has', async () => {
    const stop = new AbortController();
    const slow = scan(
      options({ range: '127.20.0.0/20', onProgress: ({ packets }) => packets > 0 && stop.abort() }),
      stop.signal,
    );

    const started = performance.now();
    const { complete } = await slow;

    expect(complete).toBe(false);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test('goes on with the slice at which it was stopped', async () => {
    const first = await agent('127.21.0.1', device('first', [0, 1, 2, 3, 5, 1]));
    await agent('127.21.1.1', device('second', [0, 1, 2, 3, 5, 2]));
    const slices: number[] = [];

    const { sightings } = await scan(
      options({
        range: '127.21.0.0/23',
        exclude: ['127.21.0.64/26', '127.21.0.128/25', '127.21.1.64/26', '127.21.1.128/25'],
        firstSlice: 1,
        onSlice: (_sightings, progress) => void slices.push(progress.slices),
      }),
      forever,
    );

    expect(sightings.filter(({ identity }) => identity).map(({ identity }) => identity?.sysName)).toEqual(['second']);
    expect(first.requests).toHaveLength(0);
    expect(slices).toEqual([2]);
  });
});

describe('credentials', () => {
  /** A clock whose wall is set by hand. */
  const wall = { now: 1_795_000_000_000 };
  const clock: Clock = { ...systemClock, wallNow: () => wall.now as WallTime };

  test('an agent that counts wrong communities sees at most one in five minutes, whatever is scanned how often', async () => {
    const guarded = await agent('127.22.0.1', device('guarded', [0, 1, 2, 3, 6, 1]), 'right');
    const tries = new Tries();
    const credentials = [community('wrong-1'), community('wrong-2'), community('right')];
    const once = () => scan(options({ range: '127.22.0.1', credentials, tries, clock }), forever);

    const agents: string[] = [];
    for (let scans = 0; scans < 5; scans++) {
      wall.now += 150_000;
      const { sightings } = await once();
      agents.push(sightings[0]?.agent ?? 'none');
    }

    expect(guarded.wrong).toEqual(['wrong-1', 'wrong-2']);
    expect(agents).toEqual(['silent', 'held-back', 'silent', 'held-back', 'answered']);
  });

  test('failed tries are remembered from one process to the next', async () => {
    const guarded = await agent('127.22.0.2', device('guarded', [0, 1, 2, 3, 6, 2]), 'right');
    const credentials = [community('wrong-1')];
    const tries = new Tries();
    await scan(options({ range: '127.22.0.2', credentials, tries, clock }), forever);

    await scan(
      options({ range: '127.22.0.2', credentials, tries: new Tries(tries.kept(clock.wallNow())), clock }),
      forever,
    );

    expect(guarded.wrong).toEqual(['wrong-1']);
  });

  test('a device is asked with what worked for it, and with nothing else when that fails', async () => {
    const changed = await agent('127.22.0.3', device('changed', [0, 1, 2, 3, 6, 3]), 'new secret');
    const credentials = [community('first'), community('sticky'), community('new secret')];

    const { sightings } = await scan(
      options({ range: '127.22.0.3', credentials, sticky: () => 'v2c-sticky' }),
      forever,
    );

    expect(changed.wrong).toEqual(['sticky']);
    expect(sightings[0]?.agent).toBe('silent');
  });

  test('a host without an agent hears no secret, and no try of it counts', async () => {
    const tries = new Tries();

    const { sightings } = await scan(options({ range: '127.22.0.9', tries }), forever);

    expect(sightings).toMatchObject([{ echo: true, agent: 'silent' }]);
    expect(tries.kept(systemClock.wallNow())).toEqual([]);
  });

  test('v3 comes first, and who refuses its user hears no community', async () => {
    await using snmpd = await startSnmpd({
      communities: ['public'],
      users: [{ name: 'known', level: 'auth', auth: { protocol: 'SHA', key: 'authentication-key' } }],
    });
    const v3 = (name: string) => user(name, { auth: ['sha', 'authentication-key'] });
    const at = (credentials: readonly Credential[]) => options({ range: '127.0.0.1', port: snmpd.port, credentials });

    const refused = await scan(at([community(), v3('stranger')]), forever);
    const taken = await scan(at([community(), v3('known')]), forever);

    expect(refused.sightings).toMatchObject([{ agent: 'refused', problem: { code: 'SNMP_UNKNOWN_USER' } }]);
    expect(taken.sightings).toMatchObject([{ agent: 'answered', credential: { name: 'v3-known', version: '3' } }]);
  });
});
