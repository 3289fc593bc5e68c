import type { Observation } from '#collectors/contract.ts';

/** Takes observations. `accept` returns at once: each sink has its own bounded queue, so that none delays another. */
export interface Sink {
  readonly name: string;
  accept(observation: Observation): void;
  /** A device is watched no longer. */
  forget(device: string): void;
  /** Resolves when everything accepted so far is where it is safe, or rejects with the signal's reason. */
  flush(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
