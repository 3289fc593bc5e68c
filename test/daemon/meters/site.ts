/** A site of printers for tests: a real ledger in a folder of its own, into which reads are written as the sink does. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Milliseconds, WallTime } from '#collectors/contract.ts';
import { createLogger } from '#daemon/log.ts';
import { MeterBooks, type PeriodResult } from '#daemon/meters/books.ts';
import { closeDue } from '#daemon/meters/closing.ts';
import { MeterLedger } from '#daemon/meters/ledger.ts';
import { METERS, type Meter, type Source, type Step } from '#daemon/meters/read.ts';
import type { Terms } from '#daemon/meters/terms.ts';
import { LEDGER_OPTIONS } from '#daemon/store/ledger.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export type Counts = Readonly<Partial<Record<Meter, number>>>;

export interface PrinterFacts {
  readonly device: string;
  readonly serial?: string;
  readonly vendor?: string;
  readonly oid?: string;
  readonly unit?: string;
}

/** In memory where that is possible: what these tests look at is what is written, not how long a disk takes to sync. */
const FOLDERS = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export async function openSite(directory = mkdtempSync(join(FOLDERS, 'siteward-meters-'))) {
  const log = createLogger('error');
  const store = await openStore({ directory, log });
  const { migrations } = LEDGER_OPTIONS;
  const { database } = await store.open('ledger', { migrations, synchronous: 'normal' });
  const ledger = await MeterLedger.open({ database });
  return {
    directory,
    database,
    ledger,
    read: async (printer: PrinterFacts, at: WallTime, counts: Counts, step: Step = 'ok', clockTrusted = true) => {
      const source = await ledger.sourceNumber(sourceOf(printer, counts), at);
      const slots = METERS.flatMap((meter) => counts[meter] ?? []);
      return await ledger.append(printer.device, { at, clockTrusted, step, source, slots });
    },
    close: async (terms: readonly Terms[], now: WallTime) => await closeDue(ledger, terms, now),
    period: async (all: readonly Terms[], terms: Terms, from: WallTime, to: WallTime, now: WallTime) =>
      await new MeterBooks(ledger, all).period(terms, { from, to }, now),
    end: async () => {
      await store.close();
    },
    remove: async () => {
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
export type Site = Awaited<ReturnType<typeof openSite>>;

export function printerKey({ device, serial, vendor = 'Acme' }: PrinterFacts): string {
  return serial === undefined ? `name:${device}` : `${vendor}:${serial}`;
}

function sourceOf(facts: PrinterFacts, counts: Counts): Source {
  const { device, serial, vendor = 'Acme', oid = '1.3.6.1.4.1.99999.1', unit = 'impressions' } = facts;
  return {
    device,
    printer: printerKey(facts),
    ...(serial !== undefined && { serial }),
    vendor,
    profile: 'acme',
    profileVersion: '0123456789abcdef',
    meters: METERS.filter((meter) => counts[meter] !== undefined).map((meter) => ({
      meter,
      oid: `${oid}.${METERS.indexOf(meter)}`,
      unit,
      parts: 1,
    })),
  };
}

export function termsFor(contract: string | null, settings: Partial<Terms> = {}): Terms {
  return {
    contract,
    timezone: 'UTC',
    every: 'month',
    cut: { day: 1, time: '00:00' },
    tolerance: DAY as Milliseconds,
    meters: [],
    largeFormat: 'once',
    largeCounted: 'once',
    pooled: false,
    currency: 'EUR',
    rated: 60,
    devices: contract === null ? [] : ['*'],
    ...settings,
  };
}

export const usedOf = (result: PeriodResult, device: string, meter: Meter): number | undefined =>
  result.printers.find((printer) => printer.device === device)?.meters[meter]?.used;
