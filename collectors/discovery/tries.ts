/**
 * When a wrong credential was last offered where. Devices lock users out, alarm or block an address that offers wrong
 * secrets: one failed try per address and five minutes is what siteward allows itself, whatever is scanned how often.
 */
import type { WallTime } from '../contract.ts';

export const PAUSE_AFTER_FAILURE = 300_000;
/** Definite refusals of one credential in one scan, after which it is not offered any more: it may be one account. */
export const MOST_REFUSALS_PER_SCAN = 10;
/** Addresses remembered; the ones that failed longest ago are forgotten first. */
const MOST_REMEMBERED = 70_000;
const REMEMBERED_FOR = 7 * 86_400_000;

interface Failure {
  readonly at: WallTime;
  /** Names of credentials that failed here since the last success. */
  readonly names: readonly string[];
}

/** As it is kept on disk between scans: `[address, at, names]`. */
export type KeptTries = readonly (readonly [string, number, readonly string[]])[];

export class Tries {
  readonly #failures = new Map<string, Failure>();

  constructor(kept: KeptTries = []) {
    for (const [address, at, names] of kept) this.#failures.set(address, { at: at as WallTime, names });
  }

  /** False while the last failed try is too near. A clock that was set back makes nobody wait for more than the pause. */
  mayOffer(address: string, now: WallTime): boolean {
    const failure = this.#failures.get(address);
    return failure === undefined || Math.abs(now - failure.at) >= PAUSE_AFTER_FAILURE;
  }

  failed(address: string, credential: string, now: WallTime): void {
    const names = this.#failures.get(address)?.names ?? [];
    this.#failures.delete(address);
    this.#failures.set(address, { at: now, names: [...names.filter((name) => name !== credential), credential] });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MOST_REMEMBERED && oldest !== undefined) this.#failures.delete(oldest);
  }

  succeeded(address: string): void {
    this.#failures.delete(address);
  }

  /** Those that have not failed here come first, then those that failed longest ago. */
  inOrder<C extends { readonly name: string }>(address: string, credentials: readonly C[]): readonly C[] {
    const names = this.#failures.get(address)?.names ?? [];
    return credentials.toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
  }

  kept(now: WallTime): KeptTries {
    return [...this.#failures]
      .filter(([, { at }]) => Math.abs(now - at) < REMEMBERED_FOR)
      .map(([address, { at, names }]) => [address, at, names] as const);
  }
}

/** SNMPv3 first, and otherwise as the range has them: what is asked under v3 gives no secret away. */
export function byStrength<C extends { readonly version: string }>(credentials: readonly C[]): readonly C[] {
  return credentials.toSorted((a, b) => Number(b.version === '3') - Number(a.version === '3'));
}
