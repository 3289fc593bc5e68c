import type { Clock, Evidence, Observation, Reading, ReadingGroup, WallTime } from '#collectors/contract.ts';
import type { WatchedDevice } from '../inventory/watched.ts';
import { combine, judge, newStanding, STATES, type Standing, type State } from './verdict.ts';

/** A device entered another state. */
export interface Transition {
  readonly device: string;
  readonly from: State;
  readonly to: Standing;
  /** When it was found, which for an outage is later than `to.since`. */
  readonly at: WallTime;
  /** What each check said in the round that decided. */
  readonly evidence: Readonly<Record<string, Evidence>>;
}

export interface TrackerOptions {
  readonly clock: Clock;
  readonly publish: (observation: Observation) => void;
  readonly onTransition: (transition: Transition) => void;
}

interface Tracked {
  device: WatchedDevice;
  standing: Standing;
  probes: Map<string, boolean>;
  /** Devices between this one and the appliance: parents are judged first. */
  depth: number;
}

/** What the checks of one device brought in one round, by probe: icmp, snmp, tcp. */
export type RoundResult = ReadonlyMap<string, Evidence>;

/** Keeps the standing of every device, judges rounds parents first, and publishes states and probes. */
export class AvailabilityTracker {
  readonly #options: TrackerOptions;
  readonly #devices = new Map<string, Tracked>();

  constructor(options: TrackerOptions) {
    this.#options = options;
  }

  /** Watches these devices and no others. What is known of those that stay is kept. */
  apply(devices: readonly WatchedDevice[]): void {
    const names = new Set(devices.map(({ name }) => name));
    for (const name of this.#devices.keys()) if (!names.has(name)) this.#devices.delete(name);
    for (const device of devices) {
      const tracked = this.#devices.get(device.name);
      if (tracked) tracked.device = device;
      else
        this.#devices.set(device.name, {
          device,
          standing: newStanding(this.#options.clock.wallNow()),
          probes: new Map(),
          depth: 0,
        });
    }
    for (const tracked of this.#devices.values()) tracked.depth = this.#depthOf(tracked.device);
    for (const device of devices) this.#publish(device.name);
  }

  standing(device: string): Standing | undefined {
    return this.#devices.get(device)?.standing;
  }

  /** Judges one round that began at `at`. Devices that have left meanwhile are passed over. */
  round(at: WallTime, results: ReadonlyMap<string, RoundResult>): void {
    const present = [...results].flatMap(([name, result]) => {
      const tracked = this.#devices.get(name);
      return tracked ? [{ tracked, result }] : [];
    });
    present.sort((a, b) => a.tracked.depth - b.tracked.depth);
    for (const { tracked, result } of present) this.#judge(tracked, at, result);
  }

  /** Notes what a probe outside the rounds said, such as an SNMP poll of a device whose state hangs on ICMP alone. */
  probe(device: string, probe: string, evidence: Evidence): void {
    const tracked = this.#devices.get(device);
    if (!tracked || !this.#note(tracked, probe, evidence)) return;
    this.#publish(device);
  }

  /** Publishes states and probes of all devices, for sinks that keep a history. */
  publishAll(): void {
    for (const name of this.#devices.keys()) this.#publish(name);
  }

  #judge(tracked: Tracked, at: WallTime, result: RoundResult): void {
    const before = tracked.standing;
    const parent = tracked.device.parent === undefined ? undefined : this.#devices.get(tracked.device.parent)?.standing;
    tracked.standing = judge(before, { at, evidence: combine([...result.values()]) }, parent ? { parent } : {});
    let changed = before.state !== tracked.standing.state;
    for (const [probe, evidence] of result) changed = this.#note(tracked, probe, evidence) || changed;
    if (before.state !== tracked.standing.state) {
      const found = this.#options.clock.wallNow();
      this.#options.onTransition({
        device: tracked.device.name,
        from: before.state,
        to: tracked.standing,
        at: found,
        evidence: Object.fromEntries(result),
      });
    }
    if (changed) this.#publish(tracked.device.name);
  }

  #note(tracked: Tracked, probe: string, evidence: Evidence): boolean {
    const before = tracked.probes.get(probe);
    if (evidence.kind === 'could-not-tell') tracked.probes.delete(probe);
    else tracked.probes.set(probe, evidence.kind === 'answered');
    return before !== tracked.probes.get(probe);
  }

  #publish(name: string): void {
    const tracked = this.#devices.get(name);
    if (!tracked) return;
    const groups: ReadingGroup[] = [
      { name: 'state', readings: stateReadings(tracked.standing.state) },
      {
        name: 'probes',
        readings: [...tracked.probes].map(
          ([probe, ok]): Reading => ({ metric: 'siteward_probe_success', labels: { probe }, value: ok ? 1 : 0 }),
        ),
      },
    ];
    this.#options.publish({
      device: name,
      collector: 'availability',
      question: 'alive',
      at: this.#options.clock.wallNow(),
      took: 0 as Observation['took'],
      evidence: { kind: 'answered' },
      groups,
      problems: [],
      requests: 0,
      timeouts: 0,
    });
  }

  #depthOf(device: WatchedDevice): number {
    let depth = 0;
    const seen = new Set<string>();
    for (
      let above = device.parent;
      above !== undefined && !seen.has(above);
      above = this.#devices.get(above)?.device.parent
    ) {
      seen.add(above);
      depth += 1;
    }
    return depth;
  }
}

const STATE_LABELS = STATES.map((state) => ({ state }));
const NO_LABELS = {};

function stateReadings(state: State): Reading[] {
  const readings = STATE_LABELS.map(
    (labels): Reading => ({ metric: 'siteward_device_state', labels, value: labels.state === state ? 1 : 0 }),
  );
  if (state !== 'unknown')
    readings.push({ metric: 'siteward_device_up', labels: NO_LABELS, value: state === 'up' ? 1 : 0 });
  return readings;
}
