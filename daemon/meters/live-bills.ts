/** What each printer's counters are billed as right now, for the metrics: the same folding as on the bill, read by read. */
import { MeterBooks } from './books.ts';
import type { MeterLedger } from './ledger.ts';
import { type Meter, type Read, type Source, slotPlaces } from './read.ts';
import { Counter } from './segments.ts';
import { contractOf, type Terms } from './terms.ts';

export class LiveBills {
  readonly #ledger: MeterLedger;
  readonly #terms: () => readonly Terms[];
  readonly #printers = new Map<string, Map<Meter, Counter>>();
  #seeding: Promise<unknown> = Promise.resolve();
  #books: { readonly terms: readonly Terms[]; readonly books: MeterBooks } | undefined;

  constructor(ledger: MeterLedger, terms: () => readonly Terms[]) {
    this.#ledger = ledger;
    this.#terms = terms;
  }

  /** Takes a read that was just written. The first one of a printer brings what the ledger knows of it. */
  async take(device: string, source: Source, read: Read): Promise<void> {
    const { printer } = source;
    // Most printers of a new site are read for the first time: there is nothing to look up.
    if (read.number === 1 && this.#ledger.isNew(printer)) this.#printers.set(printer, new Map());
    const known = this.#printers.get(printer);
    if (!known) {
      // One after another: a thousand printers that are seeded at once would hold all their reads in memory.
      const seeding = this.#seeding.then(() => this.#seed(device, printer));
      this.#seeding = seeding.catch(() => undefined);
      this.#printers.set(printer, await seeding);
      return;
    }
    const rated = this.#termsOf(device)?.rated ?? 120;
    const places = slotPlaces(source);
    for (const { meter, oid, unit } of source.meters) {
      const pages = read.slots[places.get(meter) ?? -1];
      if (pages === undefined) continue;
      let counter = known.get(meter);
      if (!counter) {
        counter = new Counter({ meter, rated, decision: () => undefined });
        known.set(meter, counter);
      }
      counter.take({ pages, at: read.at, ref: { device, number: read.number }, oid, unit });
      counter.trim();
    }
  }

  *of(printer: string | undefined): Generator<readonly [Meter, number]> {
    for (const [meter, { state }] of this.#printers.get(printer ?? '') ?? []) {
      if (state) yield [meter, state.cumulative];
    }
  }

  forget(): void {
    this.#printers.clear();
  }

  #termsOf(device: string): Terms | undefined {
    const all = this.#terms();
    const contract = contractOf(all, device);
    return all.find((terms) => terms.contract === contract);
  }

  async #seed(device: string, printer: string): Promise<Map<Meter, Counter>> {
    const terms = this.#termsOf(device);
    if (!terms) return new Map();
    const all = this.#terms();
    if (this.#books?.terms !== all) this.#books = { terms: all, books: new MeterBooks(this.#ledger, all) };
    const counters = await this.#books.books.counters(terms, printer);
    for (const counter of counters.values()) counter.trim();
    return new Map(counters);
  }
}
