import type { Observation } from '#collectors/contract.ts';
import type { History } from '../history/history.ts';
import { isKept } from '../history/kept.ts';
import type { Sink } from './sink.ts';

/** Keeps what the charts of the page show. */
export class HistorySink implements Sink {
  readonly name = 'history';
  readonly #history: History;

  constructor(history: History) {
    this.#history = history;
  }

  accept({ device, at, groups }: Observation): void {
    for (const { readings } of groups)
      for (const { metric, labels, value } of readings)
        if (isKept(metric, labels)) this.#history.append(device, metric, labels, at, value);
  }

  forget(device: string): void {
    this.#history.forget(device);
  }

  async flush(signal: AbortSignal): Promise<void> {
    await Promise.race([
      this.#history.flush(),
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
    ]);
  }

  async close(): Promise<void> {
    await this.#history.close();
  }
}
