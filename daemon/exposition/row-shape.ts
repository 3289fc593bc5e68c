import { CATALOGUE, METRIC_NAMES, type MetricName } from '#collectors/catalogue.ts';
import type { Reading } from '#collectors/contract.ts';

type Sample = Pick<Reading, 'metric' | 'value'>;

const PLACES = new Map(METRIC_NAMES.map((name, place) => [name, place]));

/** No column. There are fewer metrics. */
export const ABSENT = 255;

/** Whether it stays when the device falls silent. */
export function isLasting(metric: MetricName): boolean {
  return CATALOGUE[metric].lifetime === 'lasting';
}

/** Which samples a row has, in the order in which they are read. A site has few shapes, and thousands of rows of each. */
export class RowShape {
  readonly metrics: readonly MetricName[];
  /** Whether each comes as a `bigint`. */
  readonly counters: readonly boolean[];
  /** Where each metric is among them, by its place in the catalogue; else `ABSENT`. */
  readonly columns = new Uint8Array(METRIC_NAMES.length).fill(ABSENT);
  readonly isLasting: boolean;

  /** @param samples no two of the same metric */
  constructor(samples: readonly Sample[]) {
    this.metrics = samples.map(({ metric }) => metric);
    this.counters = samples.map(({ value }) => typeof value === 'bigint');
    this.isLasting = this.metrics.every(isLasting);
    for (const [column, metric] of this.metrics.entries()) this.columns[PLACES.get(metric) as number] = column;
  }

  fits(samples: readonly Sample[]): boolean {
    return (
      samples.length === this.metrics.length &&
      samples.every(
        ({ metric, value }, column) =>
          metric === this.metrics[column] && (typeof value === 'bigint') === this.counters[column],
      )
    );
  }
}

/** More that begin with the same metric are a fault or an attack, and not worth remembering. */
const MOST_ALIKE = 64;

/** The shapes of a site, each once. */
export class RowShapes {
  /** By their first metric. */
  readonly #known = new Map<MetricName, RowShape[]>();

  /** The shape of these samples, if a row had it before. */
  known(samples: readonly Sample[]): RowShape | undefined {
    return this.#alike(samples).find((shape) => shape.fits(samples));
  }

  /** @param samples no two of the same metric */
  of(samples: readonly Sample[]): RowShape {
    const known = this.known(samples);
    if (known) return known;
    const shape = new RowShape(samples);
    const alike = this.#alike(samples);
    if (alike.length < MOST_ALIKE) alike.push(shape);
    return shape;
  }

  #alike([first]: readonly Sample[]): RowShape[] {
    if (!first) return [];
    const known = this.#known.get(first.metric);
    if (known) return known;
    const alike: RowShape[] = [];
    this.#known.set(first.metric, alike);
    return alike;
  }
}
