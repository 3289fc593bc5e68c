import type { Clock, Evidence, Monotonic, Observation, Reading, ReadingGroup, WallTime } from '#collectors/contract.ts';
import { labelsBy, NO_LABELS } from '#collectors/labels.ts';
import type { WatchedDevice } from '../inventory/watched.ts';
import { isMassLoss, type MassCandidate } from './mass-loss.ts';
import type { StateSums } from './sums.ts';
import { combine, interrupted, judge, newStanding, type Rule, STATES, type Standing, type State } from './verdict.ts';

/** A device entered another state. */
export interface Transition {
  readonly device: string;
  readonly from: State;
  readonly to: Standing;
  /** As it is shown: maintenance where a window is in force and the device is not up. */
  readonly live: State;
  /** When it was found, which for an outage is later than `to.since`. */
  readonly at: WallTime;
  /** What each check said in the round that decided. */
  readonly evidence: Readonly<Record<string, Evidence>>;
  /** The parent, where that is what decided. */
  readonly parent?: string;
}

export interface TrackerOptions {
  readonly clock: Clock;
  readonly publish: (observation: Observation) => void;
  readonly onTransition: (transition: Transition) => void;
  /** Whether the loop stood still or the clock was set since then: such a round proves nothing. */
  readonly disturbedSince?: (started: Monotonic) => boolean;
  readonly inMaintenance?: (device: string, at: WallTime) => boolean;
  /** The shown state changed at `at` without a transition: a window began or ended. */
  readonly onShown?: (device: string, live: State, at: WallTime) => void;
  /** Cumulative time in each state, as far as it is on disk. */
  readonly sums?: (device: string) => StateSums | undefined;
}

interface Tracked {
  device: WatchedDevice;
  standing: Standing;
  probes: Map<string, boolean>;
  /** Devices between this one and the appliance: parents are judged first. */
  depth: number;
  live: State;
  /** When it was last asked with an outcome. */
  lastTold: WallTime | undefined;
  lastPublished: WallTime | undefined;
}

/** Further back than this the clock was put back. */
const SAME_MOMENT = 1_000;

/** What the checks of one device brought in one round, by probe: icmp, snmp, tcp. */
export type RoundResult = ReadonlyMap<string, Evidence>;

/** When a round began, on both clocks. */
export interface RoundStart {
  readonly at: WallTime;
  readonly mono: Monotonic;
}

const DISTURBED: Evidence = { kind: 'could-not-tell', reason: 'siteward stood still, or the clock was set' };

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
    const now = this.#options.clock.wallNow();
    for (const device of devices) {
      const tracked = this.#devices.get(device.name);
      if (tracked) tracked.device = device;
      else
        this.#devices.set(device.name, {
          device,
          standing: newStanding(now),
          probes: new Map(),
          depth: 0,
          live: this.#shown(device.name, 'unknown', now),
          lastTold: undefined,
          lastPublished: undefined,
        });
    }
    for (const tracked of this.#devices.values()) tracked.depth = this.#depthOf(tracked.device);
    for (const device of devices) this.#publish(device.name);
  }

  /** Devices that are watched. */
  names(): IterableIterator<string> {
    return this.#devices.keys();
  }

  standing(device: string): Standing | undefined {
    return this.#devices.get(device)?.standing;
  }

  /** The state as it is shown. */
  live(device: string): State | undefined {
    return this.#devices.get(device)?.live;
  }

  /** The devices through which it is reached, nearest first. */
  parentsOf(device: string): string[] {
    const parents: string[] = [];
    let above = this.#devices.get(device)?.device.parent;
    while (above !== undefined && !parents.includes(above)) {
      parents.push(above);
      above = this.#devices.get(above)?.device.parent;
    }
    return parents;
  }

  /** Judges one round. Devices that have left meanwhile are passed over. */
  round(start: RoundStart, results: ReadonlyMap<string, RoundResult>): void {
    const disturbed = this.#options.disturbedSince?.(start.mono) ?? false;
    const present: { tracked: Tracked; result: RoundResult; evidence: Evidence }[] = [];
    for (const [name, result] of results) {
      const tracked = this.#devices.get(name);
      if (tracked) present.push({ tracked, result, evidence: disturbed ? DISTURBED : combine([...result.values()]) });
    }
    present.sort((a, b) => a.tracked.depth - b.tracked.depth);
    for (const { tracked, evidence } of present) if (evidence.kind !== 'could-not-tell') tracked.lastTold = start.at;
    const massLoss = this.#massLoss(start.at, present);
    for (const { tracked, result, evidence } of present) this.#judge(tracked, start.at, evidence, result, massLoss);
  }

  /** Notes what a probe outside the rounds said, such as an SNMP poll of a device whose state hangs on ICMP alone. */
  probe(device: string, probe: string, evidence: Evidence): void {
    const tracked = this.#devices.get(device);
    if (!tracked || !this.#note(tracked, probe, evidence)) return;
    this.#publish(device);
  }

  /** What was known of all devices counts no more: nobody watched until `at`. */
  interrupt(at: WallTime, rule: Rule): void {
    for (const tracked of this.#devices.values()) {
      tracked.standing = interrupted(at, rule);
      tracked.lastTold = undefined;
      tracked.live = this.#shown(tracked.device.name, 'unknown', at);
      this.#publish(tracked.device.name);
    }
  }

  /** Looks whether maintenance began or ended for anybody. */
  refreshShown(at: WallTime): void {
    for (const [name, tracked] of this.#devices) {
      const live = this.#shown(name, tracked.standing.state, at);
      if (live === tracked.live) continue;
      tracked.live = live;
      this.#options.onShown?.(name, live, at);
      this.#publish(name);
    }
  }

  /** Publishes states and probes of all devices, for sinks that keep a history. */
  publishAll(): void {
    for (const name of this.#devices.keys()) this.#publish(name);
  }

  /** Up to when what is known of a device is settled: a silence that is not judged yet may still become an outage. */
  settledUntil(device: string, at: WallTime): WallTime {
    const standing = this.#devices.get(device)?.standing;
    return standing?.state === 'up' && standing.firstSilent !== undefined
      ? (Math.min(at, standing.firstSilent) as WallTime)
      : at;
  }

  #judge(tracked: Tracked, began: WallTime, evidence: Evidence, result: RoundResult, massLoss: boolean): void {
    const before = tracked.standing;
    // The clock may have been put back a little since: no state begins before the one that it ends.
    const at = Math.max(began, before.since) as WallTime;
    const { name, parent: parentName } = tracked.device;
    const parent = parentName === undefined ? undefined : this.#devices.get(parentName)?.standing;
    tracked.standing = judge(before, { at, evidence }, { ...(parent ? { parent } : {}), massLoss });
    let changed = before.state !== tracked.standing.state;
    for (const [probe, said] of result) changed = this.#note(tracked, probe, said) || changed;
    if (before.state !== tracked.standing.state) {
      tracked.live = this.#shown(name, tracked.standing.state, at);
      this.#options.onTransition({
        device: name,
        from: before.state,
        to: tracked.standing,
        live: tracked.live,
        at: this.#options.clock.wallNow(),
        evidence: evidence === DISTURBED ? { siteward: DISTURBED } : Object.fromEntries(result),
        ...(tracked.standing.state === 'unreachable' && parentName !== undefined ? { parent: parentName } : {}),
      });
    }
    if (changed) this.#publish(name);
  }

  /** Devices behind a silent one are left out: that one explains them. */
  #massLoss(at: WallTime, present: readonly { readonly tracked: Tracked; readonly evidence: Evidence }[]): boolean {
    const heard = new Map(present.map(({ tracked, evidence }) => [tracked.device.name, evidence.kind]));
    if (![...heard.values()].includes('silent')) return false;
    const candidates: MassCandidate[] = [];
    let interval = 0;
    for (const { device, standing, lastTold } of this.#devices.values()) {
      if (device.parent !== undefined && this.#isSilent(device.parent, heard)) continue;
      candidates.push({ standing: withRound(standing, heard.get(device.name), at), lastTold });
      interval = Math.max(interval, device.intervals().availability);
    }
    return isMassLoss(candidates, interval);
  }

  #isSilent(name: string, heard: ReadonlyMap<string, Evidence['kind']>): boolean {
    const now = heard.get(name);
    return now === undefined ? (this.#devices.get(name)?.standing.silentRounds ?? 0) > 0 : now === 'silent';
  }

  #shown(device: string, state: State, at: WallTime): State {
    return state !== 'up' && this.#options.inMaintenance?.(device, at) ? 'maintenance' : state;
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
    const sums = this.#options.sums?.(name);
    const groups: ReadingGroup[] = [
      { name: 'state', readings: stateReadings(tracked.live) },
      {
        name: 'probes',
        readings: [...tracked.probes].map(
          ([probe, ok]): Reading => ({
            metric: 'siteward_probe_success',
            labels: probeLabels(probe),
            value: ok ? 1 : 0,
          }),
        ),
      },
      ...(sums ? [{ name: 'seconds', readings: secondsReadings(sums) }] : []),
    ];
    this.#options.publish({
      device: name,
      collector: 'availability',
      question: 'alive',
      at: this.#momentOf(tracked),
      took: 0 as Observation['took'],
      evidence: { kind: 'answered' },
      groups,
      problems: [],
      requests: 0,
      timeouts: 0,
    });
  }

  /** Now, or just after: of two states at one time a receiver keeps whichever reaches it last, or refuses one. */
  #momentOf(tracked: Tracked): WallTime {
    const now = this.#options.clock.wallNow();
    const last = tracked.lastPublished;
    const moment = last !== undefined && now <= last && last - now < SAME_MOMENT ? ((last + 1) as WallTime) : now;
    tracked.lastPublished = moment;
    return moment;
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

/** The run of silence as it will be after this round: the rule looks at all devices at once, before each is judged. */
function withRound(standing: Standing, kind: Evidence['kind'] | undefined, at: WallTime): Standing {
  if (kind === undefined) return standing;
  if (kind === 'silent')
    return { ...standing, silentRounds: standing.silentRounds + 1, firstSilent: standing.firstSilent ?? at };
  const { firstSilent: _, ...rest } = standing;
  return { ...rest, silentRounds: 0 };
}

/** There are as many as kinds of checks in the config. */
const probeLabels = labelsBy('probe');
const STATE_LABELS = STATES.map((state) => ({ state }));

function stateReadings(state: State): Reading[] {
  const readings: Reading[] = [];
  for (const labels of STATE_LABELS)
    readings.push({ metric: 'siteward_device_state', labels, value: labels.state === state ? 1 : 0 });
  if (state !== 'unknown')
    readings.push({ metric: 'siteward_device_up', labels: NO_LABELS, value: state === 'up' ? 1 : 0 });
  return readings;
}

function secondsReadings(sums: StateSums): Reading[] {
  const readings: Reading[] = [];
  for (const labels of STATE_LABELS) {
    const value = BigInt(Math.floor(sums[labels.state] / 1000));
    readings.push({ metric: 'siteward_availability_seconds_total', labels, value });
  }
  return readings;
}
