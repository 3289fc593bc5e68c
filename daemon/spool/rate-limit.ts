import type { Clock, Milliseconds, Monotonic } from '#collectors/contract.ts';

/** Spreads bytes over time, for a thin line. What is let through early is waited for by the next. */
export class RateLimit {
  readonly #bytesPerSecond: number;
  readonly #clock: Clock;
  #freeAt: Monotonic;

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
    this.#freeAt = clock.monotonicNow();
  }

  /** Resolves when `bytes` may be sent; rejects with the signal's reason. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonicNow();
    const wait = this.#freeAt - now;
    this.#freeAt = (Math.max(now, this.#freeAt) + (bytes / this.#bytesPerSecond) * 1000) as Monotonic;
    if (wait > 0) await this.#clock.sleep(wait as Milliseconds, signal);
  }
}
