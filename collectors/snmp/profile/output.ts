/** Collects the series of one read: no series twice, and the same labels are the same object from poll to poll. */
import type { MetricName } from '#collectors/catalogue.ts';
import type { Labels, Reading } from '#collectors/contract.ts';
import type { Output } from './labels.ts';
import type { SeriesMemory } from './memory.ts';
import type { Refusal } from './scope.ts';

export interface RefusedValue extends Refusal {
  readonly metric: MetricName;
}

const MOST_REFUSALS = 20;

export class SeriesOutput implements Output {
  readonly refused: RefusedValue[] = [];
  readonly #known: ReadonlyMap<string, Labels>;
  readonly #series: SeriesMemory;
  #readings: Reading[] = [];
  /** The metric at hand, and what was given of it. */
  #metric: MetricName | undefined;
  #given: Map<Labels, number> = new Map();

  /**
   * @param known labels of earlier reads.
   * @param series what this read gives is added to it. Another one than that of the labels where those that are used no
   * longer are to be forgotten.
   */
  constructor(known: ReadonlyMap<string, Labels>, series: SeriesMemory) {
    this.#known = known;
    this.#series = series;
    series.reads += 1;
  }

  labels(parts: Labels): Labels {
    let key = '';
    for (const label in parts) key += `${label}\u0000${parts[label]}\u0001`;
    const known = this.#known.get(key) ?? this.#series.labels.get(key);
    if (known && this.#known === this.#series.labels) return known;
    const labels = known ?? Object.freeze({ ...parts });
    this.#series.labels.set(key, labels);
    return labels;
  }

  /** A series that an earlier source gave stays: what two sources say about one thing is said once. */
  add(reading: Reading): void {
    const given = this.#givenOf(reading.metric);
    const { reads } = this.#series;
    if (given.get(reading.labels) === reads) return;
    given.set(reading.labels, reads);
    this.#readings.push(reading);
  }

  has(metric: MetricName, labels: Labels): boolean {
    return this.#givenOf(metric).get(labels) === this.#series.reads;
  }

  #givenOf(metric: MetricName): Map<Labels, number> {
    if (metric === this.#metric) return this.#given;
    let given = this.#series.given.get(metric);
    if (!given) {
      given = new Map();
      this.#series.given.set(metric, given);
    }
    this.#metric = metric;
    this.#given = given;
    return given;
  }

  /** To come back to by `undo`. */
  get mark(): number {
    return this.#readings.length;
  }

  /** Takes back what was added since `mark`. */
  undo(mark: number): void {
    for (const { metric, labels } of this.#readings.splice(mark)) this.#series.given.get(metric)?.delete(labels);
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
