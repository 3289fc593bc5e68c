/** A contract as its bill is made: everything looked up that the config leaves to defaults. Plain data, sealed with each period. */
import type { Milliseconds, WallTime } from '#collectors/contract.ts';
import type { Config } from '#config/schema.ts';
import { dateAt, instantOf } from '../calendar.ts';
import { isMeter, type Meter } from './read.ts';

export interface Tier {
  /** Pages of the period, after included ones, from which the price holds. */
  readonly from: number;
  readonly price: string;
}

export interface MeterTerms {
  readonly meter: Meter;
  /** What it is called on the invoice, or its article number. */
  readonly as: string;
  /** A decimal. Absent: pages are reported and not priced. */
  readonly price?: string;
  readonly included: number;
  /** In order of `from`. */
  readonly tiers: readonly Tier[];
}

export interface Terms {
  /** Null: printers under no contract, by calendar months and without prices. */
  readonly contract: string | null;
  readonly timezone: string;
  readonly every: 'month' | 'quarter';
  readonly cut: { readonly day: number; readonly time: string };
  readonly tolerance: Milliseconds;
  readonly meters: readonly MeterTerms[];
  readonly largeFormat: 'once' | 'twice';
  /** How the printers' own counters take a large page, by their service setting. */
  readonly largeCounted: 'once' | 'twice';
  readonly pooled: boolean;
  readonly minimum?: string;
  readonly currency: string;
  /** Pages a minute. */
  readonly rated: number;
  readonly devices: readonly string[];
}

const NO_CONTRACT_TOLERANCE = 86_400_000 as Milliseconds;
const FASTEST = 120;

/** All contracts of the config, and last that of the printers which are under none. */
export function allTerms(config: Config): Terms[] {
  const contracts = Object.entries(config.contracts).map(([contract, settings]): Terms => {
    const meters = Object.entries(settings.meters).flatMap(([meter, about]): MeterTerms[] =>
      isMeter(meter) && about
        ? [
            {
              meter,
              as: about.as ?? meter,
              ...(about.price !== undefined && { price: String(about.price) }),
              included: about.included ?? 0,
              tiers: (about.tiers ?? [])
                .map(({ from, price }) => ({ from, price: String(price) }))
                .toSorted((a, b) => a.from - b.from),
            },
          ]
        : [],
    );
    return {
      contract,
      timezone: settings.timezone ?? config.site.timezone,
      every: settings.every,
      cut: settings.cut,
      tolerance: settings.tolerance as number as Milliseconds,
      meters,
      largeFormat: settings.large_format,
      largeCounted: settings.large_counted,
      pooled: settings.pooled,
      ...(settings.minimum !== undefined && { minimum: String(settings.minimum) }),
      currency: settings.currency,
      rated: settings.rated_pages_per_minute,
      devices: settings.devices,
    };
  });
  return [
    ...contracts,
    {
      contract: null,
      timezone: config.site.timezone,
      every: 'month',
      cut: { day: 1, time: '00:00' },
      tolerance: NO_CONTRACT_TOLERANCE,
      meters: [],
      largeFormat: 'once',
      largeCounted: 'once',
      pooled: false,
      currency: 'EUR',
      rated: FASTEST,
      devices: [],
    },
  ];
}

/** Made once for each list of patterns: a report asks for every printer. */
const expressions = new WeakMap<readonly string[], readonly RegExp[]>();

/** Whether a device's name is one of a contract's, where `*` stands for anything. */
export function matchesName(patterns: readonly string[], name: string): boolean {
  if (patterns.includes(name)) return true;
  let known = expressions.get(patterns);
  if (!known) {
    known = patterns.filter((pattern) => pattern.includes('*')).map(expressionOf);
    expressions.set(patterns, known);
  }
  return known.some((expression) => expression.test(name));
}

function expressionOf(pattern: string): RegExp {
  const text = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${text}$`);
}

/** The contract under which a device's pages are billed: the first that names it in full, else the first with a pattern for it. */
export function contractOf(terms: readonly Terms[], device: string): string | null {
  const named = terms.find(({ contract, devices }) => contract !== null && devices.includes(device));
  const found = named ?? terms.find(({ contract, devices }) => contract !== null && matchesName(devices, device));
  return found?.contract ?? null;
}

/** The last cut at or before `at`. */
export function cutBefore(terms: Terms, at: WallTime): WallTime {
  let month = cutMonth(terms, at);
  while (cutOf(terms, month) > at) month -= monthsOf(terms);
  return cutOf(terms, month);
}

/** The first cut after `at`. */
export function cutAfter(terms: Terms, at: WallTime): WallTime {
  let month = cutMonth(terms, at);
  while (cutOf(terms, month) <= at) month += monthsOf(terms);
  return cutOf(terms, month);
}

const monthsOf = ({ every }: Terms): number => (every === 'quarter' ? 3 : 1);

/** The month of `at`, counted from year 0. Quarters begin in January, April, July and October. */
function cutMonth(terms: Terms, at: WallTime): number {
  const [year = 0, month = 1] = dateAt(at, terms.timezone).split('-').map(Number);
  const count = year * 12 + month - 1;
  return count - (count % monthsOf(terms));
}

/** No cut is later than the 28th, so every month has one. */
function cutOf({ cut, timezone }: Terms, month: number): WallTime {
  const two = (number: number) => String(number).padStart(2, '0');
  const date = `${Math.floor(month / 12)}-${two((month % 12) + 1)}-${two(cut.day)}`;
  return instantOf(`${date}T${cut.time}`, timezone);
}
