import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { WallTime } from '#collectors/contract.ts';
import { configOf } from '#config/load.ts';
import { decide, enterManual } from '#daemon/meters/entering.ts';
import type { Meter } from '#daemon/meters/read.ts';
import { allTerms } from '#daemon/meters/terms.ts';
import { type Counts, DAY, HOUR, type Site } from './site.ts';

/** The worked example of docs/meters.md: a script of 24 months, and the sheet that says what must come out. */
const FOLDER = resolve(import.meta.dirname, '../../../docs/examples/meters-24-months');

type Numbers = Readonly<Partial<Record<Meter, number>>>;

interface Happening {
  readonly day: string;
  readonly at?: string;
  readonly serial?: string;
  readonly set?: Numbers;
  readonly reads?: Numbers;
  readonly reads_less?: Numbers;
  readonly wraps_at?: number;
  readonly device?: string;
  readonly silent_until?: string;
  readonly daily?: Numbers;
  readonly daily_after?: Numbers;
  readonly decide?: {
    readonly device: string;
    readonly day: string;
    readonly action: 'split' | 'confirm';
    readonly as?: 'board-swap';
    readonly start?: number;
    readonly reason: string;
  };
  readonly manual?: {
    readonly device: string;
    readonly meter: Meter;
    readonly after: string;
    readonly pages: number;
    readonly reason: string;
  };
}

interface Printer {
  readonly serial: string;
  device: string;
  counters: Numbers;
  daily: Numbers;
  readonly since?: string;
  readonly until?: string;
}

interface Script {
  readonly from: string;
  readonly to: string;
  readonly config: object;
  readonly printers: readonly Printer[];
  readonly happenings: readonly Happening[];
}

export const script = JSON.parse(readFileSync(join(FOLDER, 'script.json'), 'utf8')) as Script;
export const { config } = configOf(script.config, '/');
const terms = allTerms(config);
export const sheet = rowsOf('sheet.csv');
export const bills = rowsOf('bills.csv');

function rowsOf(name: string): Record<string, string>[] {
  const [head = '', ...lines] = readFileSync(join(FOLDER, name), 'utf8').trim().split('\n');
  const keys = head.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((field, index) => [keys[index] ?? '', field])));
}

/** Plays the script day by day: what is read is written, and periods are closed as the daemon does. */
export async function play(site: Site): Promise<void> {
  const printers = script.printers.map((printer) => ({ ...printer, silentUntil: '' }));
  const numbers = new Map<string, number>();
  const shown = new Map<string, Numbers>();
  for (let noon = Date.parse(`${script.from}T12:00Z`); noon < Date.parse(`${script.to}T12:00Z`); noon += DAY) {
    const day = new Date(noon).toISOString().slice(0, 10);
    const today = script.happenings.filter((happening) => happening.day === day);
    const reads = printers.map(async (printer) => {
      if (day < (printer.since ?? script.from) || day > (printer.until ?? script.to)) return;
      const own = today.filter(({ serial }) => serial === printer.serial);
      for (const { silent_until, daily, device } of own) {
        printer.silentUntil = silent_until ?? printer.silentUntil;
        printer.daily = daily ?? printer.daily;
        printer.device = device ?? printer.device;
      }
      const set = own.find((happening) => happening.set)?.set;
      const wrap = own.find((happening) => happening.wraps_at)?.wraps_at;
      const first = day === (printer.since ?? script.from);
      printer.counters = set ?? (first ? printer.counters : sum(printer.counters, printer.daily, wrap));
      printer.daily = own.find((happening) => happening.daily_after)?.daily_after ?? printer.daily;
      if (day <= printer.silentUntil) return;
      const less = own.find((happening) => happening.reads_less)?.reads_less ?? {};
      const counts: Counts = own.find((happening) => happening.reads)?.reads ?? minus(printer.counters, less);
      const { device, serial } = printer;
      const { number } = await site.read({ device, serial }, noon as WallTime, counts);
      numbers.set(`${device} ${day}`, number);
      shown.set(`${device} ${day}`, counts);
    });
    await Promise.all(reads);
    for (const { at = '13:00', decide: decision, manual } of today) {
      const now = Date.parse(`${day}T${at}Z`) as WallTime;
      if (decision) {
        const { device, day: when, ...rest } = decision;
        await decide(
          site.ledger,
          { read: `${device}#${numbers.get(`${device} ${when}`)}`, author: 'kim', ...rest },
          now,
        );
      }
      if (manual) {
        const { device, meter, after, pages, reason } = manual;
        const read = shown.get(`${device} ${after}`)?.[meter] ?? 0;
        const request = { device, meter, pages: read + pages, at: now, author: 'kim', reason };
        await enterManual(site.ledger, terms, request, now);
      }
    }
    const date = Number(day.slice(8));
    if (date <= 3 || (date >= 15 && date <= 17)) await site.close(terms, (noon + HOUR) as WallTime);
  }
}

function sum(counters: Numbers, daily: Numbers, wrap = Number.POSITIVE_INFINITY): Numbers {
  const entries = Object.entries(counters) as [Meter, number][];
  return Object.fromEntries(entries.map(([meter, pages]) => [meter, (pages + (daily[meter] ?? 0)) % wrap]));
}

function minus(counters: Numbers, less: Numbers): Numbers {
  const entries = Object.entries(counters) as [Meter, number][];
  return Object.fromEntries(entries.map(([meter, pages]) => [meter, pages - (less[meter] ?? 0)]));
}
