import { setTimeout as wait } from 'node:timers/promises';
import type { Clock, Milliseconds, Monotonic, WallTime } from '#collectors/contract.ts';

/** The clocks of this machine. */
export const systemClock: Clock = {
  wallNow: () => Date.now() as WallTime,
  monotonicNow: () => performance.now() as Monotonic,
  sleep: async (duration, signal) => {
    await wait(Math.max(0, duration), undefined, signal ? { signal } : {});
  },
  timeout: (duration) => AbortSignal.timeout(Math.max(0, Math.round(duration))),
  deadline: (duration) => {
    const controller = new AbortController();
    const late = () => controller.abort(new DOMException('The deadline is over', 'TimeoutError'));
    const timer = setTimeout(late, Math.max(0, duration));
    timer.unref();
    return {
      signal: controller.signal,
      abort: (reason) => controller.abort(reason),
      release: () => clearTimeout(timer),
    };
  },
};

export const seconds = (n: number): Milliseconds => (n * 1000) as Milliseconds;
export const minutes = (n: number): Milliseconds => (n * 60_000) as Milliseconds;

/** Time that passed since `start`. */
export function since(start: Monotonic, clock: Clock): Milliseconds {
  return (clock.monotonicNow() - start) as Milliseconds;
}
