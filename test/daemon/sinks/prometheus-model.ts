/** What the Prometheus sink holds and prints, said as plainly as it can be said: maps of lists, and everything made anew each time. */
import { CATALOGUE, METRIC_NAMES, type MetricName } from '#collectors/catalogue.ts';
import type { Labels, Observation, Reading } from '#collectors/contract.ts';
import { escapeLabel, type Format, familyHeader } from '#daemon/exposition/text.ts';
import type { RenderFilter } from '#daemon/sinks/prometheus.ts';

export class PrometheusModel {
  /** metric -> device -> group -> readings, each in the order of printing. */
  readonly #families = new Map<MetricName, Map<string, Map<string, readonly Reading[]>>>();
  readonly #classes = new Map<string, string>();

  accept({ device, collector, evidence, groups, identity }: Observation): void {
    if (identity) this.#classes.set(device, identity.class);
    if (evidence.kind !== 'answered') {
      for (const metric of METRIC_NAMES) {
        if (CATALOGUE[metric].lifetime === 'lasting') continue;
        for (const group of [...this.#groups(metric, device).keys()])
          if (group.startsWith(`${collector}/`)) this.#set(metric, device, group, []);
      }
    }
    for (const { name, readings } of groups) {
      for (const metric of METRIC_NAMES) {
        const texts = new Set<string>();
        const unrepeated = readings.filter((reading) => {
          const text = labelsAsPrinted(device, reading.labels);
          if (reading.metric !== metric || texts.has(text)) return false;
          texts.add(text);
          return true;
        });
        this.#set(metric, device, `${collector}/${name}`, unrepeated);
      }
    }
  }

  forget(device: string): void {
    for (const family of this.#families.values()) family.delete(device);
    this.#classes.delete(device);
  }

  series(): number {
    const groups = [...this.#families.values()].flatMap((family) => [...family.values()]);
    return groups.flatMap((each) => [...each.values()]).reduce((sum, { length }) => sum + length, 0);
  }

  readings(device: string): Reading[] {
    return METRIC_NAMES.flatMap((metric) => [...this.#groups(metric, device).values()].flat());
  }

  render(format: Format, { devices, classes }: RenderFilter = {}): string {
    let text = '';
    for (const metric of METRIC_NAMES) {
      const samples = new Map<string, Reading['value']>();
      for (const [device, groups] of this.#families.get(metric) ?? []) {
        if (devices && !devices.has(device)) continue;
        if (classes && !classes.has(this.#classes.get(device) ?? '')) continue;
        for (const { labels, value } of [...groups.values()].flat()) {
          const series = metric + labelsAsPrinted(device, labels);
          if (!samples.has(series)) samples.set(series, value);
        }
      }
      if (samples.size > 0) text += familyHeader(metric, CATALOGUE[metric], format);
      for (const [series, value] of samples) text += `${series} ${value}\n`;
    }
    return text;
  }

  #groups(metric: MetricName, device: string): ReadonlyMap<string, readonly Reading[]> {
    return this.#families.get(metric)?.get(device) ?? new Map();
  }

  #set(metric: MetricName, device: string, group: string, readings: readonly Reading[]): void {
    const family = this.#families.get(metric) ?? new Map<string, Map<string, readonly Reading[]>>();
    const groups = family.get(device) ?? new Map<string, readonly Reading[]>();
    if (readings.length > 0) groups.set(group, readings);
    else groups.delete(group);
    if (groups.size > 0) family.set(device, groups);
    else family.delete(device);
    this.#families.set(metric, family);
  }
}

function labelsAsPrinted(device: string, labels: Labels): string {
  const names = Object.keys(labels).toSorted();
  const pairs = names.map((name) => `${name}="${escapeLabel(labels[name] ?? '')}"`);
  if (device !== '') pairs.unshift(`device="${escapeLabel(device)}"`);
  return pairs.length > 0 ? `{${pairs.join(',')}}` : '';
}
