import { METRIC_NAMES, type MetricName } from '#collectors/catalogue.ts';
import type { Labels } from '#collectors/contract.ts';
import { Column } from './column.ts';

/** One line of a chart that can be had. */
export interface SeriesName {
  readonly metric: MetricName;
  readonly labels: Labels;
}

/** No slot: they are counted from 1. */
export const NONE = 0;

/** The rows of one device: series with the same labels, as the metrics of one interface are. */
interface DeviceRows {
  /** Text of the labels -> first series of the row. */
  readonly byText: Map<string, number>;
  /** Label objects stay the same from poll to poll, so that most rows are found without a text. */
  byLabels: WeakMap<Labels, number>;
}

/**
 * Which series there are. Each has a slot, a small number under which other columns hold what else is known of it; the
 * slot of a series that was removed goes to another. A site has tens of thousands of series, so that one is three
 * numbers here, and its labels are one text per row.
 */
export class SeriesTable {
  readonly #devices = new Map<string, DeviceRows>();
  /** As in the database, from 1; 0 in slots that are free. */
  readonly #id = new Column(Uint32Array);
  /** Place in `METRIC_NAMES`. */
  readonly #metric = new Column(Uint32Array);
  /** The next series of the same row; of a free slot, the next free one. */
  readonly #next = new Column(Uint32Array);
  #slots = 0;
  #free = NONE;
  #size = 0;
  // The row that was asked for last: its metrics come one after another.
  #device = '';
  #labels: Labels | undefined;
  #row = NONE;

  get size(): number {
    return this.#size;
  }

  /** All slots that are taken. */
  *slots(): Generator<number, undefined> {
    for (let slot = 1; slot <= this.#slots; slot += 1) if (this.#id.get(slot) !== 0) yield slot;
    return undefined;
  }

  id(slot: number): number {
    return this.#id.get(slot);
  }

  /** `NONE` where there is no such series. */
  find(device: string, metric: MetricName, labels: Labels): number {
    if (labels !== this.#labels || device !== this.#device) {
      this.#row = this.#rowOf(device, labels);
      this.#device = device;
      this.#labels = labels;
    }
    return this.#inRow(this.#row, metric);
  }

  /** As `find`, by the text of the labels. */
  findByText(device: string, metric: string, text: string): number {
    return this.#inRow(this.#devices.get(device)?.byText.get(text) ?? NONE, metric);
  }

  /** A device's series in the order in which they began. */
  of(device: string): (SeriesName & { readonly slot: number })[] {
    const found: (SeriesName & { readonly slot: number })[] = [];
    for (const [text, first] of this.#devices.get(device)?.byText ?? []) {
      const labels: Labels = JSON.parse(text);
      for (let slot = first; slot !== NONE; slot = this.#next.get(slot)) {
        const metric = METRIC_NAMES[this.#metric.get(slot)];
        if (metric) found.push({ metric, labels, slot });
      }
    }
    return found.toSorted((a, b) => this.id(a.slot) - this.id(b.slot));
  }

  /** A series that is not there yet. Gives its slot. */
  add(device: string, metric: MetricName, text: string, id: number): number {
    const slot = this.#takeSlot();
    this.#id.set(slot, id);
    this.#metric.set(slot, METRIC_NAMES.indexOf(metric));
    this.#next.set(slot, NONE);
    let rows = this.#devices.get(device);
    if (!rows) {
      rows = { byText: new Map(), byLabels: new WeakMap() };
      this.#devices.set(device, rows);
    }
    const first = rows.byText.get(text);
    if (first === undefined) rows.byText.set(text, slot);
    else this.#next.set(this.#lastOf(first), slot);
    this.#size += 1;
    this.#labels = undefined;
    return slot;
  }

  /** Its slot is free from now on. */
  remove(device: string, metric: string, text: string): void {
    const rows = this.#devices.get(device);
    const first = rows?.byText.get(text);
    const slot = this.findByText(device, metric, text);
    if (!rows || first === undefined || slot === NONE) return;
    const next = this.#next.get(slot);
    if (slot !== first) this.#next.set(this.#before(first, slot), next);
    else if (next === NONE) rows.byText.delete(text);
    else rows.byText.set(text, next);
    if (rows.byText.size === 0) this.#devices.delete(device);
    // Whoever has found the row by its labels would find whatever comes into this slot.
    rows.byLabels = new WeakMap();
    this.#labels = undefined;
    this.#id.set(slot, 0);
    this.#next.set(slot, this.#free);
    this.#free = slot;
    this.#size -= 1;
  }

  #rowOf(device: string, labels: Labels): number {
    const rows = this.#devices.get(device);
    if (!rows) return NONE;
    const known = rows.byLabels.get(labels);
    if (known !== undefined) return known;
    const first = rows.byText.get(labelText(labels));
    if (first === undefined) return NONE;
    rows.byLabels.set(labels, first);
    return first;
  }

  #inRow(first: number, metric: string): number {
    let slot = first;
    while (slot !== NONE && METRIC_NAMES[this.#metric.get(slot)] !== metric) slot = this.#next.get(slot);
    return slot;
  }

  #lastOf(first: number): number {
    return this.#before(first, NONE);
  }

  #before(first: number, slot: number): number {
    let before = first;
    while (this.#next.get(before) !== slot) before = this.#next.get(before);
    return before;
  }

  #takeSlot(): number {
    const slot = this.#free;
    if (slot !== NONE) {
      this.#free = this.#next.get(slot);
      return slot;
    }
    this.#slots += 1;
    return this.#slots;
  }
}

/** The labels as the database has them: in the order of their names. */
export function labelText(labels: Labels): string {
  return JSON.stringify(Object.fromEntries(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))));
}
