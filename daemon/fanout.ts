import type { Observation } from '#collectors/contract.ts';
import type { Logger } from './log.ts';
import type { Sink } from './sinks/sink.ts';

/** Hands every observation to every sink. A sink that throws loses that one observation and delays nobody. */
export class Fanout {
  readonly #sinks: readonly Sink[];
  readonly #log: Logger;

  constructor(sinks: readonly Sink[], log: Logger) {
    this.#sinks = sinks;
    this.#log = log;
  }

  publish(observation: Observation): void {
    for (const sink of this.#sinks) {
      try {
        sink.accept(observation);
      } catch (error) {
        this.#log.error('a sink could not take an observation', { sink: sink.name, device: observation.device, error });
      }
    }
  }

  forget(device: string): void {
    for (const sink of this.#sinks) sink.forget(device);
  }

  /** Resolves when every sink has flushed or `signal` has aborted. */
  async flush(signal: AbortSignal): Promise<void> {
    await Promise.all(
      this.#sinks.map(async (sink) => {
        try {
          await sink.flush(signal);
        } catch (error) {
          this.#log.error('a sink could not be flushed', { sink: sink.name, error });
        }
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#sinks.map((sink) => sink.close()));
  }
}
