/** State strips: a row of bars, one per slot of time, as own SVG. Pure. */
import type { WallTime } from '#collectors/contract.ts';
import type { State } from '../availability/verdict.ts';
import { percentText, type Words } from './format.ts';
import { type Html, html } from './html.ts';

/** A stretch of one state, as the ledger has it. Stretches touch; the first one begins where the device was first watched. */
export interface StatePiece {
  readonly from: WallTime;
  readonly to: WallTime;
  readonly state: State;
  /** The rule that decided, in words. */
  readonly cause?: string;
}

/** How a bar looks. `brief`: down for less than a tenth of the slot. `none`: nothing is known. */
export type Bar = State | 'brief' | 'none';

const BRIEF = 0.1;

export interface StripSpan {
  readonly from: WallTime;
  readonly to: WallTime;
  readonly slots: number;
}

export interface Strip {
  readonly bars: readonly Bar[];
  /** Share of the known time in which the device was up; absent where nothing is known. */
  readonly up?: number;
}

/** What each slot looks like, and the share of the time that was up. */
export function stripOf(pieces: readonly StatePiece[], { from, to, slots }: StripSpan): Strip {
  const width = (to - from) / slots;
  const shares: Shares[] = Array.from({ length: slots }, () => ({
    up: 0,
    down: 0,
    unreachable: 0,
    maintenance: 0,
    unknown: 0,
  }));
  let up = 0;
  let known = 0;
  for (const piece of pieces) {
    const begin = Math.max(piece.from, from);
    const end = Math.min(piece.to, to);
    if (end <= begin) continue;
    if (piece.state === 'up') up += end - begin;
    if (piece.state === 'up' || piece.state === 'down' || piece.state === 'unreachable') known += end - begin;
    const last = Math.min(slots - 1, Math.floor((end - from - 1) / width));
    for (let slot = Math.floor((begin - from) / width); slot <= last; slot += 1) {
      const part = Math.min(end, from + (slot + 1) * width) - Math.max(begin, from + slot * width);
      const share = shares[slot];
      if (share) share[piece.state] += part / width;
    }
  }
  return { bars: shares.map(barOf), ...(known > 0 ? { up: up / known } : {}) };
}

/** Of a slot, by state. */
type Shares = Record<State, number>;

function barOf({ up, down, unreachable, maintenance, unknown }: Shares): Bar {
  if (down >= BRIEF) return 'down';
  if (down > 0) return 'brief';
  if (unreachable > 0) return 'unreachable';
  if (maintenance > 0) return 'maintenance';
  if (up === 0 && unknown === 0) return 'none';
  return up >= unknown ? 'up' : 'unknown';
}

const PITCH = 6;
const HEIGHT = 20;

/**
 * Bars of one look that stand side by side are one path whose dashes are the bars: two hundred devices would else be
 * twenty thousand elements.
 */
export function stripSvg({ bars, up }: Strip, what: string, words: Words): Html {
  const { messages } = words;
  const label = up === undefined ? messages.stripUnknown(what) : messages.strip(percentText(up, words, 2), what);
  const paths = new Map<Bar, string>();
  for (let start = 0; start < bars.length; ) {
    const bar = bars[start] ?? 'none';
    let end = start + 1;
    while (end < bars.length && bars[end] === bar) end += 1;
    paths.set(bar, `${paths.get(bar) ?? ''}M${start * PITCH} ${HEIGHT / 2}h${(end - start) * PITCH}`);
    start = end;
  }
  return html`<svg class="strip" viewBox="0 0 ${bars.length * PITCH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}">${[
    ...paths,
  ].map(([bar, path]) => html`<path class="bar-${bar}" d="${path}"/>`)}</svg>`;
}
