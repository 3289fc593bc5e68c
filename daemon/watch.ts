import { lookup } from 'node:dns/promises';
import type {
  Clock,
  Collector,
  DeviceClass,
  Identity,
  Milliseconds,
  Monotonic,
  Observation,
  Problem,
  WallTime,
} from '#collectors/contract.ts';
import type { AvailabilityTracker } from './availability/tracker.ts';
import { isAddress, type WatchedDevice } from './inventory/watched.ts';
import type { Logger } from './log.ts';
import { Rounds, SUSPECT_INTERVAL } from './schedule/rounds.ts';
import { type Lane, type RunResult, Scheduler } from './schedule/scheduler.ts';

/** What is known of a device beside its state. */
export interface DeviceFacts {
  identity?: Identity;
  problems: readonly Problem[];
  lastAnswer?: WallTime;
}

export interface WatchOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly collectors: { readonly icmp: Collector; readonly snmp: Collector; readonly tcp: Collector };
  readonly tracker: AvailabilityTracker;
  readonly publish: (observation: Observation) => void;
  readonly forget: (device: string) => void;
  /** How late a cycle started, how long it took, what was missed: for the daemon's own metrics. */
  readonly meter: {
    started(late: Milliseconds): void;
    polled(observation: Observation): void;
    missed(lane: string, cycles: number): void;
  };
  /** Polls that may be under way at once. */
  readonly maxInFlight: number;
}

/** How often the state of every device is published although it did not change, for sinks that keep a history. */
const REPEAT_STATES = 60_000 as Milliseconds;
/** What keeps rounds from telling anything is said at once, and again this long after while it lasts. */
const SAY_AGAIN = 3_600_000 as Milliseconds;

/** Turns the list of devices into lanes of the scheduler, and their answers into observations. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #scheduler: Scheduler;
  readonly #rounds: Rounds;
  readonly #devices = new Map<string, WatchedDevice>();
  readonly #facts = new Map<string, DeviceFacts>();
  readonly #inventoryDue = new Map<string, Monotonic>();
  /** When a reason for not being able to tell was last said, by its code. */
  readonly #said = new Map<string, Monotonic>();
  #firstCycle = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#rounds = new Rounds({
      clock: options.clock,
      collectors: options.collectors,
      tracker: options.tracker,
      publish: (observation) => this.#published(observation),
      isWatched: (device) => this.#isWatched(device),
    });
    this.#scheduler = new Scheduler({
      clock: options.clock,
      maxInFlight: options.maxInFlight,
      onStart: (_key, late) => options.meter.started(late),
      onMissed: (key, cycles) => options.meter.missed(key, cycles),
      onError: (lane, error) => options.log.error('a poll failed inside siteward', { lane, error }),
    });
  }

  /** True once every lane that was there at the start has run. */
  get firstCycleDone(): boolean {
    return this.#firstCycle;
  }

  devices(): readonly WatchedDevice[] {
    return [...this.#devices.values()];
  }

  device(name: string): WatchedDevice | undefined {
    return this.#devices.get(name);
  }

  facts(device: string): DeviceFacts | undefined {
    return this.#facts.get(device);
  }

  /** Watches these devices and no others; the lanes and counters of those that did not change go on undisturbed. */
  apply(devices: readonly WatchedDevice[]): void {
    const next = new Map(devices.map((device) => [device.name, device]));
    for (const [name, device] of this.#devices) {
      if (next.get(name)?.fingerprint === device.fingerprint) next.set(name, device);
      else this.#leave(name, next.has(name));
    }
    const isNew = [...next.keys()].filter((name) => !this.#devices.has(name));
    this.#devices.clear();
    for (const [name, device] of next) this.#devices.set(name, device);
    for (const name of isNew) this.#facts.set(name, { problems: [] });
    this.#options.tracker.apply(this.devices());
    this.#layLanes();
    for (const name of isNew) this.#publishInfo(name);
  }

  /** Asks everything of a device at once, after it came back or when a person wants to know. */
  hurry(device: string): void {
    this.#inventoryDue.delete(device);
    this.#scheduler.hurry(`poll:${device}`);
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.#scheduler.stop(signal);
  }

  #leave(name: string, comesBack: boolean): void {
    this.#devices.delete(name);
    this.#facts.delete(name);
    this.#inventoryDue.delete(name);
    this.#rounds.forget(name);
    this.#forgetIn(name);
    if (!comesBack) this.#options.forget(name);
  }

  #forgetIn(name: string): void {
    for (const collector of Object.values(this.#options.collectors)) collector.forget(name);
  }

  /** A collector that was asking a device while that left has noted something of it again. */
  #forgetAgain(devices: readonly WatchedDevice[]): void {
    for (const { name } of devices) if (!this.#devices.has(name)) this.#forgetIn(name);
  }

  #isWatched({ name, fingerprint }: WatchedDevice): boolean {
    return this.#devices.get(name)?.fingerprint === fingerprint;
  }

  #layLanes(): void {
    const lanes = new Map([this.#suspectLane(), this.#repeatLane()].map((lane) => [lane.key, lane]));
    for (const device of this.#devices.values()) for (const lane of this.#lanesOf(device)) lanes.set(lane.key, lane);
    for (const key of this.#scheduler.keys()) if (!lanes.has(key)) this.#scheduler.remove(key);
    this.#scheduler.add([...lanes.values()]);
  }

  /** The round that it takes part in, and its own lane for SNMP if it may be asked. */
  #lanesOf(device: WatchedDevice): Lane[] {
    const round = this.#roundLane(this.#intervals(device).availability);
    return device.target.credentials.length > 0 ? [round, this.#pollLane(device)] : [round];
  }

  #intervals(device: WatchedDevice) {
    return device.intervals(this.#facts.get(device.name)?.identity?.class);
  }

  #roundLane(interval: Milliseconds): Lane {
    return {
      key: `round:${interval}`,
      interval,
      run: async (signal) => {
        await this.#round(
          [...this.#devices.values()].filter((device) => this.#intervals(device).availability === interval),
          signal,
        );
        this.#firstCycle = true;
        return 'neither';
      },
    };
  }

  #suspectLane(): Lane {
    return {
      key: 'suspects',
      interval: SUSPECT_INTERVAL,
      run: async (signal) => {
        const names = this.#rounds.suspects(this.#devices.keys());
        if (names.size === 0) return 'neither';
        await this.#round(
          [...this.#devices.values()].filter(({ name }) => names.has(name)),
          signal,
        );
        return 'neither';
      },
    };
  }

  #repeatLane(): Lane {
    return {
      key: 'states',
      interval: REPEAT_STATES,
      run: async () => {
        this.#options.tracker.publishAll();
        for (const name of this.#devices.keys()) this.#publishInfo(name);
        return 'neither';
      },
    };
  }

  async #round(devices: readonly WatchedDevice[], signal: AbortSignal): Promise<void> {
    const resolved = await Promise.all(devices.map((device) => this.#resolved(device)));
    const before = new Map(devices.map(({ name }) => [name, this.#options.tracker.standing(name)?.state]));
    await this.#rounds.run(resolved, signal).finally(() => this.#forgetAgain(devices));
    for (const { name } of devices) {
      if (
        this.#options.tracker.standing(name)?.state === 'up' &&
        before.get(name) !== 'up' &&
        before.get(name) !== 'unknown'
      )
        this.hurry(name);
    }
  }

  #pollLane(device: WatchedDevice): Lane {
    const { name } = device;
    return {
      key: `poll:${name}`,
      interval: this.#intervals(device).metrics,
      run: async (signal): Promise<RunResult> => {
        const { clock, collectors } = this.#options;
        const now = clock.monotonicNow();
        const inventory = now >= (this.#inventoryDue.get(name) ?? 0);
        const { target } = await this.#resolved(device);
        const [observation] = await collectors.snmp
          .collect(inventory ? 'inventory' : 'metrics', [target], { clock, signal })
          .finally(() => this.#forgetAgain([device]));
        if (!observation || !this.#isWatched(device)) return 'neither';
        if (inventory && observation.evidence.kind === 'answered')
          this.#inventoryDue.set(name, (now + this.#intervals(device).inventory) as Monotonic);
        this.#published(observation);
        this.#options.tracker.probe(name, 'snmp', observation.evidence);
        return observation.evidence.kind === 'could-not-tell' ? 'neither' : observation.evidence.kind;
      },
    };
  }

  #published(observation: Observation): void {
    const facts = this.#facts.get(observation.device);
    if (facts) {
      if (observation.evidence.kind === 'answered') facts.lastAnswer = observation.at;
      if (observation.question !== 'alive') facts.problems = observation.problems;
      if (observation.identity) this.#learn(observation.device, facts, observation.identity);
    }
    this.#sayWhatHinders(observation);
    this.#options.meter.polled(observation);
    this.#options.publish(observation);
  }

  /** A missing tool or a pulled cable leaves devices unknown, all at once: one line tells why. */
  #sayWhatHinders({ device, collector, question, evidence, problems }: Observation): void {
    const [problem] = problems;
    if (question !== 'alive' || evidence.kind !== 'could-not-tell' || !problem) return;
    const now = this.#options.clock.monotonicNow();
    const last = this.#said.get(problem.code);
    if (last !== undefined && now - last < SAY_AGAIN) return;
    this.#said.set(problem.code, now);
    const { code, message, hint } = problem;
    this.#options.log.warn('it cannot be told whether devices are there', {
      collector,
      device,
      code,
      reason: message,
      hint,
    });
  }

  #learn(device: string, facts: DeviceFacts, identity: Identity): void {
    const before = facts.identity;
    facts.identity = identity;
    this.#publishInfo(device);
    const watched = this.#devices.get(device);
    // Intervals may differ by class, which is known only now.
    if (watched && before?.class !== identity.class) this.#scheduler.add(this.#lanesOf(watched));
  }

  #publishInfo(name: string): void {
    const device = this.#devices.get(name);
    if (!device) return;
    const identity = this.#facts.get(name)?.identity;
    const labels = {
      address: device.host,
      class: device.target.class ?? identity?.class ?? 'other',
      vendor: identity?.vendor ?? '',
      model: identity?.model ?? '',
      serial: identity?.serial ?? '',
      version: identity?.version ?? '',
      sys_name: identity?.sysName ?? '',
      profile: identity?.profile ?? '',
    };
    this.#options.publish({
      device: name,
      collector: 'inventory',
      question: 'inventory',
      at: this.#options.clock.wallNow(),
      took: 0 as Milliseconds,
      evidence: { kind: 'answered' },
      groups: [{ name: 'info', readings: [{ metric: 'siteward_device_info', labels, value: 1 }] }],
      ...(identity ? { identity: { ...identity, class: labels.class as DeviceClass } } : {}),
      problems: [],
      requests: 0,
      timeouts: 0,
    });
  }

  /** The device with its host name looked up. One that cannot be looked up keeps the name, which no collector can ask. */
  async #resolved(device: WatchedDevice): Promise<WatchedDevice> {
    if (isAddress(device.host)) return device;
    try {
      const { address } = await lookup(device.host);
      return { ...device, target: { ...device.target, address } };
    } catch (error) {
      this.#options.log.warn('a host name cannot be resolved', { device: device.name, host: device.host, error });
      return device;
    }
  }
}
