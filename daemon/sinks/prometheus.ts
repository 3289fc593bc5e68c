import { CATALOGUE, METRIC_NAMES, type MetricName } from '#collectors/catalogue.ts';
import type { Labels, Observation, Reading } from '#collectors/contract.ts';
import { type Format, familyHeader, labelText, valueText } from '../exposition/text.ts';
import type { Sink } from './sink.ts';

/** The samples of one metric in one group of one device: labels as they are printed, and values beside them. */
interface Block {
  readonly labels: string[];
  readonly values: (number | bigint)[];
}

type Blocks = Map<MetricName, Block>;

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
  /** device -> `collector/group` -> metric -> samples */
  readonly #devices = new Map<string, Map<string, Blocks>>();
  readonly #classes = new Map<string, string>();
  readonly #labelTexts = new WeakMap<Labels, string>();
  #cut = 0;

  accept(observation: Observation): void {
    const { device, collector, evidence, groups, identity } = observation;
    if (identity) this.#classes.set(device, identity.class);
    let known = this.#devices.get(device);
    if (!known) {
      known = new Map();
      this.#devices.set(device, known);
    }
    if (evidence.kind !== 'answered') dropAnswering(known, `${collector}/`);
    for (const group of groups) {
      const key = `${collector}/${group.name}`;
      if (group.readings.length === 0) known.delete(key);
      else known.set(key, this.#blocks(device, group.readings));
    }
  }

  forget(device: string): void {
    this.#devices.delete(device);
    this.#classes.delete(device);
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {}

  /** Series held, and series that were over the cap of their device. */
  size(): { series: number; cut: number } {
    let series = 0;
    for (const groups of this.#devices.values()) {
      for (const blocks of groups.values()) for (const { values } of blocks.values()) series += values.length;
    }
    return { series, cut: this.#cut };
  }

  /** The device series as exposition text, family by family. Yields pieces; the caller decides when to go on. */
  *render(format: Format, filter: RenderFilter = {}): Generator<string> {
    const selected = this.#selected(filter);
    let piece = '';
    for (const metric of METRIC_NAMES) {
      let header = familyHeader(metric, CATALOGUE[metric], format);
      for (const groups of selected) {
        const blocks = blocksOf(groups, metric);
        if (blocks.length === 0) continue;
        piece += header;
        header = '';
        const seen = blocks.length > 1 ? new Set<string>() : undefined;
        for (const { labels, values } of blocks) {
          for (let index = 0; index < labels.length; index += 1) {
            const label = labels[index] ?? '';
            if (seen?.has(label)) continue;
            seen?.add(label);
            piece += `${metric}${label} ${valueText(values[index] ?? 0)}\n`;
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

  #selected({ devices, classes }: RenderFilter): Map<string, Blocks>[] {
    const selected: Map<string, Blocks>[] = [];
    for (const [device, groups] of this.#devices) {
      if (devices && !devices.has(device)) continue;
      if (classes && !classes.has(this.#classes.get(device) ?? '')) continue;
      selected.push(groups);
    }
    return selected;
  }

  #blocks(device: string, readings: readonly Reading[]): Blocks {
    const blocks: Blocks = new Map();
    if (readings.length > MOST_SERIES_PER_DEVICE) this.#cut += readings.length - MOST_SERIES_PER_DEVICE;
    const seen = new Set<string>();
    for (const { metric, labels, value } of readings.slice(0, MOST_SERIES_PER_DEVICE)) {
      let block = blocks.get(metric);
      if (!block) {
        block = { labels: [], values: [] };
        blocks.set(metric, block);
      }
      const text = this.#labelText(device, metric, labels);
      // A second series of the same name and labels would fail the whole scrape.
      const series = metric + text;
      if (seen.has(series)) continue;
      seen.add(series);
      block.labels.push(text);
      block.values.push(value);
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

function blocksOf(groups: Map<string, Blocks>, metric: MetricName): Block[] {
  const found: Block[] = [];
  for (const blocks of groups.values()) {
    const block = blocks.get(metric);
    if (block) found.push(block);
  }
  return found;
}

/** What a silent device said last stands no longer, except for what the contract keeps. */
function dropAnswering(groups: Map<string, Blocks>, prefix: string): void {
  for (const [key, blocks] of groups) {
    if (!key.startsWith(prefix)) continue;
    for (const metric of blocks.keys()) if (CATALOGUE[metric].lifetime === 'answering') blocks.delete(metric);
    if (blocks.size === 0) groups.delete(key);
  }
}
