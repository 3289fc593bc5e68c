/** Amounts of money as decimals. The only file that knows `big.js`. Amounts come and go as text, rounded to the cent. */
import Big from 'big.js';
import type { Meter } from './read.ts';
import type { MeterTerms, Terms } from './terms.ts';

const CENTS = 2;

/** Half a cent goes up, as invoices do. */
const toCents = (amount: Big): Big => amount.round(CENTS, Big.roundHalfUp);
const text = (amount: Big): string => amount.toFixed(CENTS);

export function addAmounts(amounts: readonly string[]): string {
  return text(amounts.reduce((sum, amount) => sum.plus(amount), new Big(0)));
}

export function subtractAmounts(from: string, amount: string): string {
  return text(new Big(from).minus(amount));
}

export const isZeroAmount = (amount: string): boolean => new Big(amount).eq(0);

/** Pages of one printer in one period, by meter. */
export interface Usage {
  readonly printer: string;
  readonly device: string;
  readonly pages: Readonly<Partial<Record<Meter, number>>>;
}

export interface PriceStep {
  readonly pages: number;
  readonly price: string;
}

/** One line of an invoice. */
export interface Charge {
  readonly meter: Meter;
  readonly as: string;
  /** Null where the pages of all printers are billed together. */
  readonly printer: string | null;
  readonly device: string | null;
  readonly pages: number;
  readonly included: number;
  readonly steps: readonly PriceStep[];
  /** Null where the contract has no price for it. */
  readonly amount: string | null;
}

export interface Bill {
  readonly charges: readonly Charge[];
  /** What is added to reach the contract's least amount. */
  readonly minimum: string;
  /** Null where the contract has no prices. */
  readonly total: string | null;
}

/**
 * The bill of one period. Pooled: included pages and tiers are those of all printers together; else each printer has its
 * own.
 */
export function rate(terms: Terms, usages: readonly Usage[]): Bill {
  const charges = terms.meters.flatMap((about): Charge[] => {
    const used = usages.filter(({ pages }) => pages[about.meter] !== undefined);
    if (!terms.pooled) return used.map((usage) => charge(about, billedPages(terms, about.meter, usage), usage));
    const pages = used.reduce((sum, usage) => sum + billedPages(terms, about.meter, usage), 0);
    return used.length > 0 ? [charge(about, pages, undefined)] : [];
  });
  const amounts = charges.flatMap(({ amount }) => amount ?? []);
  const priced = terms.minimum !== undefined || terms.meters.some(hasPrice);
  if (!priced) return { charges, minimum: text(new Big(0)), total: null };
  const sum = new Big(addAmounts(amounts));
  const least = toCents(new Big(terms.minimum ?? '0'));
  const minimum = sum.lt(least) ? least.minus(sum) : new Big(0);
  return { charges, minimum: text(minimum), total: text(sum.plus(minimum)) };
}

const hasPrice = ({ price, tiers }: MeterTerms): boolean => price !== undefined || tiers.length > 0;

const LARGE_OF: Readonly<Partial<Record<Meter, Meter>>> = { total: 'large', mono: 'large_mono', color: 'large_color' };

/** Large pages a second time, or no second time, where the contract and the printer's own counter differ. */
export function billedPages(
  terms: Pick<Terms, 'largeFormat' | 'largeCounted'>,
  meter: Meter,
  { pages }: Usage,
): number {
  const counted = pages[meter] ?? 0;
  const largeMeter = LARGE_OF[meter];
  const large = largeMeter ? (pages[largeMeter] ?? 0) : 0;
  if (terms.largeFormat === terms.largeCounted) return counted;
  return terms.largeFormat === 'twice' ? counted + large : Math.max(0, counted - large);
}

function charge(about: MeterTerms, pages: number, usage: Usage | undefined): Charge {
  const included = Math.min(pages, about.included);
  const line = {
    meter: about.meter,
    as: about.as,
    printer: usage?.printer ?? null,
    device: usage?.device ?? null,
    pages,
    included,
  };
  if (!hasPrice(about)) return { ...line, steps: [], amount: null };
  const steps = priceSteps(about, pages - included);
  const amount = steps.reduce((sum, step) => sum.plus(new Big(step.price).times(step.pages)), new Big(0));
  return { ...line, steps, amount: text(toCents(amount)) };
}

/** How `pages` fall into the tiers: each page has the price of the tier that it is in. */
function priceSteps({ price, tiers }: MeterTerms, pages: number): PriceStep[] {
  const all = (tiers[0]?.from ?? 1) > 0 ? [{ from: 0, price: price ?? '0' }, ...tiers] : tiers;
  return all.flatMap((tier, index): PriceStep[] => {
    const until = all[index + 1]?.from ?? Number.POSITIVE_INFINITY;
    const inTier = Math.min(pages, until) - tier.from;
    return inTier > 0 ? [{ pages: inTier, price: tier.price }] : [];
  });
}
