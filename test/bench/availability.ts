import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Evidence, WallTime } from '#collectors/contract.ts';
import { configOf } from '#config/load.ts';
import { readSlaReport } from '#daemon/availability/reading.ts';
import { AvailabilityTracker } from '#daemon/availability/tracker.ts';
import { RULE_VERSION } from '#daemon/availability/verdict.ts';
import { watchedDevices } from '#daemon/inventory/watched.ts';
import { openBook, setClock } from '../support/availability.ts';
import type { Figure } from './table.ts';

const INTERVAL = 15_000;
const DAY = 86_400_000;
const START = Date.parse('2026-01-01T00:00:00Z');

const site = (count: number) =>
  configOf(
    {
      site: { id: 'bench', client: 'Bench' },
      devices: Array.from({ length: count }, (_, index) => ({
        name: `d-${index}`,
        address: `10.${Math.floor(index / 65_536)}.${Math.floor(index / 256) % 256}.${index % 256}`,
        sla: 'gold',
        ...(index > 0 ? { parent: `d-${Math.floor((index - 1) / 48)}` } : {}),
      })),
      slas: { gold: { target: '99.9%', service_hours: 'Mon-Fri 06:00-20:00' } },
    },
    '/tmp',
  );

/** Verdicts of 10,000 devices, and reports of 200 with 50 outages a month each. */
export async function benchAvailability(): Promise<Figure[]> {
  return [verdicts(10_000), ...(await reports(200, 50)), await growth(200, 5)];
}

function verdicts(count: number): Figure {
  const clock = setClock(START);
  const tracker = new AvailabilityTracker({ clock, publish: () => undefined, onTransition: () => undefined });
  tracker.apply(watchedDevices(site(count).config));
  const answered: Evidence = { kind: 'answered' };
  const silent: Evidence = { kind: 'silent' };
  const rounds = 40;
  const begin = process.cpuUsage();
  for (let round = 0; round < rounds; round += 1) {
    const results = new Map(
      Array.from({ length: count }, (_, index) => [
        `d-${index}`,
        new Map([['icmp', index % 100 === 1 ? silent : answered]]),
      ]),
    );
    tracker.round({ at: clock.wallNow(), mono: clock.monotonicNow() }, results);
    clock.advance(INTERVAL);
  }
  const { user, system } = process.cpuUsage(begin);
  const share = (user + system) / 1000 / rounds / INTERVAL;
  return {
    what: `verdicts of ${count} devices every 15 s`,
    siteward: `${(share * 100).toFixed(2)} % of a core`,
    beside: '',
    ratio: '',
    goal: 'under 5 %',
  };
}

async function filled(count: number, outages: number, days: number) {
  const directory = mkdtempSync(join(tmpdir(), 'siteward-bench-'));
  const clock = setClock(START);
  const book = await openBook(directory, clock);
  const names = Array.from({ length: count }, (_, index) => `d-${index}`);
  book.availability.watch(new Map(names.map((name) => [name, 'gold'])), clock.wallNow());
  const enter = (device: string, at: number, up: boolean) =>
    book.availability.append({
      kind: 'state',
      device,
      at: at as WallTime,
      state: up ? 'up' : 'down',
      rule: up ? 'answered' : 'silent three rounds',
      ruleVersion: RULE_VERSION,
      detail: { evidence: { icmp: up ? 'answered' : 'silent' }, resolution: INTERVAL },
    });
  for (const name of names) enter(name, START, true);
  const every = (30 * DAY) / outages;
  for (let at = START + every / 2; at < START + days * DAY; at += every) {
    clock.set(at);
    for (const [index, name] of names.entries()) {
      enter(name, at + index, false);
      enter(name, at + index + 300_000, true);
    }
    await book.flush();
  }
  clock.set(START + days * DAY);
  book.availability.beat(clock.wallNow(), clock.monotonicNow());
  await book.flush();
  return { directory, clock, book };
}

async function reports(count: number, outages: number): Promise<Figure[]> {
  const { directory, clock, book } = await filled(count, outages, 365);
  const { config } = site(count);
  const figures: Figure[] = [];
  for (const [period, goal] of [
    ['2026-06', 'under 1 s'],
    ['2026', 'under 5 s'],
  ] as const) {
    const begin = performance.now();
    await readSlaReport(book.ledger.database, period, { config, now: clock.wallNow() });
    const seconds = (performance.now() - begin) / 1000;
    figures.push({
      what: `report ${period}, ${count} devices, ${outages} outages a month each`,
      siteward: `${seconds.toFixed(2)} s`,
      beside: '',
      ratio: '',
      goal,
    });
  }
  await book.close();
  rmSync(directory, { recursive: true });
  return figures;
}

async function growth(count: number, outages: number): Promise<Figure> {
  const { directory, book } = await filled(count, outages, 365);
  const [pages] = await book.ledger.database.read(
    'SELECT (SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM pragma_freelist_count) AS used',
  );
  const bytes = Number(pages?.['used'] ?? statSync(join(directory, 'ledger.db')).size / 4096) * 4096;
  await book.close();
  rmSync(directory, { recursive: true });
  return {
    what: `ledger of ${count} devices, ${outages} outages a month each, a year`,
    siteward: `${(bytes / 1e6).toFixed(1)} MB`,
    beside: '',
    ratio: '',
    goal: 'under 20 MB',
  };
}
