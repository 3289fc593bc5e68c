import { METRIC_NAMES, type MetricName } from '#collectors/catalogue.ts';
import type { Labels, Observation, Reading } from '#collectors/contract.ts';
import { DeviceSeries, type SeriesGroup } from '../exposition/device-series.ts';
import { Family } from '../exposition/family.ts';
import { isLasting, RowShapes } from '../exposition/row-shape.ts';
import { noRows, type Rows, rowsOf } from '../exposition/rows.ts';
import { type Format, labelText } from '../exposition/text.ts';
import { ExpositionWriter } from '../exposition/writer.ts';
import type { Sink } from './sink.ts';

export interface RenderFilter {
  readonly devices?: ReadonlySet<string>;
  readonly classes?: ReadonlySet<string>;
}

/** More series than this of one device are a fault or an attack: they would drown the receiver. */
const MOST_SERIES_PER_DEVICE = 20_000;

/**
 * The last value of every series. Label texts are made once per row, not once per scrape; a scrape only copies octets.
 */
export class PrometheusSink implements Sink {
  readonly name = 'prometheus';
  readonly #devices = new Map<string, DeviceSeries>();
  readonly #families = new Map(METRIC_NAMES.map((metric, place) => [metric, new Family(metric, place)]));
  readonly #shapes = new RowShapes();
  #cut = 0;

  accept({ device: name, collector, evidence, groups, identity }: Observation): void {
    const device = this.#device(name);
    if (identity) device.class = identity.class;
    if (evidence.kind !== 'answered') this.#dropAnswering(device, collector);
    for (const { name: group, readings } of groups) {
      const known = device.group(collector, group);
      if (known?.renew(readings) || (!known && readings.length === 0)) continue;
      this.#replace(known ?? device.begin(collector, group), readings);
    }
  }

  forget(name: string): void {
    const device = this.#devices.get(name);
    for (const group of [...(device?.groups ?? [])]) this.#replace(group, []);
    this.#devices.delete(name);
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {}

  /** Series held, and series that were over the cap of their device. */
  size(): { series: number; cut: number } {
    let series = 0;
    for (const { values } of this.#devices.values()) series += values.length;
    return { series, cut: this.#cut };
  }

  /** The last value of each series of one device, in the order of the catalogue; of these metrics only, where given. */
  readings(name: string, metrics: readonly MetricName[] = METRIC_NAMES): Reading[] {
    const device = this.#devices.get(name);
    const readings: Reading[] = [];
    if (device) for (const metric of metrics) readings.push(...(this.#families.get(metric)?.readings(device) ?? []));
    return readings;
  }

  /** The device series as exposition text, family by family. Yields whole lines, good until the next are asked for. */
  *render(format: Format, { devices, classes }: RenderFilter = {}): Generator<Buffer> {
    const writer = new ExpositionWriter();
    const isSelected = ({ name, class: ofDevice }: DeviceSeries) =>
      (!devices || devices.has(name)) && (!classes || classes.has(ofDevice ?? ''));
    for (const family of this.#families.values()) yield* family.print(writer, format, isSelected);
    const rest = writer.take();
    if (rest.length > 0) yield rest;
  }

  #device(name: string): DeviceSeries {
    const known = this.#devices.get(name);
    if (known) return known;
    const device = new DeviceSeries(name);
    this.#devices.set(name, device);
    return device;
  }

  /** What a silent device said last stands no longer, except for what the contract keeps. */
  #dropAnswering(device: DeviceSeries, collector: string): void {
    const affected = device.groups.filter((group) => group.collector === collector && !group.isLasting);
    for (const group of affected) {
      const lasting = group.readings().filter(({ metric }) => isLasting(metric));
      this.#replace(group, lasting);
    }
  }

  /** Lays out a group anew. */
  #replace(group: SeriesGroup, readings: readonly Reading[]): void {
    if (readings.length > MOST_SERIES_PER_DEVICE) this.#cut += readings.length - MOST_SERIES_PER_DEVICE;
    const before = group.metrics;
    const rows = readings.length > 0 ? this.#rows(group, readings.slice(0, MOST_SERIES_PER_DEVICE)) : noRows();
    group.device.replace(group, rows);
    const after = group.metrics;
    for (const metric of before) if (!after.has(metric)) this.#families.get(metric)?.remove(group);
    for (const metric of after) if (!before.has(metric)) this.#families.get(metric)?.add(group);
  }

  /** The texts of rows that were there before are not made anew. */
  #rows(group: SeriesGroup, readings: readonly Reading[]): Rows {
    const known = group.labelTexts();
    const textOf = (labels: Labels) => known.get(labels) ?? labelText(group.device.name, labels);
    return rowsOf(readings, textOf, this.#shapes);
  }
}
