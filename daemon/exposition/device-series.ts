/**
 * The last values of one device. A site has tens of thousands of series; as objects they would be most of what the
 * garbage collector looks after. So the rows of a device lie one after the other, group after group, in four columns.
 */
import type { MetricName } from '#collectors/catalogue.ts';
import type { DeviceClass, Labels, Reading } from '#collectors/contract.ts';
import { nextText, type PackedTexts, packedTexts, unpackedText } from './packed-texts.ts';
import { ABSENT, type RowShape } from './row-shape.ts';
import type { Rows } from './rows.ts';
import { deviceText } from './text.ts';
import type { ExpositionWriter } from './writer.ts';

export class DeviceSeries {
  readonly name: string;
  class: DeviceClass | undefined;
  readonly groups: SeriesGroup[] = [];
  // Of each row its labels, its shape, its text, and a value for each metric of its shape.
  labels: readonly Labels[] = [];
  shapes: readonly RowShape[] = [];
  /** The first is what the texts of all rows begin with. */
  texts: PackedTexts;
  values = new Float64Array();

  constructor(name: string) {
    this.name = name;
    this.texts = packedTexts([deviceText(name)]);
  }

  group(collector: string, name: string): SeriesGroup | undefined {
    return this.groups.find((each) => each.name === name && each.collector === collector);
  }

  /** The groups that have samples of the metric at this place of the catalogue. */
  groupsWith(place: number): SeriesGroup[] {
    return this.groups.filter((group) => group.has(place));
  }

  /** A new group without rows. */
  begin(collector: string, name: string): SeriesGroup {
    const group = new SeriesGroup(this, collector, name);
    group.row = this.labels.length;
    group.text = this.texts.length;
    group.value = this.values.length;
    this.groups.push(group);
    return group;
  }

  /** Puts rows in the place of those of a group; a group without any is one no longer. */
  replace(group: SeriesGroup, { labels, shapes, texts, values }: Rows): void {
    const packed = packedTexts(texts);
    const { row, rows, text, value } = group;
    this.labels = replaced(this.labels, row, rows, labels);
    this.shapes = replaced(this.shapes, row, rows, shapes);
    this.texts = withRoom(this.texts, text, group.texts, packed.length);
    this.texts.set(packed, text);
    this.values = withRoom(this.values, value, group.values, values.length);
    const index = this.groups.indexOf(group);
    for (const later of this.groups.slice(index + 1)) {
      later.row += labels.length - rows;
      later.text += packed.length - group.texts;
      later.value += values.length - group.values;
    }
    group.rows = labels.length;
    group.texts = packed.length;
    group.values = values.length;
    group.setAll(values);
    if (labels.length === 0) this.groups.splice(index, 1);
  }
}

/** The samples of one group, and where they lie in the columns of its device. */
export class SeriesGroup {
  readonly device: DeviceSeries;
  readonly collector: string;
  readonly name: string;
  // Where its part of each column begins, and how long it is.
  row = 0;
  rows = 0;
  text = 0;
  texts = 0;
  value = 0;
  values = 0;
  /** By distance from `value`, where that is NaN: counters that a double does not hold to the last digit. */
  #exact: Map<number, bigint> | undefined;

  constructor(device: DeviceSeries, collector: string, name: string) {
    this.device = device;
    this.collector = collector;
    this.name = name;
  }

  /** Puts the values of a poll that brought the same series in place. False where it brought others. */
  renew(readings: readonly Reading[]): boolean {
    if (readings.length !== this.values) return false;
    const { labels, shapes } = this.device;
    let at = 0;
    for (let row = this.row, end = row + this.rows; row < end; row += 1) {
      const wanted = labels[row];
      const { metrics, counters } = shapes[row] as RowShape;
      for (let column = 0; column < metrics.length; column += 1) {
        const { metric, labels: given, value } = readings[at] as Reading;
        if (given !== wanted || metric !== metrics[column]) return false;
        if ((typeof value === 'bigint') !== counters[column]) return false;
        this.#set(at, value);
        at += 1;
      }
    }
    return true;
  }

  setAll(values: readonly (number | bigint)[]): void {
    this.#exact = undefined;
    for (const [at, value] of values.entries()) this.#set(at, value);
  }

  #set(at: number, value: number | bigint): void {
    if (typeof value === 'number') {
      this.device.values[this.value + at] = value;
      return;
    }
    const double = asDouble(value);
    this.device.values[this.value + at] = double;
    if (Number.isNaN(double)) {
      this.#exact ??= new Map();
      this.#exact.set(at, value);
    }
  }

  #get(at: number): number | bigint {
    const value = this.device.values[this.value + at] as number;
    return Number.isNaN(value) ? (this.#exact?.get(at) ?? value) : value;
  }

  /** Prints the samples of the metric at this place of the catalogue, but not those of series that are printed already. */
  print(place: number, writer: ExpositionWriter, printed?: Set<string>): void {
    const { shapes, texts } = this.device;
    let text = this.text;
    let at = 0;
    for (let row = this.row, end = row + this.rows; row < end; row += 1) {
      const { columns, metrics } = shapes[row] as RowShape;
      const column = columns[place] as number;
      if (column !== ABSENT && !(printed && isRepeated(unpackedText(texts, text), printed)))
        writer.sample(text, this.#get(at + column));
      text = nextText(texts, text);
      at += metrics.length;
    }
  }

  has(place: number): boolean {
    return this.#shapes.some(({ columns }) => columns[place] !== ABSENT);
  }

  get isLasting(): boolean {
    return this.#shapes.every(({ isLasting }) => isLasting);
  }

  get metrics(): ReadonlySet<MetricName> {
    return new Set([...new Set(this.#shapes)].flatMap(({ metrics }) => metrics));
  }

  /** All, in the order in which they came. */
  readings(): Reading[] {
    return this.#readings(({ metrics }) => metrics.keys());
  }

  /** Those of the metric at this place of the catalogue. */
  readingsOf(place: number): Reading[] {
    return this.#readings(({ columns }) => (columns[place] === ABSENT ? [] : [columns[place] as number]));
  }

  #readings(columnsOf: (shape: RowShape) => Iterable<number>): Reading[] {
    const readings: Reading[] = [];
    let at = 0;
    for (const [index, shape] of this.#shapes.entries()) {
      const labels = this.device.labels[this.row + index] ?? {};
      for (const column of columnsOf(shape)) {
        const value = this.#get(at + column);
        const metric = shape.metrics[column] as MetricName;
        readings.push({ metric, labels, value: shape.counters[column] ? BigInt(value) : value });
      }
      at += shape.metrics.length;
    }
    return readings;
  }

  /** The text of each row. */
  labelTexts(): Map<Labels, string> {
    const { labels, texts } = this.device;
    const octets = Buffer.from(texts.buffer);
    const found = new Map<Labels, string>();
    let text = this.text;
    for (let row = this.row, end = row + this.rows; row < end; row += 1) {
      found.set(labels[row] as Labels, unpackedText(texts, text, octets));
      text = nextText(texts, text);
    }
    return found;
  }

  get #shapes(): readonly RowShape[] {
    return this.device.shapes.slice(this.row, this.row + this.rows);
  }
}

function replaced<T>(all: readonly T[], from: number, count: number, by: readonly T[]): T[] {
  return all.slice(0, from).concat(by, all.slice(from + count));
}

/** With room for so many numbers in the place of others. */
function withRoom(all: Float64Array, from: number, count: number, room: number): Float64Array<ArrayBuffer> {
  const numbers = new Float64Array(all.length - count + room);
  numbers.set(all.subarray(0, from));
  numbers.set(all.subarray(from + count), from + room);
  return numbers;
}

/** Whether the text is among those seen; else it is from now on. */
function isRepeated(text: string, seen: Set<string>): boolean {
  if (seen.has(text)) return true;
  seen.add(text);
  return false;
}

const OCTETS = new DataView(new ArrayBuffer(8));

/** The same number, or NaN where a double may not hold all its digits. `Number(value)` takes several times as long. */
function asDouble(value: bigint): number {
  if (BigInt.asUintN(53, value) !== value) return Number.NaN;
  OCTETS.setBigUint64(0, value);
  return OCTETS.getUint32(0) * 2 ** 32 + OCTETS.getUint32(4);
}
