import { CATALOGUE, type MetricName } from '#collectors/catalogue.ts';
import type { Reading } from '#collectors/contract.ts';
import type { DeviceSeries, SeriesGroup } from './device-series.ts';
import { type PackedTexts, packedTexts } from './packed-texts.ts';
import { type Format, familyHeader } from './text.ts';
import type { ExpositionWriter } from './writer.ts';

/** Who has samples of one metric, in the order in which they are printed: devices as they came, the groups of each together. */
export class Family {
  readonly #metric: MetricName;
  readonly #place: number;
  readonly #name: PackedTexts;
  #groups: SeriesGroup[] = [];
  /** Left since the list was last looked at: where a whole site falls silent, each would be a search through all. */
  readonly #gone = new Set<SeriesGroup>();

  /** @param place where the metric stands in the catalogue */
  constructor(metric: MetricName, place: number) {
    this.#metric = metric;
    this.#place = place;
    this.#name = packedTexts([metric]);
  }

  /** @param group has samples of the metric now */
  add(group: SeriesGroup): void {
    const { device } = group;
    const groups = this.#swept();
    // Mostly it is the only one. To look for others among all devices at each start of one would take long.
    const isOnly = device.groupsWith(this.#place).length === 1;
    const last = isOnly ? -1 : groups.findLastIndex((each) => each.device === device);
    groups.splice(last < 0 ? groups.length : last + 1, 0, group);
  }

  remove(group: SeriesGroup): void {
    this.#gone.add(group);
  }

  #swept(): SeriesGroup[] {
    if (this.#gone.size > 0) {
      this.#groups = this.#groups.filter((group) => !this.#gone.has(group));
      this.#gone.clear();
    }
    return this.#groups;
  }

  readings(device: DeviceSeries): Reading[] {
    const groups = device.groupsWith(this.#place);
    const all = this.#swept();
    if (groups.length > 1) groups.sort((a, b) => all.indexOf(a) - all.indexOf(b));
    return groups.flatMap((group) => group.readingsOf(this.#place));
  }

  /** Yields what the writer has whenever it is full. */
  *print(
    writer: ExpositionWriter,
    format: Format,
    isSelected: (device: DeviceSeries) => boolean,
  ): Generator<Buffer, void, undefined> {
    // A list of its own: devices come and go between two pieces.
    const groups = this.#swept().filter(({ device }) => isSelected(device));
    if (groups.length === 0) return;
    writer.text(Buffer.from(familyHeader(this.#metric, CATALOGUE[this.#metric], format)));
    let printed: Set<string> | undefined;
    for (const [index, group] of groups.entries()) {
      const { device } = group;
      // Only groups of the same device can have the same series.
      if (device !== groups[index - 1]?.device)
        printed = device === groups[index + 1]?.device ? new Set<string>() : undefined;
      writer.series(this.#name, device.texts);
      group.print(this.#place, writer, printed);
      if (writer.isFull) yield writer.take();
    }
  }
}
