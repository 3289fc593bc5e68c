/**
 * How large and how fast the meter ledger is: printers with hourly reads for some months, written as the ledger writes
 * them, then closed, verified and reported. By itself: `node test/bench/meters.ts [MONTHS [PRINTERS]]`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WallTime } from '#collectors/contract.ts';
import { configOf } from '#config/load.ts';
import { createLogger } from '#daemon/log.ts';
import { MeterArchive } from '#daemon/meters/archive.ts';
import { closeDue } from '#daemon/meters/closing.ts';
import { MeterLedger } from '#daemon/meters/ledger.ts';
import { METERS, type Meter } from '#daemon/meters/read.ts';
import { meterReport } from '#daemon/meters/report.ts';
import { allTerms } from '#daemon/meters/terms.ts';
import { verifyMeters } from '#daemon/meters/verify.ts';
import { LEDGER_OPTIONS } from '#daemon/store/ledger.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import type { Database } from '#daemon/store/store.ts';
import { type Figure, printTable } from './table.ts';

const HOUR = 3_600_000;
const SITE_PRINTERS = 2_000;
const SEVEN_YEARS = SITE_PRINTERS * 24 * 365.25 * 7;
const OF: readonly Meter[] = ['total', 'mono', 'color', 'print', 'print_mono', 'print_color', 'copy', 'fax'];
const { config } = configOf(
  {
    site: { id: 'bench', client: 'Bench', timezone: 'UTC' },
    contracts: { bench: { devices: ['*'], meters: { mono: { price: '0.01' }, color: { price: '0.08' } } } },
  },
  '/',
);
const START = Date.UTC(2026, 0, 1);

/** A site of 2,000 printers, unless said otherwise, in the last hour of its second month. */
export async function benchMeters(months = 2, printers = SITE_PRINTERS): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'siteward-meter-bench-'));
  const store = await openStore({ directory, log: createLogger('error') });
  try {
    // Not synced: what is measured is the work, not this disk.
    const { database } = await store.open('ledger', { migrations: LEDGER_OPTIONS.migrations, synchronous: 'normal' });
    const written = await write(database, months, printers);
    return [...written, await verified(database), ...(await reported(database, months, printers))];
  } finally {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Reads of every hour, with periods closed as they end. */
async function write(database: Database, months: number, printers: number): Promise<Figure[]> {
  const ledger = await MeterLedger.open({ database });
  const terms = allTerms(config);
  const counters = Array.from({ length: printers }, (_, index) =>
    OF.map((_, meter) => 10_000 * (1 + (index % 40)) + meter),
  );
  const random = mulberry(7);
  let reads = 0;
  let closing = 0;
  let closed = 0;
  const cpu = process.cpuUsage();
  for (let at = START; at < Date.UTC(2026, months, 1); at += HOUR) {
    await Promise.all(counters.map((values, index) => readOnce(ledger, index, values, at, random)));
    reads += printers;
    if (new Date(at).getUTCDate() !== 2 || new Date(at).getUTCHours() !== 1) continue;
    const started = performance.now();
    closed += (await closeDue(ledger, terms, at as WallTime)).length;
    closing = performance.now() - started;
  }
  const { user, system } = process.cpuUsage(cpu);
  const bytes = await database.size();
  const share = ((user + system) / reads / 1e6) * (SITE_PRINTERS / 3_600);
  return [
    figure(
      `${reads} meter reads written: share of a core at 2,000 an hour`,
      `${(share * 100).toFixed(3)} %`,
      'under 1 %',
    ),
    figure(
      'ledger of 2,000 printers over seven years, by octets a read',
      `${(((bytes / reads) * SEVEN_YEARS) / 1e9).toFixed(2)} GB (${(bytes / reads).toFixed(1)} octets)`,
      'under 3 GB',
    ),
    figure(`closing a month of ${printers} printers (${closed} closed)`, seconds(closing), ''),
  ];
}

async function readOnce(
  ledger: MeterLedger,
  index: number,
  values: number[],
  at: number,
  random: () => number,
): Promise<void> {
  const device = `printer-${index}`;
  const day = new Date(at);
  const working = day.getUTCDay() % 6 !== 0 && day.getUTCHours() >= 8 && day.getUTCHours() < 18;
  const pages = working && random() < 0.7 ? Math.floor(random() * 40) : 0;
  for (let meter = 0; meter < values.length; meter += 1) values[meter] = (values[meter] ?? 0) + (pages >> (meter % 3));
  const jitter = Math.floor(random() * 60_000);
  const slots = [...values];
  const source = await ledger.sourceNumber(
    {
      device,
      printer: `Acme:SN${index}`,
      serial: `SN${index}`,
      vendor: 'Acme',
      profile: 'acme',
      profileVersion: '0',
      meters: OF.map((meter) => ({
        meter,
        oid: `1.3.6.1.4.1.99999.${METERS.indexOf(meter)}`,
        unit: 'impressions',
        parts: 1,
      })),
    },
    at as WallTime,
  );
  await ledger.append(device, { at: (at + jitter) as WallTime, clockTrusted: true, step: 'ok', source, slots });
}

async function verified(database: Database): Promise<Figure> {
  let told = 0;
  const started = performance.now();
  const { checked, faults } = await verifyMeters(database, () => {
    told += 1;
  });
  const rate = (checked['meter_reads'] ?? 0) / ((performance.now() - started) / 1000);
  if (faults.length > 0) throw new Error(`the ledger does not hold: ${faults[0]?.where}`);
  return figure(`verify, with progress (told ${told} times)`, `${Math.round(rate)} reads/s`, '200,000 reads/s');
}

/** Each twice: the first time as from a command line, when nothing is compiled yet. */
async function reported(database: Database, months: number, printers: number): Promise<Figure[]> {
  const until = Date.UTC(2026, months, 1);
  const month = (index: number) => ({
    from: Date.UTC(2026, index, 1) as WallTime,
    to: Date.UTC(2026, index + 1, 1) as WallTime,
  });
  const figures: Figure[] = [];
  for (const [name, period] of [
    ['that runs', month(months - 1)],
    ['that is closed', month(months - 2)],
  ] as const) {
    const took: number[] = [];
    for (let time = 0; time < 2; time += 1) {
      const started = performance.now();
      const archive = new MeterArchive({ database });
      const report = await meterReport({ archive, config, period, now: (until - 1) as WallTime });
      took.push(performance.now() - started);
      if (report.results[0]?.printers.length !== printers) throw new Error('printers are missing in the report');
    }
    figures.push(
      figure(`meter report of ${printers} printers, month ${name}`, took.map(seconds).join(', again '), 'under 2 s'),
    );
  }
  return figures;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
const figure = (what: string, siteward: string, goal: string): Figure => ({
  what,
  siteward,
  beside: '',
  ratio: '',
  goal,
});

/** The same numbers each time. */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

if (import.meta.main) {
  const [months = 3, printers = SITE_PRINTERS] = process.argv.slice(2).map(Number);
  printTable(await benchMeters(months, printers));
}
