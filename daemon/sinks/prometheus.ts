import { CATALOGUE, METRIC_NAMES, type MetricName } from '#collectors/catalogue.ts';
import type { Labels, Observation, Reading } from '#collectors/contract.ts';
import { type Format, familyHeader, labelText } from '../exposition/text.ts';
import { ExpositionWriter } from '../exposition/writer.ts';
import type { Sink } from './sink.ts';

/**
 * The samples of one metric in one group of one device. The values live in typed arrays: a site has hundreds of
 * thousands of them, and as objects they would be most of what the garbage collector has to copy.
 */
interface Block {
  /** As printed, in UTF-8. */
  readonly texts: readonly Buffer[];
  readonly labels: readonly Labels[];
  readonly values: Float64Array | BigUint64Array | (number | bigint)[];
  /** Samples that the poll at hand has renewed. */
  renewed: number;
}

/** `collector/group` -> samples of one metric of one device */
type Groups = Map<string, Block>;

export interface RenderFilter {
  readonly devices?: ReadonlySet<string>;
  readonly classes?: ReadonlySet<string>;
}

const NAMES = new Map(METRIC_NAMES.map((name) => [name, Buffer.from(name)]));
/** More series than this of one device are a fault or an attack: they would drown the receiver. */
const MOST_SERIES_PER_DEVICE = 20_000;

/**
 * The last value of every series. Label texts are made once per row, not once per scrape; a scrape only copies octets.
 */
export class PrometheusSink implements Sink {
  readonly name = 'prometheus';
  /** In the order in which a scrape prints: metric, device, group. */
  readonly #families = new Map<MetricName, Map<string, Groups>>();
  /** device -> `collector/group` -> metrics in it, to replace a group without looking through all families. */
  readonly #devices = new Map<string, Map<string, readonly MetricName[]>>();
  readonly #classes = new Map<string, string>();
  /** By device first: devices may share one labels object, and the device is part of the text. */
  readonly #labelTexts = new Map<string, WeakMap<Labels, Buffer>>();
  #cut = 0;

  accept({ device, collector, evidence, groups, identity }: Observation): void {
    if (identity) this.#classes.set(device, identity.class);
    if (evidence.kind !== 'answered') this.#dropAnswering(device, `${collector}/`);
    for (const { name, readings } of groups) {
      const group = `${collector}/${name}`;
      if (!this.#renew(device, group, readings)) this.#replace(device, group, this.#blocks(device, readings));
    }
  }

  forget(device: string): void {
    for (const group of this.#devices.get(device)?.keys() ?? []) this.#replace(device, group, new Map());
    this.#devices.delete(device);
    this.#classes.delete(device);
    this.#labelTexts.delete(device);
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {}

  /** Series held, and series that were over the cap of their device. */
  size(): { series: number; cut: number } {
    let series = 0;
    for (const devices of this.#families.values()) {
      for (const groups of devices.values()) for (const { texts } of groups.values()) series += texts.length;
    }
    return { series, cut: this.#cut };
  }

  /** The last value of each series of one device, in the order of the catalogue; of these metrics only, where given. */
  readings(device: string, metrics: readonly MetricName[] = METRIC_NAMES): Reading[] {
    return metrics.flatMap((metric) => {
      const groups = this.#families.get(metric)?.get(device)?.values() ?? [];
      return [...groups].flatMap(({ labels, values }) =>
        labels.map((each, index) => ({ metric, labels: each, value: values[index] ?? 0 })),
      );
    });
  }

  /** The device series as exposition text, family by family. Yields whole lines, good until the next are asked for. */
  *render(format: Format, filter: RenderFilter = {}): Generator<Buffer> {
    const writer = new ExpositionWriter();
    for (const [metric, name] of NAMES) {
      let header = Buffer.from(familyHeader(metric, CATALOGUE[metric], format));
      for (const [device, groups] of this.#families.get(metric) ?? []) {
        if (!this.#selected(device, filter)) continue;
        writer.text(header);
        header = NOTHING;
        const seen = groups.size > 1 ? new Set<string>() : undefined;
        for (const { texts, values } of groups.values()) {
          for (let index = 0; index < texts.length; index += 1) {
            const text = texts[index] ?? NOTHING;
            if (seen && isRepeated(text, seen)) continue;
            writer.sample(name, text, values[index] ?? 0);
          }
          if (writer.isFull) yield writer.take();
        }
      }
    }
    const rest = writer.take();
    if (rest.length > 0) yield rest;
  }

  #selected(device: string, { devices, classes }: RenderFilter): boolean {
    return (!devices || devices.has(device)) && (!classes || classes.has(this.#classes.get(device) ?? ''));
  }

  /** Puts the values of a poll that brought the same series in place. False where it brought others. */
  #renew(device: string, group: string, readings: readonly Reading[]): boolean {
    const metrics = this.#devices.get(device)?.get(group);
    if (!metrics || readings.length > MOST_SERIES_PER_DEVICE) return false;
    const blocks = metrics.map((metric) => this.#families.get(metric)?.get(device)?.get(group));
    for (const block of blocks) if (block) block.renewed = 0;
    let at = 0;
    for (const { metric, labels, value } of readings) {
      // The metrics of a row come in the same order as in the row before.
      at = metrics[at + 1] === metric ? at + 1 : metrics.indexOf(metric);
      const block = blocks[at];
      if (!block || block.labels[block.renewed] !== labels || !put(block, value)) return false;
    }
    return blocks.every((block) => block?.renewed === block?.texts.length);
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
      groups.set(group, sharing(groups.get(group), block));
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
    if (readings.length > MOST_SERIES_PER_DEVICE) this.#cut += readings.length - MOST_SERIES_PER_DEVICE;
    const byMetric = new Map<MetricName, Reading[]>();
    for (const reading of readings.slice(0, MOST_SERIES_PER_DEVICE)) {
      const list = byMetric.get(reading.metric);
      if (list) list.push(reading);
      else byMetric.set(reading.metric, [reading]);
    }
    const blocks = new Map<MetricName, Block>();
    for (const [metric, list] of byMetric) blocks.set(metric, this.#block(device, list));
    return blocks;
  }

  #block(device: string, readings: readonly Reading[]): Block {
    const texts: Buffer[] = [];
    const labels: Labels[] = [];
    const values: (number | bigint)[] = [];
    const seen = new Set<string>();
    for (const reading of readings) {
      const text = this.#labelText(device, reading.labels);
      // A second series of the same name and labels would fail the whole scrape.
      if (isRepeated(text, seen)) continue;
      texts.push(text);
      labels.push(reading.labels);
      values.push(reading.value);
    }
    return { texts, labels, values: packed(values), renewed: 0 };
  }

  /** Readings of the same row share one labels object from poll to poll; its text is made once. */
  #labelText(device: string, labels: Labels): Buffer {
    let texts = this.#labelTexts.get(device);
    if (!texts) {
      texts = new WeakMap();
      this.#labelTexts.set(device, texts);
    }
    let text = texts.get(labels);
    if (text === undefined) {
      // What belongs to the site and not to a device comes without one.
      text = Buffer.from(labelText(device === '' ? undefined : device, labels));
      texts.set(labels, text);
    }
    return text;
  }
}

const NOTHING = Buffer.alloc(0);

/** Whether the text is among those seen; else it is from now on. */
function isRepeated(text: Buffer, seen: Set<string>): boolean {
  const key = text.toString('latin1');
  if (seen.has(key)) return true;
  seen.add(key);
  return false;
}

const LARGEST_COUNTER = 2n ** 64n;

function packed(values: readonly (number | bigint)[]): Block['values'] {
  if (values.every((value) => typeof value === 'number')) return Float64Array.from(values);
  if (values.every((value) => typeof value === 'bigint' && value >= 0n && value < LARGEST_COUNTER))
    return BigUint64Array.from(values as readonly bigint[]);
  return [...values];
}

/** Renews the next sample. False where the value does not fit in with the others. */
function put(block: Block, value: number | bigint): boolean {
  const { values, renewed } = block;
  if (values instanceof Float64Array) {
    if (typeof value !== 'number') return false;
    values[renewed] = value;
  } else if (values instanceof BigUint64Array) {
    if (typeof value !== 'bigint' || value < 0n || value >= LARGEST_COUNTER) return false;
    values[renewed] = value;
  } else {
    values[renewed] = value;
  }
  block.renewed += 1;
  return true;
}

/** A poll that brought the same rows as the one before keeps its texts; only the values are new. */
function sharing(before: Block | undefined, block: Block): Block {
  const same =
    before?.labels.length === block.labels.length &&
    before.labels.every((labels, index) => labels === block.labels[index]);
  return before && same ? { ...before, values: block.values } : block;
}
