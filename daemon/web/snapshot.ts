/** The site as all pages see it for some seconds, so that fifty open pages cost what one costs. */
import type { Clock, Monotonic, WallTime } from '#collectors/contract.ts';
import { type Finding, findingsOf } from './findings.ts';
import type { Words } from './format.ts';
import { messagesOf } from './messages/language.ts';
import type { PageSources } from './page-sources.ts';
import type { DeviceView, SiteView } from './site-view.ts';
import type { StatePiece } from './strip.ts';

export interface DeviceStanding extends DeviceView {
  readonly findings: readonly Finding[];
}

export interface SiteSnapshot {
  readonly at: WallTime;
  /** Not everything has been asked yet: what is unknown may be well. */
  readonly starting: boolean;
  /** By class, then by name. */
  readonly devices: readonly DeviceStanding[];
  /** Those with a finding, the worst and oldest first. */
  readonly wrong: readonly DeviceStanding[];
}

const FRESH = 4_000;
/** Whoever opens the page at once after the start sees devices become known. */
const FRESH_AT_START = 500;
const FRESH_TIMELINES = 60_000;
const DAY = 86_400_000;
export const STRIP_DAYS = 30;

const CLASS_ORDER = ['firewall', 'switch', 'ap', 'server', 'nas', 'printer', 'ups', 'other'];
const STATE_ORDER = ['down', 'unreachable', 'up', 'unknown', 'maintenance'];

/** Made once: one for each comparison would take most of a second for ten thousand names. And late: it is three megabytes. */
let collator: Intl.Collator | undefined;

export class Snapshots {
  readonly #view: SiteView;
  readonly #clock: Clock;
  readonly #sources: PageSources;
  readonly #snapshots = new Map<string, { readonly taken: Monotonic; readonly snapshot: SiteSnapshot }>();
  #timelines: { taken: Monotonic; pieces: Promise<ReadonlyMap<string, readonly StatePiece[]>> } | undefined;

  constructor(view: SiteView, clock: Clock, sources: PageSources) {
    this.#view = view;
    this.#clock = clock;
    this.#sources = sources;
  }

  words(language: string): Words {
    return { language, messages: messagesOf(language), timezone: this.#view.site.timezone };
  }

  now(language: string): SiteSnapshot {
    const kept = this.#snapshots.get(language);
    const taken = this.#clock.monotonicNow();
    if (kept && taken - kept.taken < (kept.snapshot.starting ? FRESH_AT_START : FRESH)) return kept.snapshot;
    const snapshot = this.#take(this.words(language));
    this.#snapshots.set(language, { taken, snapshot });
    return snapshot;
  }

  /** The states of the last thirty days, at most a minute old. */
  async timelines(): Promise<ReadonlyMap<string, readonly StatePiece[]>> {
    const taken = this.#clock.monotonicNow();
    if (!this.#timelines || taken - this.#timelines.taken >= FRESH_TIMELINES) {
      const to = this.#clock.wallNow();
      const span = { from: (to - STRIP_DAYS * DAY) as WallTime, to };
      const pieces = this.#sources.timelines?.(span) ?? Promise.resolve(new Map());
      this.#timelines = { taken, pieces };
      pieces.catch(() => {
        this.#timelines = undefined;
      });
    }
    return await this.#timelines.pieces;
  }

  /** One device, as it is now. */
  device(name: string, words: Words): DeviceStanding | undefined {
    const device = this.#view.device(name);
    return device && this.#standing(device, words);
  }

  #take(words: Words): SiteSnapshot {
    collator ??= new Intl.Collator('en', { numeric: true });
    const { compare } = collator;
    const devices = this.#view
      .devices()
      .map((device) => this.#standing(device, words))
      .toSorted((a, b) => CLASS_ORDER.indexOf(a.class) - CLASS_ORDER.indexOf(b.class) || compare(a.name, b.name));
    const wrong = devices
      .filter(({ findings }) => findings.length > 0)
      .toSorted(
        (a, b) =>
          STATE_ORDER.indexOf(a.state) - STATE_ORDER.indexOf(b.state) || badness(a) - badness(b) || a.since - b.since,
      );
    return { at: this.#clock.wallNow(), starting: this.#view.notReady().length > 0, devices, wrong };
  }

  #standing(device: DeviceView, words: Words): DeviceStanding {
    const now = this.#clock.wallNow() / 1000;
    const readings = device.state === 'up' ? this.#view.readings(device.name) : [];
    return { ...device, findings: findingsOf(device.state, readings, now, words) };
  }
}

function badness({ findings }: DeviceStanding): number {
  return findings[0]?.severity === 'bad' ? 0 : 1;
}
