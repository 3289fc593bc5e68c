import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock, Milliseconds, Monotonic } from '#collectors/contract.ts';

export interface Session {
  readonly user: string;
  /** What forms carry to show that this page made them. */
  readonly formToken: string;
}

interface Kept extends Session {
  readonly begun: Monotonic;
  used: Monotonic;
}

const IDLE = (12 * 3_600_000) as Milliseconds;
const LONGEST = (7 * 86_400_000) as Milliseconds;
/** Beyond this the one that was idle for longest ends. */
const MOST_SESSIONS = 500;

/** Who is signed in, in memory: a restart signs everybody out. Only digests of the cookies are kept. */
export class Sessions {
  readonly #clock: Clock;
  readonly #sessions = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns the value of the cookie */
  begin(user: string): string {
    const now = this.#clock.monotonicNow();
    for (const [key, session] of this.#sessions) if (!this.#alive(session, now)) this.#sessions.delete(key);
    const [oldest] = this.#sessions.size >= MOST_SESSIONS ? this.#sessions.keys() : [];
    if (oldest !== undefined) this.#sessions.delete(oldest);
    const cookie = randomBytes(32).toString('base64url');
    this.#sessions.set(digest(cookie), { user, formToken: formTokenOf(cookie), begun: now, used: now });
    return cookie;
  }

  find(cookie: string): Session | undefined {
    const key = digest(cookie);
    const session = this.#sessions.get(key);
    const now = this.#clock.monotonicNow();
    if (!session || !this.#alive(session, now)) return undefined;
    session.used = now;
    // The map is in the order of use, so that its first one is the one to end.
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    return session;
  }

  end(cookie: string): void {
    this.#sessions.delete(digest(cookie));
  }

  #alive({ begun, used }: Kept, now: Monotonic): boolean {
    return now - used < IDLE && now - begun < LONGEST;
  }
}

function digest(cookie: string): string {
  return createHash('sha256').update(cookie).digest('base64url');
}

/** Tells nothing of the cookie that it belongs to. */
export function formTokenOf(secret: string): string {
  return createHmac('sha256', secret).update('form').digest('base64url');
}

/** Compares in constant time, also texts of different length. */
export function sameText(a: string, b: string): boolean {
  const digests = [a, b].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(digests[0] as Buffer, digests[1] as Buffer);
}
