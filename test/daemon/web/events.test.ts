/** What happened, as the API and a device's page tell it: the availability ledger and what discovery saw, in one list. */
import { expect, onTestFinished, test } from 'vitest';
import type { Identity, WallTime } from '#collectors/contract.ts';
import type { Sighting } from '#collectors/discovery/scan.ts';
import { configOf } from '#config/load.ts';
import { RULE_VERSION } from '#daemon/availability/verdict.ts';
import { SiteInventory } from '#daemon/inventory/site-inventory.ts';
import { openBook, type SetClock, setClock } from '../../support/availability.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { startSite, testDevice } from '../../support/site.ts';

const HOUR = 3_600_000;
const RANGE = '192.0.2.0/24';
const START = Date.now() - 5 * HOUR;

interface Happened {
  readonly id: number;
  readonly source: string;
  readonly kind: string;
  readonly device: string | null;
  readonly discovery?: string;
  readonly state: string | null;
  readonly detail: Record<string, string>;
}

function sighting(address: string, clock: SetClock, rest: Partial<Identity> = {}): Sighting {
  return {
    address: address as Sighting['address'],
    at: clock.wallNow(),
    echo: true,
    agent: 'answered',
    snmpPort: 161,
    identity: {
      class: 'printer',
      profile: 'ricoh',
      vendor: 'Ricoh',
      model: 'IM C3000',
      serial: 'W3148501001',
      sysName: 'printer-1',
      macs: ['00:26:73:00:00:01'],
      version: '1.0',
      ...rest,
    },
    credential: { name: 'office', version: '2c' },
    names: [],
    ports: [],
  };
}

/** A printer that was found, adopted, given another address and firmware, went away and came back; down twice meanwhile. */
async function lively() {
  const clock = setClock(START);
  const book = await openBook(await temporaryFolder(), clock);
  const { config } = configOf(
    {
      site: { id: 's', client: 'ACME', timezone: 'Europe/Berlin' },
      credentials: { office: { version: '2c', community: 'public' } },
      discovery: { ranges: [{ range: RANGE, credentials: ['office'] }] },
    },
    '.',
  );
  const inventory = await SiteInventory.open({
    clock,
    log: recordingLogger(),
    database: () => book.ledger.database,
    config: () => config,
    onDevices: () => undefined,
  });
  const scan = (...sightings: Sighting[]) => inventory.ingest(sightings, (address) => address.startsWith('192.0.2.'));
  const state = async (entered: 'up' | 'down') => {
    book.availability.append({
      kind: 'state',
      device: 'prn-1',
      at: clock.wallNow(),
      state: entered,
      rule: entered === 'up' ? 'answered' : 'silent three rounds',
      ruleVersion: RULE_VERSION,
      detail: {},
    });
    await book.flush();
  };
  scan(sighting('192.0.2.20', clock));
  const [found] = inventory.discoveries();
  clock.advance(1000);
  await inventory.adopt(found?.id ?? '', { name: 'prn-1' }, 'anna');
  book.availability.watch(new Map([['prn-1', undefined]]), clock.wallNow());
  await state('up');
  clock.advance(HOUR);
  scan(sighting('192.0.2.77', clock));
  clock.advance(HOUR);
  scan(sighting('192.0.2.77', clock, { version: '2.4' }));
  await inventory.saved();
  await state('down');
  clock.advance(HOUR);
  inventory.scanned(RANGE, HOUR / 4);
  clock.advance(HOUR);
  scan(sighting('192.0.2.77', clock, { version: '2.4' }), {
    ...sighting('192.0.2.90', clock, { serial: 'X9', sysName: 'other', macs: ['00:26:73:00:00:99'] }),
  });
  await inventory.saved();
  await state('up');
  const site = await startSite({
    devices: [testDevice('prn-1', 'up', { class: 'printer' })],
    sources: {
      timelines: async () =>
        new Map([
          ['prn-1', [{ from: START as WallTime, to: clock.wallNow(), state: 'up' as const, cause: 'answered' }]],
        ]),
    },
    parts: {
      inventory,
      availability: {
        database: () => book.ledger.database,
        config: () => config,
        knows: () => true,
        correct: async () => undefined,
        notices: async () => [],
      },
    },
  });
  onTestFinished(async () => await book.close());
  const ask = async (query: string) => {
    const response = await fetch(`${site.url}/api/v1/events?${query}`);
    return {
      events: (await response.json()) as Happened[],
      next: /<([^>]+)>/.exec(response.headers.get('link') ?? '')?.[1],
    };
  };
  return { site, ask };
}

const told = ({ source, kind, state }: Happened) =>
  `${source === 'inventory' ? 'seen ' : ''}${kind}${state ? ` ${state}` : ''}`;

test('what a device did and what discovery saw of it stand in one list, newest first', async () => {
  const { ask } = await lively();

  const { events } = await ask('device=prn-1');

  expect(events.map(told)).toEqual([
    'state up',
    'seen returned',
    'seen gone',
    'state down',
    'seen firmware-changed',
    'seen re-addressed',
    'state up',
    'watched',
    'seen adopted',
    'seen new',
  ]);
  expect(events.find(({ kind }) => kind === 're-addressed')).toMatchObject({
    device: 'prn-1',
    detail: { from: '192.0.2.20', to: '192.0.2.77' },
  });
  expect(events.find(({ kind }) => kind === 'firmware-changed')?.detail).toEqual({ from: '1.0', to: '2.4' });
});

test('a list of all has candidates too, and its parts make up the whole, none twice', async () => {
  const { site, ask } = await lively();
  const { events: all } = await ask('limit=1000');

  const parts: Happened[] = [];
  let query: string | undefined = 'limit=3';
  while (query !== undefined) {
    const { events, next } = await ask(query);
    expect(events.length).toBeLessThanOrEqual(3);
    parts.push(...events);
    query = next === undefined ? undefined : String(new URL(next, site.url).searchParams);
  }

  expect(parts).toEqual(all);
  expect(all.filter(({ kind, device }) => kind === 'new' && device === null)).toHaveLength(1);
  expect(new Set(all.map(({ source, id }) => `${source} ${id}`)).size).toBe(all.length);
  expect((await fetch(`${site.url}/api/v1/events?cursor=1`)).status).toBe(400);
});

test("a device's page tells both, in the language of who reads it", async () => {
  const { site } = await lively();
  const pageIn = async (language: string) =>
    (await (await fetch(`${site.url}/devices/prn-1`, { headers: { 'accept-language': language } })).text()).replace(
      /^[\s\S]*id="events"/,
      '',
    );
  const english = await pageIn('en');

  expect(english).toMatch(/has another address<\/b><\/td><td>192\.0\.2\.20 → 192\.0\.2\.77/);
  expect(english).toMatch(/other firmware<\/b><\/td><td>1\.0 → 2\.4/);
  expect(english).toContain('answered');
  expect(await pageIn('de')).toContain('hat eine andere Adresse');
});
