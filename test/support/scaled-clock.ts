import type { Clock, Milliseconds, Monotonic, WallTime } from '#collectors/contract.ts';
import { systemClock } from '#daemon/clock.ts';

/** A clock that runs `factor` times as fast as the real one, for code that talks to real sockets and waits in between. */
export function scaledClock(factor: number, wallStart = Date.now()): Clock {
  const start = performance.now();
  const passed = (): number => (performance.now() - start) * factor;
  const real = (duration: Milliseconds): Milliseconds => (duration / factor) as Milliseconds;
  return {
    wallNow: () => (wallStart + passed()) as WallTime,
    monotonicNow: () => passed() as Monotonic,
    sleep: (duration, signal) => systemClock.sleep(real(duration), signal),
    timeout: (duration) => systemClock.timeout(real(duration)),
    deadline: (duration) => systemClock.deadline(real(duration)),
  };
}
