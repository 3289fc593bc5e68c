import type { Clock, Evidence, Milliseconds, Monotonic, Observation, WallTime } from '#collectors/contract.ts';
import { SitewardError } from '#config/errors.ts';
import type { Config } from '#config/schema.ts';
import type { WatchedDevice } from '../inventory/watched.ts';
import type { Logger } from '../log.ts';
import type { Ledger, Restoration } from '../store/ledger.ts';
import type { Interruption, Party, StateDetail } from './entries.ts';
import { AvailabilityLedger } from './ledger.ts';
import {
  announcedIn,
  enteredWindow,
  isEntered,
  lastEnd,
  MaintenanceCalendar,
  type NewMaintenance,
} from './maintenance.ts';
import { AvailabilityTracker, type Transition } from './tracker.ts';
import { RULE_VERSION } from './verdict.ts';
import { type ClockStep, type Stall, Vigil } from './vigil.ts';

export interface AvailabilityOptions {
  readonly ledger: Ledger;
  readonly restoration?: Restoration | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
  readonly publish: (observation: Observation) => void;
  /** A device entered another state, by what it answered. */
  readonly onTransition?: (transition: Transition) => void;
  /** Nobody watched for a while, and all states are unknown for a moment. */
  readonly onInterrupted?: (why: Interruption, from: WallTime, to: WallTime) => void;
  /** UPSs of the site that run on battery. */
  readonly onBattery?: () => readonly string[];
}

/** The longest time that a crash may leave unknown at the end of what was observed. */
const LONGEST_BEAT = 15_000 as Milliseconds;

/** How long a person who enters something waits for the disk. */
const ENTRY_PATIENCE = 10_000;

/** Availability as a whole: what is seen is judged, written down, summed up and shown. */
export class Availability {
  readonly tracker: AvailabilityTracker;
  readonly ledger: AvailabilityLedger;
  readonly #options: AvailabilityOptions;
  readonly #maintenance = new MaintenanceCalendar();
  readonly #devices = new Map<string, WatchedDevice>();
  readonly #vigil: Vigil;

  private constructor(options: AvailabilityOptions, ledger: AvailabilityLedger) {
    this.#options = options;
    this.ledger = ledger;
    this.#vigil = new Vigil(
      options.clock,
      {
        stalled: (stall) => this.#stalled(stall),
        stepped: (step) => this.#stepped(step),
        beat: (at, mono) => this.#beat(at, mono),
      },
      LONGEST_BEAT,
    );
    this.tracker = new AvailabilityTracker({
      clock: { ...options.clock, wallNow: () => this.#vigil.now() },
      publish: options.publish,
      onTransition: (transition) => this.#entered(transition),
      disturbedSince: (started) => this.#vigil.disturbedSince(started),
      inMaintenance: (device, at) => this.#maintenance.spanAt(device, at) !== undefined,
      onShown: (device, live, at) => ledger.enter(device, at, live),
      sums: (device) => this.#sums(device),
    });
  }

  /** @throws StoreError when the ledger can be read or written no more */
  static async open(options: AvailabilityOptions): Promise<Availability> {
    let opened: Availability | undefined;
    const ledger = await AvailabilityLedger.open(
      {
        ledger: options.ledger,
        restoration: options.restoration,
        clock: options.clock,
        log: options.log,
        version: options.version,
        onRestored: (at) => opened?.tracker.interrupt(at, 'no evidence yet'),
      },
      options.clock.wallNow(),
    );
    opened = new Availability(options, ledger);
    return opened;
  }

  /** The time as the ledger has it: it never runs backwards while the clock is only corrected. */
  now(): WallTime {
    return this.#vigil.now();
  }

  /** Takes devices and maintenance as the config has them now. */
  apply(config: Config, devices: readonly WatchedDevice[]): void {
    this.#devices.clear();
    for (const device of devices) this.#devices.set(device.name, device);
    const at = this.#vigil.now();
    this.ledger.watch(new Map(devices.map(({ name, sla }) => [name, sla])), at);
    // What people entered is not in the config, and stays.
    this.ledger.announce([...announcedIn(config), ...this.ledger.maintenance.filter(isEntered)], at);
    this.#maintenance.windows = this.ledger.maintenance;
    const shortest = Math.min(LONGEST_BEAT, ...devices.map((device) => device.intervals().availability));
    this.#vigil.beatEvery = shortest as Milliseconds;
    this.#vigil.start();
  }

  /** Stops looking at the clocks and writes nothing more, as a process that is killed. */
  abandon(): void {
    this.#vigil.stop();
  }

  /**
   * Takes maintenance that a person enters. It counts as announced when it is entered. On disk when the promise resolves,
   * with the key by which it can be ended.
   */
  async enterMaintenance(entered: NewMaintenance): Promise<string> {
    const now = this.#vigil.now();
    const window = enteredWindow(entered, now);
    this.ledger.announce([...this.ledger.maintenance, window], now);
    this.#maintenanceChanged(now);
    await this.ledger.flush(AbortSignal.timeout(ENTRY_PATIENCE));
    return window.key;
  }

  /**
   * Ends maintenance that a person entered, before its time. That is an entry of its own: the window stays in the ledger as
   * it was entered, and holds until now.
   * @throws SitewardError `NO_SUCH_MAINTENANCE` where none is open or planned under this key, `NOT_ENTERED` for one of the config
   */
  async endMaintenance(key: string, author: string, reason: string): Promise<void> {
    const now = this.#vigil.now();
    const window = this.ledger.maintenance.find((each) => each.key === key);
    if (!window || lastEnd(window) <= now)
      throw new SitewardError(
        'NO_SUCH_MAINTENANCE',
        'no such maintenance is open or planned',
        'GET /api/v1/maintenance lists what is',
      );
    if (!isEntered(window))
      throw new SitewardError(
        'NOT_ENTERED',
        `${window.name} stands in the config`,
        'take it out of maintenance there, and reload',
      );
    const written = this.ledger.endMaintenance(window, author, reason, now);
    this.#maintenanceChanged(now);
    await written;
  }

  #maintenanceChanged(now: WallTime): void {
    this.#maintenance.windows = this.ledger.maintenance;
    this.tracker.refreshShown(now);
  }

  /** Ends the segment and stops. */
  async close(signal: AbortSignal): Promise<void> {
    const at = this.#vigil.now();
    this.#vigil.stop();
    await this.ledger.close(at, signal);
  }

  #beat(at: WallTime, mono: Monotonic): void {
    this.tracker.refreshShown(at);
    this.ledger.beat(at, mono);
  }

  #stalled({ from, to }: Stall): void {
    this.#options.log.warn('siteward stood still, all states are unknown for that time', {
      seconds: (to - from) / 1000,
    });
    this.#interrupt(from, to, 'stalled');
  }

  #stepped({ from, to }: ClockStep): void {
    this.#options.log.warn('the clock was set', { seconds: (to - from) / 1000 });
    this.#interrupt(from, to, 'clock set');
  }

  #interrupt(from: WallTime, to: WallTime, why: 'stalled' | 'clock set'): void {
    this.ledger.interrupt(from, to, why);
    this.tracker.interrupt(to, why === 'stalled' ? 'siteward stood still' : 'the clock was set');
    this.#options.onInterrupted?.(why, from, to);
  }

  #entered(transition: Transition): void {
    const { device, to, live } = transition;
    this.ledger.append({
      kind: 'state',
      device,
      at: to.since,
      state: to.state,
      rule: to.rule,
      ruleVersion: RULE_VERSION,
      detail: this.#detail(transition),
    });
    this.ledger.enter(device, to.since, live);
    this.#options.onTransition?.(transition);
  }

  #detail({ device, to, evidence, parent }: Transition): StateDetail {
    const onBattery = to.state === 'down' || to.state === 'unreachable' ? (this.#options.onBattery?.() ?? []) : [];
    const party = to.state === 'up' ? undefined : this.#partyOf(device, onBattery);
    return {
      evidence: Object.fromEntries(Object.entries(evidence).map(([probe, said]) => [probe, evidenceText(said)])),
      ...(parent === undefined ? {} : { parent }),
      ...(onBattery.length > 0 ? { on_battery: onBattery } : {}),
      ...(party === undefined ? {} : { party }),
      resolution: this.#devices.get(device)?.intervals().availability ?? 0,
    };
  }

  /**
   * Who answers for an outage, as far as the site itself tells: power while a UPS runs on battery, else whoever answers
   * for the outermost device that is down on the way, such as the carrier for an address beyond the gateway.
   */
  #partyOf(device: string, onBattery: readonly string[]): Party | undefined {
    if (onBattery.length > 0) return 'power';
    const gone = this.tracker.parentsOf(device).filter((name) => {
      const state = this.tracker.standing(name)?.state;
      return state === 'down' || state === 'unreachable';
    });
    const outermost = gone.findLast((name) => this.#devices.get(name)?.party !== undefined);
    return this.#devices.get(outermost ?? device)?.party;
  }

  /** Only what is settled and on disk: a counter that was scraped must not fall after a crash. */
  #sums(device: string) {
    const { acknowledged, sums } = this.ledger;
    if (acknowledged !== undefined) sums.settle(device, this.tracker.settledUntil(device, acknowledged));
    return sums.of(device);
  }
}

function evidenceText(evidence: Evidence): string {
  return evidence.kind === 'could-not-tell' ? `could not tell: ${evidence.reason}`.slice(0, 200) : evidence.kind;
}
