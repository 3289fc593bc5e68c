/** What happened, from the two books that keep it: the availability ledger, and the inventory with what discovery saw. */
import type { WallTime } from '#collectors/contract.ts';
import type { Entry } from '../availability/entries.ts';
import type { KeptEvent } from '../inventory/ledger.ts';

/** How far back a list was read: the smallest place in each book that it has shown. */
export interface EventCursor {
  readonly ledger: number;
  readonly inventory: number;
}

export const NEWEST: EventCursor = { ledger: Number.MAX_SAFE_INTEGER, inventory: Number.MAX_SAFE_INTEGER };

export type HappenedEvent =
  | { readonly source: 'availability'; readonly at: WallTime; readonly entry: Entry }
  | { readonly source: 'inventory'; readonly at: WallTime; readonly event: KeptEvent };

/** `812.40`, as it stands in a link. */
export function cursorText({ ledger, inventory }: EventCursor): string {
  return `${ledger}.${inventory}`;
}

export function cursorOf(text: string): EventCursor | undefined {
  const match = /^(\d{1,16})\.(\d{1,16})$/.exec(text);
  return match ? { ledger: Number(match[1]), inventory: Number(match[2]) } : undefined;
}

/**
 * The newest of both books, each newest first and kept in its own order: a clock that was set back turns no book round.
 * With the cursor from which the next part goes on. Pure.
 */
export function merged(
  entries: readonly Entry[],
  events: readonly KeptEvent[],
  from: EventCursor,
  limit: number,
): { readonly happened: readonly HappenedEvent[]; readonly next: EventCursor } {
  const happened: HappenedEvent[] = [];
  let next = from;
  let [ledger, inventory] = [0, 0];
  while (happened.length < limit) {
    const entry = entries[ledger];
    const event = events[inventory];
    if (entry && (!event || entry.recorded >= event.at)) {
      happened.push({ source: 'availability', at: entry.recorded, entry });
      next = { ...next, ledger: entry.seq };
      ledger += 1;
    } else if (event) {
      happened.push({ source: 'inventory', at: event.at, event });
      next = { ...next, inventory: event.seq };
      inventory += 1;
    } else break;
  }
  return { happened, next };
}

/** `10.0.0.5 → 10.0.0.9`, or what else it says, as a person reads it. */
export function detailText({ detail }: Pick<KeptEvent, 'detail'>): string {
  const { from, to, ...rest } = detail;
  const change = from !== undefined && to !== undefined ? [`${from} → ${to}`] : [];
  const others = from !== undefined && to === undefined ? { from, ...rest } : rest;
  return [
    ...change,
    ...Object.entries(others)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => `${name} ${value.replaceAll(' -> ', ' → ')}`),
  ].join(' · ');
}
