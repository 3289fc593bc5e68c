/** Looking again and again, for what tells nobody when it is so: a page, a file, a server that is coming up. */
import { setTimeout } from 'node:timers/promises';

export interface Looks {
  /** Milliseconds until it is given up. */
  readonly patience: number;
  /** Milliseconds between two looks. */
  readonly every?: number;
  /** Said behind what did not come. */
  readonly tail?: () => string;
}

/**
 * The first answer that is neither undefined nor false.
 * @throws what `look` throws, and when the patience is over
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { patience, every = 100, tail = () => '' }: Looks,
): Promise<T> {
  for (const end = performance.now() + patience; ; await setTimeout(every)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`${what} did not come in ${patience / 1000} s${tail()}`);
  }
}
