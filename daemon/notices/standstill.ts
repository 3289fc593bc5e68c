import type { Clock, Monotonic, WallTime } from '#collectors/contract.ts';
import type { Interruption } from '../availability/entries.ts';
import { hms } from '../availability/sla-document.ts';
import type { Condition } from './incident.ts';

/** A shorter one is a busy machine, and no reason to wake anybody. */
const LONG = 60_000;
/** Long enough to be told as something that lasts, short enough to be over in the same breath. */
const SHOWN = 60_000;

/** Tells that siteward itself stood still for some time: what happened to the site meanwhile, nobody knows. */
export class Standstill {
  readonly #clock: Pick<Clock, 'monotonicNow'>;
  #last: { readonly from: WallTime; readonly to: WallTime; readonly heard: Monotonic } | undefined;

  constructor(clock: Pick<Clock, 'monotonicNow'>) {
    this.#clock = clock;
  }

  interrupted(why: Interruption, from: WallTime, to: WallTime): void {
    if (why === 'stalled' && to - from >= LONG) this.#last = { from, to, heard: this.#clock.monotonicNow() };
  }

  conditions(): Condition[] {
    if (!this.#last || this.#clock.monotonicNow() - this.#last.heard > SHOWN) return [];
    const { from, to } = this.#last;
    return [
      {
        key: 'siteward:stood-still',
        kind: 'siteward',
        severity: 'critical',
        title: `siteward stood still for ${hms(Math.round((to - from) / 1000) * 1000)}`,
        lines: ['it runs again; the time is unknown for all devices, and whatever went down in it was not told'],
        since: from,
      },
    ];
  }
}
