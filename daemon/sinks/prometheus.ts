import { CATALOGUE, METRIC_NAMES, type MetricName } from '#collectors/catalogue.ts';
import type { Labels, Observation, Reading } from '#collectors/contract.ts';
import { type Format, familyHeader, labelText, valueText } from '../exposition/text.ts';
import type { Sink } from './sink.ts';

/** The samples of one metric in one group of one device: readings, and their labels as they are printed. */
interface Block {
  readonly labels: string[];
  readonly readings: Reading[];
}

/** `collector/group` -> samples of one metric of one device */
type Groups = Map<string, Block>;

export interface RenderFilter {
  readonly devices?: ReadonlySet<string>;
  readonly classes?: ReadonlySet<string>;
}

/** Text is handed over in pieces of about this many characters, so that the loop breathes between them. */
const PIECE = 32_768;
/** More series than this of one device are a fault or an attack: they would drown the receiver. */
const MOST_SERIES_PER_DEVICE = 20_000;

/**
 * The last value of every series. Label texts are made once per row, not once per scrape; a scrape only joins strings.
 */
export class PrometheusSink implements Sink {
  readonly name = 'prometheus';
  /** In the order in which a scrape prints: metric, device, group. */
  readonly #families = new Map<MetricName, Map<string, Groups>>();
  /** device -> `collector/group` -> metrics in it, to replace a group without looking through all families. */
  readonly #devices = new Map<string, Map<string, readonly MetricName[]>>();
  readonly #classes = new Map<string, string>();
  readonly #labelTexts = new WeakMap<Labels, string>();
  #cut = 0;

  accept({ device, collector, evidence, groups, identity }: Observation): void {
    if (identity) this.#classes.set(device, identity.class);
    if (evidence.kind !== 'answered') this.#dropAnswering(device, `${collector}/`);
    for (const group of groups)
      this.#replace(device, `${collector}/${group.name}`, this.#blocks(device, group.readings));
  }

  forget(device: string): void {
    for (const group of this.#devices.get(device)?.keys() ?? []) this.#replace(device, group, new Map());
    this.#devices.delete(device);
    this.#classes.delete(device);
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {}

  /** Series held, and series that were over the cap of their device. */
  size(): { series: number; cut: number } {
    let series = 0;
    for (const devices of this.#families.values()) {
      for (const groups of devices.values()) for (const { readings } of groups.values()) series += readings.length;
    }
    return { series, cut: this.#cut };
  }

  /** The last value of each series of one device, in the order of the catalogue. */
  readings(device: string): Reading[] {
    return METRIC_NAMES.flatMap((metric) =>
      [...(this.#families.get(metric)?.get(device)?.values() ?? [])].flatMap(({ readings }) => readings),
    );
  }

  /** The device series as exposition text, family by family. Yields pieces; the caller decides when to go on. */
  *render(format: Format, filter: RenderFilter = {}): Generator<string> {
    let piece = '';
    for (const metric of METRIC_NAMES) {
      let header = familyHeader(metric, CATALOGUE[metric], format);
      for (const [device, groups] of this.#families.get(metric) ?? []) {
        if (!this.#selected(device, filter)) continue;
        piece += header;
        header = '';
        const seen = groups.size > 1 ? new Set<string>() : undefined;
        for (const { labels, readings } of groups.values()) {
          for (let index = 0; index < labels.length; index += 1) {
            const label = labels[index] ?? '';
            const reading = readings[index];
            if (!reading || seen?.has(label)) continue;
            seen?.add(label);
            piece += `${metric}${label} ${valueText(reading.value)}\n`;
          }
          if (piece.length >= PIECE) {
            yield piece;
            piece = '';
          }
        }
      }
    }
    if (piece !== '') yield piece;
  }

  #selected(device: string, { devices, classes }: RenderFilter): boolean {
    return (!devices || devices.has(device)) && (!classes || classes.has(this.#classes.get(device) ?? ''));
  }

  #replace(device: string, group: string, blocks: ReadonlyMap<MetricName, Block>): void {
    let known = this.#devices.get(device);
    if (!known) {
      known = new Map();
      this.#devices.set(device, known);
    }
    for (const metric of known.get(group) ?? []) if (!blocks.has(metric)) this.#remove(metric, device, group);
    if (blocks.size === 0) known.delete(group);
    else known.set(group, [...blocks.keys()]);
    for (const [metric, block] of blocks) {
      let family = this.#families.get(metric);
      if (!family) {
        family = new Map();
        this.#families.set(metric, family);
      }
      let groups = family.get(device);
      if (!groups) {
        groups = new Map();
        family.set(device, groups);
      }
      groups.set(group, block);
    }
  }

  #remove(metric: MetricName, device: string, group: string): void {
    const family = this.#families.get(metric);
    const groups = family?.get(device);
    groups?.delete(group);
    if (groups?.size === 0) family?.delete(device);
  }

  /** What a silent device said last stands no longer, except for what the contract keeps. */
  #dropAnswering(device: string, prefix: string): void {
    const known = this.#devices.get(device);
    for (const [group, metrics] of known ?? []) {
      if (!group.startsWith(prefix)) continue;
      const lasting = metrics.filter((metric) => CATALOGUE[metric].lifetime === 'lasting');
      for (const metric of metrics) if (!lasting.includes(metric)) this.#remove(metric, device, group);
      if (lasting.length === 0) known?.delete(group);
      else known?.set(group, lasting);
    }
  }

  #blocks(device: string, readings: readonly Reading[]): Map<MetricName, Block> {
    const blocks = new Map<MetricName, Block>();
    if (readings.length > MOST_SERIES_PER_DEVICE) this.#cut += readings.length - MOST_SERIES_PER_DEVICE;
    const seen = new Set<string>();
    for (const reading of readings.slice(0, MOST_SERIES_PER_DEVICE)) {
      const { metric, labels } = reading;
      let block = blocks.get(metric);
      if (!block) {
        block = { labels: [], readings: [] };
        blocks.set(metric, block);
      }
      const text = this.#labelText(device, metric, labels);
      // A second series of the same name and labels would fail the whole scrape.
      const series = metric + text;
      if (seen.has(series)) continue;
      seen.add(series);
      block.labels.push(text);
      block.readings.push(reading);
    }
    return blocks;
  }

  /** Readings of the same row share one labels object from poll to poll; its text is made once. */
  #labelText(device: string, metric: MetricName, labels: Labels): string {
    let text = this.#labelTexts.get(labels);
    if (text === undefined) {
      text = labelText(metric === 'siteward_site_info' ? undefined : device, labels);
      this.#labelTexts.set(labels, text);
    }
    return text;
  }
}
