import type { Clock, Milliseconds, Monotonic } from '#collectors/contract.ts';

/** What may go out at once after a pause, as a share of a second's worth. */
const BURST_SECONDS = 0.1;

/** Caps how often something happens, in order of asking. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #waiting: (() => boolean)[] = [];
  #rate: number;
  #tokens: number;
  #filledAt: Monotonic;
  #draining = false;

  /** @param rate per second, above 0 */
  constructor(clock: Clock, rate: number) {
    this.#clock = clock;
    this.#rate = rate;
    this.#tokens = this.#burst;
    this.#filledAt = clock.monotonicNow();
  }

  get #burst(): number {
    return Math.max(1, this.#rate * BURST_SECONDS);
  }

  set rate(rate: number) {
    this.#fill();
    this.#rate = rate;
    this.#tokens = Math.min(this.#tokens, this.#burst);
  }

  /** Takes a token when there is one and nobody waits for it. */
  take(): boolean {
    return !this.#draining && this.#takeOne();
  }

  /** Calls `use` when its turn has come. Where it gives false the token goes to the next. */
  wait(use: () => boolean): void {
    this.#waiting.push(use);
    if (!this.#draining) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      while (!this.#takeOne())
        await this.#clock.sleep(Math.ceil(((1 - this.#tokens) * 1000) / this.#rate) as Milliseconds);
      if (!next()) this.#tokens += 1;
    }
    this.#draining = false;
  }

  #takeOne(): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #fill(): void {
    const now = this.#clock.monotonicNow();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) * this.#rate) / 1000);
    this.#filledAt = now;
  }
}
