/** Everything that ever happened to counters, for those who decide about it. */
import type { MeterArchive } from './archive.ts';
import { MeterBooks } from './books.ts';
import type { MeterEvent } from './segments.ts';
import { contractOf, type Terms } from './terms.ts';

/** In order of time; of one device where it is named. */
export async function meterEvents(
  archive: MeterArchive,
  all: readonly Terms[],
  device?: string,
): Promise<MeterEvent[]> {
  const books = new MeterBooks(archive, all);
  const deviceOf = new Map<string, string>();
  for (const source of (await archive.sources()).values()) {
    if (device === undefined || source.device === device) deviceOf.set(source.printer, source.device);
  }
  const found: MeterEvent[] = [];
  for (const [printer, name] of deviceOf) {
    const contract = contractOf(all, name);
    const terms = all.find((each) => each.contract === contract);
    if (terms) found.push(...(await books.wholeHistory(terms, printer)));
  }
  return found.toSorted((a, b) => a.at - b.at);
}
