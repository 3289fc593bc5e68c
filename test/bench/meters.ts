/**
 * How large and how fast the meter ledger is: 2,000 printers, hourly reads, as many months as asked for (argument, default
 * 3), written as the ledger writes them. Prints octets per read, seven years' size, and how fast `verify` and the report are.
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

const PRINTERS = Number(process.argv[3] ?? 2_000);
const MONTHS = Number(process.argv[2] ?? 3);
const HOUR = 3_600_000;
const SEVEN_YEARS = 2_000 * 24 * 365.25 * 7;
const OF: readonly Meter[] = ['total', 'mono', 'color', 'print', 'print_mono', 'print_color', 'copy', 'fax'];

const { config } = configOf(
  {
    site: { id: 'bench', client: 'Bench', timezone: 'UTC' },
    contracts: { bench: { devices: ['*'], meters: { mono: { price: '0.01' }, color: { price: '0.08' } } } },
  },
  '/',
);
const directory = mkdtempSync(join(tmpdir(), 'siteward-meter-bench-'));
const log = createLogger('error');
const store = await openStore({ directory, log });
// Not synced: what is measured is the work, not this disk.
const { database } = await store.open('ledger', { migrations: LEDGER_OPTIONS.migrations, synchronous: 'normal' });
const ledger = await MeterLedger.open({ database });
const terms = allTerms(config);
const from = Date.UTC(2026, 0, 1);
const until = Date.UTC(2026, MONTHS, 1);

const counters = Array.from({ length: PRINTERS }, (_, index) =>
  OF.map((_, meter) => 10_000 * (1 + (index % 40)) + meter),
);
const random = mulberry(7);
let reads = 0;
let cpu = process.cpuUsage();
for (let at = from; at <= until + HOUR; at += HOUR) {
  const working =
    new Date(at).getUTCDay() % 6 !== 0 && new Date(at).getUTCHours() >= 8 && new Date(at).getUTCHours() < 18;
  await Promise.all(
    counters.map(async (values, index) => {
      const device = `printer-${index}`;
      const pages = working && random() < 0.7 ? Math.floor(random() * 40) : 0;
      for (let meter = 0; meter < values.length; meter += 1)
        values[meter] = (values[meter] ?? 0) + (pages >> (meter % 3));
      const meters = OF.map((meter) => ({
        meter,
        oid: `1.3.6.1.4.1.99999.${METERS.indexOf(meter)}`,
        unit: 'impressions',
        parts: 1,
      }));
      const source = await ledger.sourceNumber(
        {
          device,
          printer: `Acme:SN${index}`,
          serial: `SN${index}`,
          vendor: 'Acme',
          profile: 'acme',
          profileVersion: '0',
          meters,
        },
        at as WallTime,
      );
      const jitter = Math.floor(random() * 60_000);
      await ledger.append(device, {
        at: (at + jitter) as WallTime,
        clockTrusted: true,
        step: 'ok',
        source,
        slots: [...values],
      });
    }),
  );
  reads += PRINTERS;
  if (new Date(at).getUTCDate() === 2 && new Date(at).getUTCHours() === 1) {
    const started = performance.now();
    for (const closed of await closeDue(ledger, terms, at as WallTime))
      say(`close ${closed.contract}`, `${Math.round(performance.now() - started)} ms`);
  }
}
const spent = process.cpuUsage(cpu);
say('reads', String(reads));
say('CPU per read written (both threads)', `${((spent.user + spent.system) / reads).toFixed(1)} µs`);
say(
  'share of a core at 2,000 printers hourly',
  `${(((spent.user + spent.system) / reads / 1e6) * (2_000 / 3_600) * 100).toFixed(3)} %`,
);
const bytes = await database.size();
const [{ chunks } = { chunks: 0 }] = (await database.read(
  'SELECT sum(length(body) + length(tip) + 30) AS chunks FROM meter_chunks',
)) as { chunks: number }[];
const [{ periods } = { periods: 0 }] = (await database.read(
  'SELECT sum(length(body) + 80) AS periods FROM meter_periods',
)) as { periods: number }[];
say(
  'file',
  `${(bytes / 1e6).toFixed(1)} MB, ${(bytes / reads).toFixed(2)} octets a read, ${(((bytes / reads) * SEVEN_YEARS) / 1e9).toFixed(2)} GB in seven years`,
);
say('of it chunks', `${(chunks / reads).toFixed(2)} octets a read; closed periods ${(periods / reads).toFixed(2)}`);

let started = performance.now();
cpu = process.cpuUsage();
const { faults } = await verifyMeters(database);
const verified = process.cpuUsage(cpu);
say('verify: CPU', `${Math.round(reads / ((verified.user + verified.system) / 1e6))} reads per CPU second`);
say('verify', `${Math.round(reads / ((performance.now() - started) / 1000))} reads/s, ${faults.length} faults`);

for (const [name, period, now] of [
  [
    'report of a closed month',
    { from: Date.UTC(2026, MONTHS - 2, 1), to: Date.UTC(2026, MONTHS - 1, 1) },
    until + HOUR,
  ],
  ['report of the month that runs', { from: Date.UTC(2026, MONTHS - 1, 1), to: until }, until - 60 * HOUR],
] as const) {
  started = performance.now();
  const before = process.cpuUsage();
  const archive = new MeterArchive({ database });
  const span = { from: period.from as WallTime, to: period.to as WallTime };
  const report = await meterReport({ archive, config, period: span, now: now as WallTime });
  say(
    name,
    `${Math.round(performance.now() - started)} ms, ${report.results[0]?.printers.length} printers, total ${report.results[0]?.contract.total}`,
  );
  const used = process.cpuUsage(before);
  say(`${name}: CPU`, `${Math.round((used.user + used.system) / 1000)} ms`);
}
await store.close();
rmSync(directory, { recursive: true, force: true });

function say(what: string, figure: string): void {
  console.log(`${what.padEnd(42)} ${figure}`);
}

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
