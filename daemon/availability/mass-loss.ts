import type { WallTime } from '#collectors/contract.ts';
import type { Standing } from './verdict.ts';

/** Fewer devices than this may well fail together. */
const LEAST_DEVICES = 5;
const LEAST_SHARE = 0.8;

/** A device as this rule sees it. Those behind a silent parent are left out by the caller: the parent explains them. */
export interface MassCandidate {
  readonly standing: Standing;
  /** When it was last asked with an outcome, answered or silent. */
  readonly lastTold: WallTime | undefined;
}

/**
 * Whether nearly all devices that were up, or of which nothing is known yet, fell silent within `interval`. Then the fault is likelier near the appliance
 * (its switch port, its power strip, its own load) than in all of them at once, and none may be called down.
 */
export function isMassLoss(candidates: Iterable<MassCandidate>, interval: number): boolean {
  const open = [...candidates].filter(({ standing }) => standing.state === 'up' || standing.state === 'unknown');
  const starts = open
    .flatMap(({ standing: { silentRounds, firstSilent } }) =>
      silentRounds > 0 && firstSilent !== undefined ? [firstSilent] : [],
    )
    .sort((a, b) => a - b);
  if (starts.length < LEAST_DEVICES) return false;
  const { first, count } = densest(starts, interval);
  // Devices that were not asked since say nothing for or against it.
  const asked = open.filter(({ lastTold }) => lastTold !== undefined && lastTold >= first).length;
  return count >= LEAST_DEVICES && count >= LEAST_SHARE * asked;
}

/** The largest number of times within `interval` of each other, and the first of them. */
function densest(sorted: readonly WallTime[], interval: number): { first: WallTime; count: number } {
  let best = { first: sorted[0] ?? (0 as WallTime), count: 0 };
  let end = 0;
  for (const [begin, first] of sorted.entries()) {
    while (end < sorted.length && (sorted[end] ?? 0) - first <= interval) end += 1;
    if (end - begin > best.count) best = { first, count: end - begin };
  }
  return best;
}
