import type { Clock, Milliseconds, Observation } from '#collectors/contract.ts';
import type { Logger } from '../log.ts';
import { closeDue, rememberTerms } from '../meters/closing.ts';
import type { MeterLedger } from '../meters/ledger.ts';
import { Recorder, type RecorderOptions } from '../meters/recorder.ts';
import type { Terms } from '../meters/terms.ts';
import type { Sink } from './sink.ts';

export interface MeterSinkOptions extends Omit<RecorderOptions, 'terms'> {
  readonly ledger: MeterLedger;
  readonly clock: Clock;
  readonly log: Logger;
}

const LOOK_EVERY = 300_000 as Milliseconds;

/** Keeps the reads of print meters, and closes the periods that are over. */
export class MeterSink implements Sink {
  readonly name = 'meters';
  readonly #options: MeterSinkOptions;
  readonly #recorder: Recorder;
  readonly #stopping = new AbortController();
  #terms: readonly Terms[] = [];
  #closing: Promise<void> = Promise.resolve();

  constructor(options: MeterSinkOptions) {
    this.#options = options;
    this.#recorder = new Recorder({ ...options, terms: () => this.#terms });
  }

  /** Takes the contracts of the config as it is now. The first time, it begins to close periods. */
  apply(terms: readonly Terms[]): void {
    const first = this.#terms.length === 0;
    this.#terms = terms;
    this.#closing = this.#closing.then(() => this.#guarded(() => this.#remember(terms)));
    if (first) this.#closing = this.#closing.then(() => this.#closeForEver());
  }

  get terms(): readonly Terms[] {
    return this.#terms;
  }

  accept(observation: Observation): void {
    this.#recorder.accept(observation);
  }

  forget(device: string): void {
    this.#recorder.forget(device);
  }

  /** A person has entered or decided something. */
  refresh(): void {
    this.#recorder.refresh();
  }

  async flush(signal: AbortSignal): Promise<void> {
    await this.#recorder.flush(signal);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#closing;
  }

  async #remember(terms: readonly Terms[]): Promise<void> {
    const { ledger, clock } = this.#options;
    for (const each of terms) await rememberTerms(ledger, each, clock.wallNow());
  }

  async #closeForEver(): Promise<void> {
    const { ledger, clock, log } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#guarded(async () => {
        for (const { contract, to, printers } of await closeDue(ledger, this.#terms, clock.wallNow())) {
          log.info('a meter period is closed', { contract, to: new Date(to).toISOString(), printers });
        }
      });
      await clock.sleep(LOOK_EVERY, signal).catch(() => undefined);
    }
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.log.error('meter periods could not be closed; it is tried again in a few minutes', { error });
    }
  }
}
