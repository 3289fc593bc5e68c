/** Closes the periods that are over. What is learnt later becomes a correction in the next, never an edit. */
import type { WallTime } from '#collectors/contract.ts';
import { MeterBooks, type Period, type PeriodResult, rowsOf } from './books.ts';
import type { MeterLedger } from './ledger.ts';
import type { Terms } from './terms.ts';

/** Reads that were under way at the cut are on disk by then. */
const GRACE = 600_000;

export interface ClosedPeriod extends Period {
  readonly contract: string | null;
  readonly printers: number;
}

/**
 * Closes every period that has ended and about which no better is to come: each printer was read near the cut, or the
 * contract's tolerance is over. Periods of one contract are closed in their order.
 */
export async function closeDue(ledger: MeterLedger, terms: readonly Terms[], now: WallTime): Promise<ClosedPeriod[]> {
  const books = new MeterBooks(ledger, terms);
  const closed: ClosedPeriod[] = [];
  const waiting = new Set<string | null>();
  for (;;) {
    const due = (await books.due((now - GRACE) as WallTime)).find((each) => !waiting.has(each.terms.contract));
    if (!due) return closed;
    const { contract, tolerance } = due.terms;
    // Of all contracts: which printer is under none hangs on every other.
    for (const each of terms) await rememberTerms(ledger, each, now);
    const result = await books.standing(due.terms, due.period, now);
    if (now < due.period.to + tolerance + GRACE && mayBeBetterKnown(result)) {
      waiting.add(contract);
      continue;
    }
    await ledger.close({ contract, ...due.period }, rowsOf(result), now);
    closed.push({ contract, ...due.period, printers: result.printers.length });
  }
}

function mayBeBetterKnown({ printers }: PeriodResult): boolean {
  return printers.some(({ checkpoint }) => checkpoint === undefined);
}

/** What is billed as what: an entry each time that it is another. */
export async function rememberTerms(ledger: MeterLedger, terms: Terms, at: WallTime): Promise<void> {
  const known = (await ledger.entries(['terms'])).findLast(({ body }) => body.contract === terms.contract);
  if (known && JSON.stringify(known.body) === JSON.stringify(terms)) return;
  await ledger.enter('terms', terms, at);
}
