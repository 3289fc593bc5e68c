/** Collects the series of one read: no series twice, and the same labels are the same object from poll to poll. */
import { CATALOGUE, type MetricName } from '#collectors/catalogue.ts';
import type { Labels, Reading, ReadingSource } from '#collectors/contract.ts';
import type { Output } from './labels.ts';
import type { LabelsNumber, LabelsTable } from './labels-table.ts';
import type { Refusal } from './scope.ts';

export interface RefusedValue extends Refusal {
  readonly metric: MetricName;
}

const MOST_REFUSALS = 20;

export class SeriesOutput implements Output {
  readonly refused: RefusedValue[] = [];
  /** Labels that were asked for. */
  readonly used: Set<LabelsNumber> | undefined;
  readonly #table: LabelsTable;
  readonly #given: GivenSeries;
  #readings: Reading[] = [];

  /**
   * @param table labels of earlier reads; those of this one are added.
   * @param noteUsed whether it is noted which labels are asked for, to forget the others.
   */
  constructor(table: LabelsTable, { noteUsed }: { readonly noteUsed: boolean }) {
    this.#table = table;
    this.#given = new GivenSeries(table.size);
    this.used = noteUsed ? new Set() : undefined;
  }

  labels(parts: Labels): LabelsNumber {
    const number = this.#table.numberOf(parts);
    this.used?.add(number);
    return number;
  }

  textsOf(labels: LabelsNumber): Labels {
    return this.#table.at(labels);
  }

  /** A series that an earlier source gave stays: what two sources say about one thing is said once. */
  add(metric: MetricName, labels: LabelsNumber, value: number | bigint, source?: ReadingSource): void {
    if (!this.#given.add(metric, labels)) return;
    const texts = this.#table.at(labels);
    this.#readings.push(source ? { metric, labels: texts, value, source } : { metric, labels: texts, value });
  }

  has(metric: MetricName, labels: LabelsNumber): boolean {
    return this.#given.has(metric, labels);
  }

  /** To come back to by `undo`. */
  get mark(): number {
    return this.#readings.length;
  }

  /** Takes back what was added since `mark`. */
  undo(mark: number): void {
    for (const { metric, labels } of this.#readings.splice(mark))
      this.#given.delete(metric, this.#table.numberOf(labels));
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

const NUMBERS: ReadonlyMap<MetricName, number> = new Map(
  (Object.keys(CATALOGUE) as MetricName[]).map((metric, number) => [metric, number]),
);
const WORDS = Math.ceil(NUMBERS.size / 32);

/** Which series a read gave: a bit for each metric under each labels. */
class GivenSeries {
  readonly #words: number[];

  /** @param labels so many are expected */
  constructor(labels: number) {
    this.#words = new Array<number>(labels * WORDS).fill(0);
  }

  has(metric: MetricName, labels: LabelsNumber): boolean {
    const number = NUMBERS.get(metric) ?? 0;
    return ((this.#words[wordOf(number, labels)] ?? 0) & bitOf(number)) !== 0;
  }

  /** Whether it was not there yet. */
  add(metric: MetricName, labels: LabelsNumber): boolean {
    const number = NUMBERS.get(metric) ?? 0;
    const at = wordOf(number, labels);
    const word = this.#words[at] ?? 0;
    const bit = bitOf(number);
    if ((word & bit) !== 0) return false;
    this.#words[at] = word | bit;
    return true;
  }

  delete(metric: MetricName, labels: LabelsNumber): void {
    const number = NUMBERS.get(metric) ?? 0;
    const at = wordOf(number, labels);
    this.#words[at] = (this.#words[at] ?? 0) & ~bitOf(number);
  }
}

function wordOf(metric: number, labels: LabelsNumber): number {
  return labels * WORDS + (metric >>> 5);
}

function bitOf(metric: number): number {
  return 1 << (metric & 31);
}
