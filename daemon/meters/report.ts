/** The meter report: what is billed, and beside it everything that someone has to look after. */
import type { WallTime } from '#collectors/contract.ts';
import type { Config } from '#config/schema.ts';
import type { Span } from '../calendar.ts';
import type { MeterArchive } from './archive.ts';
import { MeterBooks, type PeriodResult } from './books.ts';
import type { SupplyReplaced } from './entries.ts';
import type { Source, Step } from './read.ts';
import { type DaysLeft, daysLeft, wasEarly } from './supplies.ts';
import { allTerms, contractOf, matchesName, type Terms } from './terms.ts';

export interface UnreadPrinter {
  readonly device: string;
  readonly printer: string;
  /** The last good read; absent when there never was one. */
  readonly lastRead?: WallTime;
  readonly days: number;
  /** Where reading fails now. */
  readonly step: Step;
  readonly note?: string;
}

export interface SupplyToOrder {
  readonly device: string;
  readonly printer: string;
  readonly supply: string;
  readonly description: string;
  readonly level: number;
  readonly left?: DaysLeft;
}

export interface ReplacedSupply extends SupplyReplaced {
  readonly at: WallTime;
  readonly early: boolean;
}

export interface MeterReport {
  readonly site: Config['site'];
  readonly period: Span;
  readonly made: WallTime;
  readonly results: readonly PeriodResult[];
  readonly notRead: readonly UnreadPrinter[];
  /** Printers that were read and are under no contract. */
  readonly noContract: readonly { readonly device: string; readonly printer: string }[];
  /** Names and patterns of contracts under which nothing was read. */
  readonly notSeen: readonly { readonly contract: string; readonly device: string }[];
  readonly toOrder: readonly SupplyToOrder[];
  readonly replaced: readonly ReplacedSupply[];
}

export interface MeterReportRequest {
  readonly archive: MeterArchive;
  readonly config: Config;
  readonly period: Span;
  readonly now: WallTime;
}

const DAY = 86_400_000;
/** Without a good read for so long a printer is on the list. */
const NOT_READ_DAYS = 2;
const ORDER_DAYS = 10;
const ORDER_LEVEL = 10;
/** Levels above are not worth a look at the pace. */
const LOOK_LEVEL = 40;
const USE_DAYS = 45;

/** Makes the report of all contracts. Reads the ledger and changes nothing. */
export async function meterReport({ archive, config, period, now }: MeterReportRequest): Promise<MeterReport> {
  const all = allTerms(config);
  const books = new MeterBooks(archive, all);
  const results: PeriodResult[] = [];
  for (const terms of all) {
    const periods = await books.periodsIn(terms, period);
    for (const each of periods) results.push(await books.period(terms, each, now));
    if (periods.length === 0) results.push(await runningOrSpan(books, terms, period, now));
  }
  const sources = await archive.sources();
  const latest = latestSources(sources);
  return {
    site: config.site,
    period,
    made: now,
    results: results.filter(({ contract, printers }) => contract.contract !== null || printers.length > 0),
    notRead: await unread(archive, latest, now),
    noContract: results
      .filter(({ contract }) => contract.contract === null)
      .flatMap(({ printers }) => printers.map(({ device, printer }) => ({ device, printer }))),
    notSeen: notSeen(config, all, [...latest.keys()]),
    toOrder: await toOrder(archive, sources, now),
    replaced: await replacedIn(archive, period),
  };
}

/** Without a cut in the span: the period that runs, if the span ends in it, else pages of the span alone. */
async function runningOrSpan(books: MeterBooks, terms: Terms, span: Span, now: WallTime): Promise<PeriodResult> {
  const running = await books.running(terms, now);
  if (running && span.to > now && span.from <= now) return await books.period(terms, running, now);
  return await books.span(terms, span, now);
}

/** What each device was read as last. */
function latestSources(sources: ReadonlyMap<number, Source>): Map<string, Source> {
  return new Map([...sources.values()].map((source) => [source.device, source]));
}

async function unread(
  archive: MeterArchive,
  latest: ReadonlyMap<string, Source>,
  now: WallTime,
): Promise<UnreadPrinter[]> {
  const found: UnreadPrinter[] = [];
  const fine = await archive.wellReadSince((now - NOT_READ_DAYS * DAY) as WallTime);
  for (const { id, name } of await archive.devices()) {
    if (fine.has(id)) continue;
    const reads = await archive.lastReads(name);
    const last = reads.at(-1);
    const good = reads.findLast(({ step }) => step === 'ok');
    if (!last || (good && now - good.at < NOT_READ_DAYS * DAY)) continue;
    found.push({
      device: name,
      printer: latest.get(name)?.printer ?? `name:${name}`,
      ...(good && { lastRead: good.at }),
      days: Math.floor((now - (good?.at ?? reads[0]?.at ?? now)) / DAY),
      // A device that is not even asked any more has no failing step: then its last read was good.
      step: last.step,
      ...(last.note !== undefined && { note: last.note }),
    });
  }
  return found.toSorted((a, b) => b.days - a.days);
}

function notSeen(config: Config, all: readonly Terms[], seen: readonly string[]): MeterReport['notSeen'] {
  const printers = config.devices
    .filter((device) => device.class === 'printer')
    .map(({ name, address }) => name ?? address);
  return all.flatMap(({ contract, devices }) => {
    if (contract === null) return [];
    const patterns = devices.filter((pattern) => !seen.some((name) => matchesName([pattern], name)));
    const named = printers.filter((name) => contractOf(all, name) === contract && !seen.includes(name));
    return [...new Set([...patterns, ...named])].map((device) => ({ contract, device }));
  });
}

async function toOrder(
  archive: MeterArchive,
  sources: ReadonlyMap<number, Source>,
  now: WallTime,
): Promise<SupplyToOrder[]> {
  const deviceOf = new Map([...sources.values()].map(({ printer, device }) => [printer, device]));
  const found: SupplyToOrder[] = [];
  for (const { printer, supply, about, levels } of await archive.lowSupplies(LOOK_LEVEL, now - USE_DAYS * DAY)) {
    const level = levels.at(-1)?.level;
    if (level === undefined) continue;
    const left = daysLeft(levels, now);
    if (level > ORDER_LEVEL && (left === undefined || left.low > ORDER_DAYS)) continue;
    found.push({
      device: deviceOf.get(printer) ?? printer,
      printer,
      supply,
      description: about.description,
      level,
      ...(left && { left }),
    });
  }
  return found.toSorted((a, b) => (a.left?.days ?? a.level) - (b.left?.days ?? b.level));
}

async function replacedIn(archive: MeterArchive, { from, to }: Span): Promise<ReplacedSupply[]> {
  const entries = await archive.entries(['supply-replaced']);
  return entries
    .filter(({ at }) => at >= from && at < to)
    .map(({ at, body }) => ({ ...body, at, early: wasEarly(body.left) }));
}
