/** Collects the series of one read: no series twice, and the same labels are the same object from poll to poll. */
import type { MetricName } from '#collectors/catalogue.ts';
import type { Labels, Reading } from '#collectors/contract.ts';
import type { Output } from './labels.ts';
import type { Refusal } from './scope.ts';

export interface RefusedValue extends Refusal {
  readonly metric: MetricName;
}

const MOST_REFUSALS = 20;

export class SeriesOutput implements Output {
  readonly refused: RefusedValue[] = [];
  /** Labels that this read used. */
  readonly used = new Map<string, Labels>();
  readonly #known: Map<string, Labels>;
  readonly #tracksUse: boolean;
  readonly #seen = new Map<MetricName, Set<Labels>>();
  #readings: Reading[] = [];

  /**
   * @param known labels of earlier reads; new ones are added to it.
   * @param options.tracksUse whether `used` is filled, so that labels used no longer can be forgotten.
   */
  constructor(known: Map<string, Labels>, options: { readonly tracksUse: boolean }) {
    this.#known = known;
    this.#tracksUse = options.tracksUse;
  }

  labels(parts: Labels): Labels {
    let key = '';
    for (const label in parts) key += `${label}\u0000${parts[label]}\u0001`;
    let labels = this.#known.get(key);
    if (!labels) {
      labels = Object.freeze({ ...parts });
      this.#known.set(key, labels);
    }
    if (this.#tracksUse) this.used.set(key, labels);
    return labels;
  }

  /** A series that an earlier source gave stays: what two sources say about one thing is said once. */
  add(reading: Reading): void {
    let seen = this.#seen.get(reading.metric);
    if (!seen) {
      seen = new Set();
      this.#seen.set(reading.metric, seen);
    }
    if (seen.has(reading.labels)) return;
    seen.add(reading.labels);
    this.#readings.push(reading);
  }

  has(metric: MetricName, labels: Labels): boolean {
    return this.#seen.get(metric)?.has(labels) === true;
  }

  /** To come back to by `undo`. */
  get mark(): number {
    return this.#readings.length;
  }

  /** Takes back what was added since `mark`. */
  undo(mark: number): void {
    for (const { metric, labels } of this.#readings.splice(mark)) this.#seen.get(metric)?.delete(labels);
  }

  refuse(metric: MetricName, what: Refusal): void {
    if (this.refused.length < MOST_REFUSALS) this.refused.push({ metric, ...what });
  }

  /** The readings since the last call. */
  take(): readonly Reading[] {
    const taken = this.#readings;
    this.#readings = [];
    return taken;
  }
}
