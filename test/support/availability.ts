/** A ledger in a temporary folder, written by the real code with a clock that the test sets. */
import type { Clock, Milliseconds, Monotonic, WallTime } from '#collectors/contract.ts';
import { AvailabilityLedger } from '#daemon/availability/ledger.ts';
import { type Ledger, openLedger } from '#daemon/store/ledger.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import type { Store } from '#daemon/store/store.ts';
import { VERIFIERS } from '#daemon/verifiers.ts';
import { neverLate } from './never-late.ts';
import { recordingLogger } from './recording-logger.ts';

/** A clock that stands still until it is told to go on. */
export interface SetClock extends Clock {
  /** Sets the wall clock; the monotonic one goes along by the same amount, forward only. */
  set(wall: number): void;
  advance(milliseconds: number): void;
  /** Moves the wall clock alone, as a time service or a person does. */
  step(milliseconds: number): void;
}

export function setClock(start: number): SetClock {
  let wall = start;
  let mono = 1_000;
  return {
    wallNow: () => wall as WallTime,
    monotonicNow: () => mono as Monotonic,
    sleep: async (_duration: Milliseconds, signal?: AbortSignal) => {
      await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true }));
    },
    timeout: () => new AbortController().signal,
    deadline: neverLate,
    set: (next) => {
      mono += Math.max(0, next - wall);
      wall = next;
    },
    advance: (milliseconds) => {
      mono += milliseconds;
      wall += milliseconds;
    },
    step: (milliseconds) => {
      wall += milliseconds;
    },
  };
}

export interface OpenBook {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly availability: AvailabilityLedger;
  /** Waits until all is on disk. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Opens, or opens again, the ledger of a folder as a daemon would that starts now. */
export async function openBook(directory: string, clock: Clock): Promise<OpenBook> {
  const log = recordingLogger();
  const store = await openStore({ directory, log });
  const { ledger, restoration } = await openLedger({ store, directory, clock, log, verifiers: VERIFIERS });
  const availability = await AvailabilityLedger.open(
    { ledger, restoration, clock, log, version: 'test', onRestored: () => undefined },
    clock.wallNow(),
  );
  return {
    store,
    ledger,
    availability,
    flush: () => availability.flush(AbortSignal.timeout(20_000)),
    close: async () => {
      await ledger.close();
      await store.close();
    },
  };
}
