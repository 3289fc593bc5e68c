/** Passwords as scrypt hashes (RFC 7914). */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Clock, Milliseconds } from '#collectors/contract.ts';
import { systemClock } from '../../clock.ts';

/** 16 MiB and about a tenth of a second each on a small box. A hash carries its own, so that these may be raised. */
const COST = { N: 16_384, r: 8, p: 5 } as const;
const KEY_BYTES = 32;
const LONGEST_PASSWORD = 1024;
/** Hashes that wait for their turn. A flood of logins is turned away beyond this, and costs one thread at most. */
const MOST_WAITING = 32;

const derive = promisify<string, Uint8Array, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
  scrypt,
);

/** What stands in the config for a password: `scrypt:16384:8:5:SALT:KEY`, in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password.normalize('NFKC'), salt, KEY_BYTES, { ...COST, maxmem: 64_000_000 });
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join(':');
}

interface ParsedHash {
  readonly N: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly key: Buffer;
}

function parseHash(text: string): ParsedHash | undefined {
  const match = /^scrypt:(\d{4,7}):(\d{1,2}):(\d{1,2}):([\w-]{16,}):([\w-]{40,})$/.exec(text);
  if (!match) return undefined;
  const [, N, r, p, salt = '', key = ''] = match;
  return {
    N: Number(N),
    r: Number(r),
    p: Number(p),
    salt: Buffer.from(salt, 'base64url'),
    key: Buffer.from(key, 'base64url'),
  };
}

/** Compared with when there is no such user: an unknown name takes as long as a wrong password. */
const NOBODY: ParsedHash = { ...COST, salt: randomBytes(16), key: randomBytes(KEY_BYTES) };

/** Thrown when so many passwords wait to be checked that one more would only make all of them wait longer. */
export class TooManyLogins extends Error {}

interface Waiting {
  readonly source: string;
  readonly check: () => Promise<boolean>;
  readonly settle: (fits: boolean | undefined) => void;
}

/** Ranks before all who were never right. */
const KNOWN = -1;
/** Of a source that was never wrong, and of which nobody else waits. */
const FIRST_TRY = 1;
/** After a wrong password guesses wait so many times as long as it took: they take a quarter of a core, and polls the rest. */
const REST = 3;
const MOST_SOURCES = 10_000;

/**
 * Checks passwords one after the other, so that a flood of them never takes more than one thread of the pool. Whose source
 * was wrong least often comes first, before all a source from which somebody signed in: who guesses waits for who knows.
 */
export class PasswordChecker {
  readonly #waiting: Waiting[] = [];
  /** How often a source was wrong since it was last right. */
  readonly #wrong = new Map<string, number>();
  readonly #clock: Clock;
  #busy = false;
  /** Until when no more guesses are looked at. */
  #restsUntil = 0;
  #disturb = new AbortController();

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /**
   * Whether the password fits the hash. Takes the same time whether there is a hash or not.
   * @throws TooManyLogins
   */
  async fits(password: string, hash: string | undefined, source = ''): Promise<boolean> {
    if (this.#waiting.length >= MOST_WAITING) this.#makeRoom(source);
    const fits = await new Promise<boolean | undefined>((settle) => {
      this.#waiting.push({ source, check: () => check(password, hash), settle });
      this.#disturb.abort();
      void this.#work();
    });
    if (fits === undefined) throw new TooManyLogins();
    return fits;
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const ranks = this.#waiting.map(({ source }) => this.#rank(source));
      const best = Math.min(...ranks);
      if (best > FIRST_TRY && (await this.#rested())) continue;
      const [next] = this.#waiting.splice(ranks.indexOf(best), 1);
      if (!next) break;
      const began = this.#clock.monotonicNow();
      const fits = await next.check().catch(() => false);
      const ended = this.#clock.monotonicNow();
      if (!fits) this.#restsUntil = ended + REST * (ended - began);
      this.#note(next.source, fits);
      next.settle(fits);
    }
    this.#busy = false;
  }

  /** Waits until guesses are looked at again, or somebody comes. False when that time has come already. */
  async #rested(): Promise<boolean> {
    const rest = this.#restsUntil - this.#clock.monotonicNow();
    if (rest <= 0) return false;
    this.#disturb = new AbortController();
    await this.#clock.sleep(rest as Milliseconds, this.#disturb.signal).catch(() => undefined);
    return true;
  }

  #makeRoom(source: string): void {
    const ranks = this.#waiting.map((each) => this.#rank(each.source));
    const worst = Math.max(...ranks);
    if (this.#rank(source) >= worst) throw new TooManyLogins();
    this.#waiting.splice(ranks.lastIndexOf(worst), 1)[0]?.settle(undefined);
  }

  /** Those of one source that wait count as wrong: a flood that nobody has answered yet is one already. */
  #rank(source: string): number {
    const wrong = this.#wrong.get(source) ?? 0;
    return wrong === KNOWN ? KNOWN : wrong + this.#waiting.filter((each) => each.source === source).length;
  }

  #note(source: string, fits: boolean): void {
    const before = Math.max(0, this.#wrong.get(source) ?? 0);
    this.#wrong.delete(source);
    this.#wrong.set(source, fits ? KNOWN : before + 1);
    const [oldest] = this.#wrong.keys();
    if (this.#wrong.size > MOST_SOURCES && oldest !== undefined) this.#wrong.delete(oldest);
  }
}

async function check(password: string, hash: string | undefined): Promise<boolean> {
  const known = hash === undefined ? undefined : parseHash(hash);
  const { N, r, p, salt, key } = known ?? NOBODY;
  const derived = await derive(password.slice(0, LONGEST_PASSWORD).normalize('NFKC'), salt, key.length, {
    N,
    r,
    p,
    maxmem: 256 * N * r,
  });
  return timingSafeEqual(derived, key) && known !== undefined;
}
