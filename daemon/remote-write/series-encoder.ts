import { CATALOGUE, type CatalogueEntry, type MetricName } from '#collectors/catalogue.ts';
import type { Observation, Reading, WallTime } from '#collectors/contract.ts';
import { isImportant } from '#daemon/spool/importance.ts';
import type { EncodedRecord, ObservationEncoder } from '#daemon/spool/spooled-sink.ts';
import { double, encodeSeries, type Series, STALE } from './protobuf.ts';

export interface SeriesSettings {
  readonly client: string;
  readonly site: string;
}

const LONGEST_LABEL = 512;

type LabelList = Series['labels'];
interface LiveSeries {
  readonly labels: LabelList;
  readonly metric: MetricName;
}
/** By their labels as text. */
type LiveGroup = ReadonlyMap<string, LiveSeries>;

/**
 * Readings as samples of the series that `/metrics` shows, with `client` and `site` as the scraping Prometheus would add
 * them. A series that a device shows no more ends with a stale marker, as it would after a scrape without it: queries
 * stop at once instead of drawing the last value on for five minutes.
 */
export class SeriesEncoder implements ObservationEncoder {
  readonly #settings: SeriesSettings;
  /** By device, then by collector and group, for a group replaces its predecessor as a whole. */
  readonly #live = new Map<string, Map<string, LiveGroup>>();

  constructor(settings: SeriesSettings) {
    this.#settings = settings;
  }

  encode(observation: Observation): { records: readonly EncodedRecord[]; refused: number } {
    const { device, collector, at, evidence, groups } = observation;
    const live = this.#live.get(device) ?? new Map<string, LiveGroup>();
    const records: EncodedRecord[] = [];
    let refused = 0;
    for (const { name, readings } of groups) {
      const before = live.get(`${collector} ${name}`);
      const now = new Map<string, LiveSeries>();
      for (const reading of readings) {
        const labels = this.#labels(device, reading);
        const key = JSON.stringify(labels);
        const value = Number(reading.value);
        if (now.has(key) || !Number.isFinite(value)) {
          refused += 1;
          continue;
        }
        now.set(key, { labels, metric: reading.metric });
        records.push(record(reading.metric, labels, double(value), at));
      }
      if (before) records.push(...ended(before, now, at));
      live.set(`${collector} ${name}`, now);
    }
    if (evidence.kind === 'silent') records.push(...this.#silenced(live, observation));
    this.#live.set(device, live);
    return { records, refused };
  }

  forget(device: string, at: WallTime): readonly EncodedRecord[] {
    const live = this.#live.get(device);
    this.#live.delete(device);
    return Array.from(live?.values() ?? []).flatMap((group) => ended(group, new Map(), at));
  }

  /** What this collector would have shown ends, but for what lasts as long as the device is watched. */
  #silenced(live: Map<string, LiveGroup>, { collector, at, groups }: Observation): readonly EncodedRecord[] {
    const shown = new Set(groups.map(({ name }) => `${collector} ${name}`));
    return Array.from(live).flatMap(([name, group]) => {
      if (!name.startsWith(`${collector} `) || shown.has(name)) return [];
      const lasting = new Map(Array.from(group).filter(([, { metric }]) => CATALOGUE[metric].lifetime === 'lasting'));
      live.set(name, lasting);
      return ended(group, lasting, at);
    });
  }

  #labels(device: string, { metric, labels }: Reading): LabelList {
    const entry: CatalogueEntry = CATALOGUE[metric];
    const { client, site } = this.#settings;
    const all: Record<string, string> = { __name__: metric, client, site, device };
    for (const label of entry.labels) all[label] = labels[label] ?? '';
    return Object.keys(all)
      .sort()
      .map((name) => [name, (all[name] ?? '').slice(0, LONGEST_LABEL).toWellFormed()] as const)
      .filter(([, value]) => value !== '');
  }
}

function ended(before: LiveGroup, now: LiveGroup, at: WallTime): readonly EncodedRecord[] {
  return Array.from(before)
    .filter(([key]) => !now.has(key))
    .map(([, { labels, metric }]) => record(metric, labels, STALE, at));
}

function record(metric: MetricName, labels: LabelList, value: Uint8Array, at: WallTime): EncodedRecord {
  const bytes = encodeSeries({ labels, value, timestamp: Math.round(at) });
  return { bytes, important: isImportant(CATALOGUE[metric]) };
}
