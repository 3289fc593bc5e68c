import type { WallTime } from '#collectors/contract.ts';
import type { Row, SqlValue, Statement } from '../store/store.ts';
import { STATES, type State } from './verdict.ts';
import { FIRST_PLAUSIBLE } from './vigil.ts';

/** Milliseconds spent in each state. */
export type StateSums = Readonly<Record<State, number>>;

interface Account {
  readonly sums: Record<State, number>;
  /** Up to when time is attributed. */
  horizon: WallTime;
  state: State;
}

/** A clock that was this far ahead was wrong: waiting until it is passed again would stop the counters for long. */
const LONGEST_WAIT = 86_400_000;

const SAVE = `INSERT INTO availability_sums (device, ${STATES.join(', ')}, horizon, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (device) DO UPDATE SET ${[...STATES, 'horizon', 'state'].map((name) => `${name} = excluded.${name}`).join(', ')}`;

/**
 * Cumulative time per device and state, for counters that only grow: each stretch of time is attributed once, to the
 * state in which the device was then as far as is settled. Time in which a silence is not judged yet waits.
 */
export class Sums {
  readonly #accounts = new Map<string, Account>();
  readonly #changed = new Set<string>();

  /** Takes what was saved, with time up to `lived` in the state of then and from there to `now` as unknown. */
  load(rows: readonly Row[], lived: WallTime, now: WallTime): void {
    for (const row of rows) {
      const device = String(row['device']);
      const sums = Object.fromEntries(STATES.map((state) => [state, Number(row[state])])) as Record<State, number>;
      this.#accounts.set(device, { sums, horizon: Number(row['horizon']) as WallTime, state: row['state'] as State });
      this.enter(device, lived, 'unknown');
      this.settle(device, now);
    }
  }

  /** Begins a device's account, or goes on with it after a time in which it was not watched. */
  open(device: string, at: WallTime): void {
    const account = this.#accounts.get(device);
    if (account) account.horizon = Math.max(account.horizon, at) as WallTime;
    else this.#accounts.set(device, { sums: emptySums(), horizon: at, state: 'unknown' });
    this.#changed.add(device);
  }

  /** The device entered a state at `at`, which may lie before now but not before what is attributed already. */
  enter(device: string, at: WallTime, state: State): void {
    this.settle(device, at);
    const account = this.#accounts.get(device);
    if (!account || account.state === state) return;
    account.state = state;
    this.#changed.add(device);
  }

  /** Attributes the time up to `until` to the present state. */
  settle(device: string, until: WallTime): void {
    const account = this.#accounts.get(device);
    // A clock that was never set says nothing about time that passed.
    if (!account || until < FIRST_PLAUSIBLE) return;
    if (account.horizon - until > LONGEST_WAIT) account.horizon = until;
    if (until <= account.horizon) return;
    account.sums[account.state] += until - account.horizon;
    account.horizon = until;
  }

  of(device: string): StateSums | undefined {
    return this.#accounts.get(device)?.sums;
  }

  /** What was given out to be written did not reach the disk. */
  saveAgain(): void {
    for (const device of this.#accounts.keys()) this.#changed.add(device);
  }

  /** What is to be written since the last call. */
  save(): Statement[] {
    if (this.#changed.size === 0) return [];
    const rows = [...this.#changed].flatMap((device): SqlValue[][] => {
      const account = this.#accounts.get(device);
      return account ? [[device, ...STATES.map((state) => account.sums[state]), account.horizon, account.state]] : [];
    });
    this.#changed.clear();
    return [{ sql: SAVE, rows }];
  }
}

function emptySums(): Record<State, number> {
  return { up: 0, down: 0, unreachable: 0, maintenance: 0, unknown: 0 };
}
