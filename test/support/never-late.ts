import type { Clock } from '#collectors/contract.ts';

/** For clocks that stand still: no deadline is ever over by itself. */
export const neverLate: Clock['deadline'] = () => {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason) => controller.abort(reason), release: () => {} };
};
