/** Passwords as scrypt hashes (RFC 7914). */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

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

/** Checks passwords one after the other, so that a flood of them never takes more than one thread of the pool. */
export class PasswordChecker {
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /**
   * Whether the password fits the hash. Takes the same time whether there is a hash or not.
   * @throws TooManyLogins
   */
  async fits(password: string, hash: string | undefined): Promise<boolean> {
    if (this.#waiting >= MOST_WAITING) throw new TooManyLogins();
    this.#waiting += 1;
    const checked = this.#turn.then(() => check(password, hash));
    this.#turn = checked.catch(() => undefined);
    try {
      return await checked;
    } finally {
      this.#waiting -= 1;
    }
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
