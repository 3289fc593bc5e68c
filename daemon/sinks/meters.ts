import type { Clock, Milliseconds, Observation, WallTime } from '#collectors/contract.ts';
import type { Logger } from '../log.ts';
import { closeDue, rememberTerms } from '../meters/closing.ts';
import type { MeterLedger } from '../meters/ledger.ts';
import { Recorder, type RecorderOptions } from '../meters/recorder.ts';
import { LEVEL_DAYS } from '../meters/supplies.ts';
import type { Terms } from '../meters/terms.ts';
import type { Sink } from './sink.ts';

export interface MeterSinkOptions extends Omit<RecorderOptions, 'terms'> {
  readonly ledger: MeterLedger;
  readonly clock: Clock;
  readonly log: Logger;
}

const LOOK_EVERY = 300_000 as Milliseconds;
const DAY = 86_400_000;

/** Keeps the reads of print meters, and closes the periods that are over. */
export class MeterSink implements Sink {
  readonly name = 'meters';
  readonly #options: MeterSinkOptions;
  readonly #recorder: Recorder;
  readonly #stopping = new AbortController();
  #terms: readonly Terms[] = [];
  #closing: Promise<void> = Promise.resolve();
  #levelDays = LEVEL_DAYS;
  #forgotAt = Number.NEGATIVE_INFINITY;

  constructor(options: MeterSinkOptions) {
    this.#options = options;
    this.#recorder = new Recorder({ ...options, terms: () => this.#terms });
  }

  /**
   * Takes the contracts of the config as it is now. The first time, it begins to close periods.
   * @param levelDays how long levels of supplies are kept
   */
  apply(terms: readonly Terms[], levelDays: number): void {
    this.#levelDays = levelDays;
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
      await this.#guarded(() => this.#forgetLevels());
      await clock.sleep(LOOK_EVERY, signal).catch(() => undefined);
    }
  }

  /** Once a day. */
  async #forgetLevels(): Promise<void> {
    const { ledger, clock } = this.#options;
    const now = clock.wallNow();
    if (now - this.#forgotAt < DAY && now >= this.#forgotAt) return;
    const before = (days: number) => (now - days * DAY) as WallTime;
    await ledger.forgetSupplyLevels(before(LEVEL_DAYS), before(Math.max(this.#levelDays, LEVEL_DAYS)));
    this.#forgotAt = now;
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.log.error('meter periods could not be closed; it is tried again in a few minutes', { error });
    }
  }
}
