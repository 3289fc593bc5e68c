import type { WallTime } from '#collectors/contract.ts';
import type { State } from '../availability/verdict.ts';
import type { Span } from '../calendar.ts';
import type { StatePiece } from './strip.ts';

const MOST_PIECES = 500;

/** The states since the start, for a daemon without a ledger. */
export class RecentStates {
  readonly #devices = new Map<string, { from: WallTime; state: State; cause: string }[]>();

  entered(device: string, state: State, from: WallTime, cause: string): void {
    const list = this.#devices.get(device) ?? [];
    while ((list.at(-1)?.from ?? Number.NEGATIVE_INFINITY) >= from) list.pop();
    list.push({ from, state, cause });
    if (list.length > MOST_PIECES) list.shift();
    this.#devices.set(device, list);
  }

  timelines({ to }: Span): ReadonlyMap<string, readonly StatePiece[]> {
    return new Map(
      [...this.#devices].map(([device, list]) => [
        device,
        list.map(({ from, state, cause }, index) => ({ from, to: list[index + 1]?.from ?? to, state, cause })),
      ]),
    );
  }
}
