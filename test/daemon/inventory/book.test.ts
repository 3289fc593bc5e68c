import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Identity, WallTime } from '#collectors/contract.ts';
import type { Sighting } from '#collectors/discovery/scan.ts';
import { Book } from '#daemon/inventory/book.ts';
import { crowds, found } from '#daemon/inventory/found.ts';
import { lineage } from '#daemon/inventory/lineage.ts';
import type { InventoryEvent } from '#daemon/inventory/record.ts';

const NOW = 1_795_000_000_000 as WallTime;
const later = (hours: number) => (NOW + hours * 3_600_000) as WallTime;

function printer(n: number, rest: Partial<Identity> = {}): Identity {
  return {
    class: 'printer',
    profile: 'ricoh',
    vendor: 'Ricoh',
    model: 'IM C3000',
    serial: `W314850${1000 + n}`,
    sysName: `printer-${n}`,
    macs: [`00:26:73:00:00:0${n}`],
    version: '1.0',
    ...rest,
  };
}

function sighting(address: string, identity?: Identity, rest: Partial<Sighting> = {}): Sighting {
  return {
    address: address as Sighting['address'],
    at: NOW,
    echo: true,
    agent: identity ? 'answered' : 'silent',
    snmpPort: 161,
    ...(identity && { identity, credential: { name: 'office', version: '2c' as const } }),
    names: [],
    ports: [],
    ...rest,
  };
}

/** What a scan of 192.0.2.0/24, or of another slice, has seen. */
function seen(book: Book, sightings: readonly Sighting[], now = NOW, slice = '192.0.2.') {
  return book.ingest(sightings, {
    now,
    rangeOf: (address) => (address.startsWith('192.0.2.') ? '192.0.2.0/24' : '198.51.100.0/24'),
    scanned: (address) => address.startsWith(slice),
  });
}

function bookWith(...sightings: Sighting[]) {
  let id = 0;
  const book = new Book([], () => `id-${++id}`);
  seen(book, sightings);
  return book;
}

const kinds = ({ events }: { events: readonly InventoryEvent[] }) => events.map(({ kind }) => kind);

describe('a known device', () => {
  test('keeps its name when DHCP gives it another address', () => {
    const book = bookWith(sighting('192.0.2.20', printer(1)));
    book.adopt('id-1', 'printer-2f', {}, NOW, 'test');

    const changes = seen(book, [sighting('192.0.2.31', printer(1))], later(6));

    expect(book.named('printer-2f')?.addresses).toEqual(['192.0.2.31']);
    expect(kinds(changes)).toEqual(['re-addressed']);
    expect(book.all()).toHaveLength(1);
  });

  test('keeps its name when two devices swap their addresses', () => {
    const book = bookWith(sighting('192.0.2.20', printer(1)), sighting('192.0.2.21', printer(2)));
    book.adopt('id-1', 'one', {}, NOW, 'test');
    book.adopt('id-2', 'two', {}, NOW, 'test');

    seen(book, [sighting('192.0.2.21', printer(1)), sighting('192.0.2.20', printer(2))], later(6));

    expect(book.named('one')?.addresses).toEqual(['192.0.2.21']);
    expect(book.named('two')?.addresses).toEqual(['192.0.2.20']);
    expect(book.all()).toHaveLength(2);
  });

  test('gives up its address to another device that took its place, which is a new one', () => {
    const book = bookWith(sighting('192.0.2.20', printer(1)));
    book.adopt('id-1', 'printer-2f', {}, NOW, 'test');

    const changes = seen(book, [sighting('192.0.2.20', printer(2))], later(6));

    expect(book.named('printer-2f')?.addresses).toEqual([]);
    expect(kinds(changes)).toEqual(['new', 'replaced']);
    expect(book.at('192.0.2.20')).toMatchObject({ state: 'candidate', evidence: { serial: 'W3148501002' } });
  });

  test('is moved when it turns up in another range', () => {
    const book = bookWith(sighting('192.0.2.20', printer(1)));
    seen(book, [], later(1));

    const changes = seen(book, [sighting('198.51.100.9', printer(1))], later(2));

    expect(kinds(changes)).toEqual(['moved']);
  });

  test('keeps its first address while that still answers, however many others it has', () => {
    const router = printer(1, { class: 'firewall' });
    const book = bookWith(sighting('192.0.2.1', router));

    seen(book, [sighting('198.51.100.1', router)], later(1), '198.51.100.');
    const changes = seen(book, [sighting('192.0.2.1', router)], later(2));

    expect(book.all()).toHaveLength(1);
    expect(book.at('198.51.100.1')?.addresses).toEqual(['192.0.2.1', '198.51.100.1']);
    expect(kinds(changes)).toEqual([]);
  });

  test('tells of new firmware, new ports and a new NIC', () => {
    const book = bookWith(sighting('192.0.2.20', printer(1), { ports: [{ protocol: 'tcp', port: 80 }] }));

    const changes = seen(
      book,
      [
        sighting('192.0.2.20', printer(1, { version: '1.1', macs: ['00:26:73:ff:ff:01'] }), {
          ports: [{ protocol: 'tcp', port: 443 }],
        }),
      ],
      later(6),
    );

    expect(kinds(changes)).toEqual(['firmware-changed', 'ports-changed', 'identity-changed']);
    expect(book.all()).toHaveLength(1);
  });

  test('is gone after it was missed, and returns', () => {
    const book = bookWith(sighting('192.0.2.20', printer(1)));

    expect(kinds(book.miss(() => true, 3_600_000, later(2)))).toEqual(['gone']);
    expect(kinds(seen(book, [sighting('192.0.2.20', printer(1))], later(3)))).toEqual(['returned']);
  });

  test('loses its address when a poll meets another serial there', () => {
    const book = bookWith(sighting('192.0.2.20', printer(1)));
    book.adopt('id-1', 'printer-2f', {}, NOW, 'test');

    const changes = book.learn('printer-2f', '192.0.2.20', printer(2), later(1));

    expect(kinds(changes)).toEqual(['replaced']);
    expect(book.named('printer-2f')).toMatchObject({ addresses: [], evidence: { serial: 'W3148501001' } });
  });
});

describe('what only a person can tell', () => {
  const swappedBoard = printer(1, { serial: 'W3148509999' });

  test('a swapped board is shown beside the device that it may be, which goes on meanwhile', () => {
    const book = bookWith(sighting('192.0.2.20', printer(1)));
    book.adopt('id-1', 'printer-2f', {}, NOW, 'test');

    seen(book, [sighting('192.0.2.20', swappedBoard)], later(6));

    expect(book.named('printer-2f')?.addresses).toEqual(['192.0.2.20']);
    expect(book.get('id-2')).toMatchObject({ state: 'candidate', doubts: [{ device: 'id-1' }] });
  });

  test('joined by a person, the name and all history go on with the new evidence', () => {
    const book = bookWith(sighting('192.0.2.20', printer(1)));
    book.adopt('id-1', 'printer-2f', {}, NOW, 'test');
    seen(book, [sighting('192.0.2.20', swappedBoard)], later(6));

    const { events } = book.join('id-2', 'printer-2f', later(7), 'anna');

    expect(book.named('printer-2f')).toMatchObject({ id: 'id-1', evidence: { serial: 'W3148509999' } });
    expect(lineage('id-1', events)).toEqual(new Set(['id-1', 'id-2']));
    expect(kinds(seen(book, [sighting('192.0.2.20', swappedBoard)], later(8)))).toEqual([]);
  });

  test('what was split stays apart, whatever it tells', () => {
    const book = bookWith(sighting('192.0.2.20', printer(1)), sighting('192.0.2.21', printer(1)));
    book.adopt('id-1', 'printer-2f', {}, NOW, 'test');

    book.split('id-1', '192.0.2.21', later(1), 'anna');
    seen(book, [sighting('192.0.2.20', printer(1)), sighting('192.0.2.21', printer(1))], later(6));

    expect(book.named('printer-2f')?.addresses).toEqual(['192.0.2.20']);
    expect(book.at('192.0.2.21')).toMatchObject({
      id: 'id-2',
      state: 'candidate',
      evidence: { serial: 'W3148501001' },
    });
  });

  test('an ignored device is not asked about again, until it is another one', () => {
    const book = bookWith(sighting('192.0.2.20', printer(1)));
    book.ignore('id-1', NOW, 'anna');

    seen(book, [sighting('192.0.2.33', printer(1))], later(6));
    expect(book.all()).toMatchObject([{ state: 'ignored' }]);

    seen(book, [sighting('192.0.2.33', printer(2))], later(12));
    expect(book.at('192.0.2.33')).toMatchObject({ state: 'candidate' });
  });
});

test('an address that only answers is no device and no news until it says more', () => {
  const book = bookWith();

  expect(kinds(seen(book, [sighting('192.0.2.50')]))).toEqual([]);
  expect(kinds(seen(book, [sighting('192.0.2.50', printer(1))], later(1)))).toEqual(['new']);
  expect(book.all()).toHaveLength(1);
});

test('what answers for every address is one device, found in no time, and told as a problem', () => {
  const pit = Array.from({ length: 4_000 }, (_, n) => sighting(`10.0.${n >> 8}.${n & 255}`, printer(1)));

  const started = performance.now();
  const devices = found(pit);

  expect(devices).toHaveLength(1);
  expect(crowds(devices)).toMatchObject([{ code: 'DISCOVERY_ANSWERS_FOR_ALL', message: /answers at 4000 addresses/ }]);
  expect(performance.now() - started).toBeLessThan(5_000);
});

test('what the config names is known by that name', () => {
  const book = new Book();
  book.configure([{ name: 'fw-1', address: '192.0.2.1', port: 161 }], NOW);

  seen(book, [sighting('192.0.2.1', printer(1))]);

  expect(book.at('192.0.2.1')).toMatchObject({
    state: 'configured',
    name: 'fw-1',
    evidence: { serial: 'W3148501001' },
  });
});

/** Anything that scans and people can do, in any order. */
const step = fc.oneof(
  fc.record({
    do: fc.constant('see' as const),
    address: fc.integer({ min: 1, max: 5 }),
    who: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({ do: fc.constant('adopt' as const), which: fc.nat(7) }),
  fc.record({ do: fc.constant('ignore' as const), which: fc.nat(7) }),
  fc.record({ do: fc.constant('join' as const), which: fc.nat(7), into: fc.nat(7) }),
  fc.record({ do: fc.constant('split' as const), which: fc.nat(7), address: fc.integer({ min: 1, max: 5 }) }),
);

test('splitting and joining keep all history, and no name is lost or doubled', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let id = 0;
      const book = new Book([], () => `id-${++id}`);
      const events: InventoryEvent[] = [];
      const names = new Set<string>();
      for (const [n, each] of steps.entries()) {
        const now = later(n);
        const ids = book.all().map((record) => record.id);
        const pick = (index: number) => ids[index % Math.max(1, ids.length)] ?? 'none';
        try {
          if (each.do === 'see')
            events.push(...seen(book, [sighting(`192.0.2.${each.address}`, printer(each.who))], now).events);
          if (each.do === 'adopt') {
            events.push(...book.adopt(pick(each.which), `name-${n}`, {}, now, 'x').events);
            names.add(`name-${n}`);
          }
          if (each.do === 'ignore') events.push(...book.ignore(pick(each.which), now, 'x').events);
          if (each.do === 'join') events.push(...book.join(pick(each.which), pick(each.into), now, 'x').events);
          if (each.do === 'split')
            events.push(...book.split(pick(each.which), `192.0.2.${each.address}`, now, 'x').events);
        } catch (error) {
          if (!(error instanceof Error && 'code' in error)) throw error;
        }
      }
      const named = book.all().flatMap(({ name }) => name ?? []);
      expect(named.toSorted()).toEqual([...names].toSorted());
      // Every event belongs to the history of a device that still goes on.
      const living = book.all().filter(({ state }) => state !== 'joined');
      const reached = new Set(living.flatMap((record) => [...lineage(record.id, events)]));
      for (const { device } of events) expect(reached).toContain(device);
      // Nobody is at an address that another was seen at last.
      const owners = Map.groupBy(
        living.flatMap(({ addresses }) => addresses),
        (address) => address,
      );
      for (const [, several] of owners) expect(several).toHaveLength(1);
    }),
    { numRuns: 1_500 },
  );
});
