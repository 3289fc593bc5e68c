import type { Clock } from '#collectors/contract.ts';

/** For clocks that stand still: no deadline is ever over. */
export const neverLate: Clock['deadline'] = (_duration, outer) => ({ signal: outer, release: () => {} });
