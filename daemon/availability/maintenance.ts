import { createHash, randomBytes } from 'node:crypto';
import type { WallTime } from '#collectors/contract.ts';
import type { Config } from '#config/schema.ts';
import { instantOf, repeated, type Span } from '../calendar.ts';
import type { AnnouncedMaintenance } from './entries.ts';

/** Windows of the config as the ledger keeps them. */
export function announcedIn({ maintenance, site }: Pick<Config, 'maintenance' | 'site'>): AnnouncedMaintenance[] {
  return maintenance.map((settings) => {
    const timezone = settings.timezone ?? site.timezone;
    const window = {
      name: settings.name,
      devices: settings.devices,
      starts: settings.starts,
      duration: settings.duration,
      timezone,
      ...(settings.repeats === undefined ? {} : { repeats: settings.repeats }),
      ...(settings.until === undefined ? {} : { until: settings.until }),
      ...(settings.announced_at === undefined ? {} : { announced_at: instantOf(settings.announced_at, timezone) }),
    };
    return { key: createHash('sha256').update(JSON.stringify(window)).digest('hex').slice(0, 16), ...window };
  });
}

const ENTERED = 'entered-';

/** What a person enters; its name is why. */
export interface NewMaintenance extends Span {
  readonly name: string;
  readonly devices: readonly string[];
  readonly author: string;
}

/** Maintenance that a person enters while siteward runs. In UTC, so that no clock change makes its times ambiguous. */
export function enteredWindow(
  { name, devices, from, to, author }: NewMaintenance,
  now: WallTime,
): AnnouncedMaintenance {
  return {
    key: `${ENTERED}${randomBytes(6).toString('hex')}`,
    name,
    devices,
    starts: new Date(from).toISOString().slice(0, -1),
    duration: to - from,
    timezone: 'UTC',
    announced_at: Math.min(now, from) as WallTime,
    author,
  };
}

export function isEntered({ key }: AnnouncedMaintenance): boolean {
  return key.startsWith(ENTERED);
}

/** When a window is over for good. */
export function lastEnd({ starts, timezone, duration, repeats }: AnnouncedMaintenance): number {
  return repeats ? Number.POSITIVE_INFINITY : instantOf(starts, timezone) + duration;
}

/** Whether one of the patterns means this device; `*` stands for anything. */
export function matchesDevice(patterns: readonly string[], device: string): boolean {
  return patterns.some((pattern) => patternOf(pattern).test(device));
}

const patterns = new Map<string, RegExp>();

function patternOf(pattern: string): RegExp {
  let found = patterns.get(pattern);
  if (!found) {
    found = new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
    patterns.set(pattern, found);
  }
  return found;
}

/** No repetition is further apart than this, nor closer together than the other. */
const LONGEST: Readonly<Record<'daily' | 'weekly' | 'monthly', number>> = {
  daily: 90_000_000,
  weekly: 608_400_000,
  monthly: 2_682_000_000,
};

/** The times of a window that have a part in `within`, in order. They keep their local time through clock changes. */
export function occurrences(window: AnnouncedMaintenance, within: Span): Span[] {
  const { starts, timezone, duration, repeats, until } = window;
  const spanFrom = (from: WallTime): Span => ({ from, to: (from + duration) as WallTime });
  const touches = ({ from, to }: Span) => from < within.to && to > within.from;
  const first = instantOf(starts, timezone);
  if (!repeats) return [spanFrom(first)].filter(touches);
  const last = until === undefined ? Number.POSITIVE_INFINITY : instantOf(`${until}T23:59:59`, timezone);
  const found: Span[] = [];
  const skipped = Math.max(0, Math.floor((within.from - duration - first) / LONGEST[repeats]) - 1);
  for (let count = skipped; ; count += 1) {
    const span = spanFrom(repeated(starts, repeats, count, timezone));
    if (span.from >= within.to || span.from > last) return found;
    if (touches(span)) found.push(span);
  }
}

/** Which maintenance is in force now, for the state that is shown. */
export class MaintenanceCalendar {
  #windows: readonly AnnouncedMaintenance[] = [];
  #inForce: { readonly devices: readonly string[]; readonly span: Span }[] = [];
  #lookedAt = Number.NaN;

  set windows(windows: readonly AnnouncedMaintenance[]) {
    this.#windows = windows;
    this.#lookedAt = Number.NaN;
  }

  /** The window that holds for a device at `at`, the one that ends last where several do. */
  spanAt(device: string, at: WallTime): Span | undefined {
    this.#look(at);
    const spans = this.#inForce.filter(
      ({ devices, span }) => at >= span.from && at < span.to && matchesDevice(devices, device),
    );
    return spans.map(({ span }) => span).toSorted((a, b) => b.to - a.to)[0];
  }

  /** Looked up once a minute at most: thousands of devices ask in one round. */
  #look(at: WallTime): void {
    if (Math.abs(at - this.#lookedAt) < 60_000) return;
    this.#lookedAt = at;
    const around = { from: (at - 120_000) as WallTime, to: (at + 120_000) as WallTime };
    this.#inForce = this.#windows.flatMap((window) =>
      occurrences(window, around).map((span) => ({ devices: window.devices, span })),
    );
  }
}
