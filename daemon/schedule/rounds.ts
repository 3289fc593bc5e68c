import type { Clock, Collector, Evidence, Milliseconds, Observation } from '#collectors/contract.ts';
import { ownFaults } from '#collectors/icmp/own-side.ts';
import type { AvailabilityTracker, RoundResult } from '../availability/tracker.ts';
import { SILENT_ROUNDS } from '../availability/verdict.ts';
import { type Check, isAddress, type WatchedDevice } from '../inventory/watched.ts';

export interface RoundsOptions {
  readonly clock: Clock;
  readonly collectors: { readonly icmp: Collector; readonly snmp: Collector; readonly tcp: Collector };
  readonly tracker: AvailabilityTracker;
  readonly publish: (observation: Observation) => void;
  /** Whether a device is watched now as it was when its round began. */
  readonly isWatched: (device: WatchedDevice) => boolean;
}

/**
 * Rounds of availability checks: all devices of one interval together, so that one process sends all echo requests. A
 * device that fell silent is asked again in faster rounds until it is judged.
 */
export class Rounds {
  readonly #options: RoundsOptions;
  /** Devices whose ICMP was answered once: for them silence means something. */
  readonly #echoed = new Set<string>();
  /** Devices in a round that has not ended, which no second round may ask. */
  readonly #asked = new Set<string>();

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  forget(device: string): void {
    this.#echoed.delete(device);
  }

  /** Silent, but not yet for long enough to be called down. */
  suspect(device: string): boolean {
    const standing = this.#options.tracker.standing(device);
    return standing !== undefined && standing.silentRounds > 0 && standing.silentRounds < SILENT_ROUNDS;
  }

  /** Devices to ask again soon: those that fell silent, and those through which they are reached. */
  suspects(devices: Iterable<string>): Set<string> {
    const suspects = new Set<string>();
    for (const device of devices) {
      if (!this.suspect(device)) continue;
      suspects.add(device);
      for (const parent of this.#options.tracker.parentsOf(device)) suspects.add(parent);
    }
    return suspects;
  }

  /** One round over these devices. */
  async run(devices: readonly WatchedDevice[], signal: AbortSignal): Promise<void> {
    const { clock, tracker } = this.#options;
    const free = devices.filter(({ name }) => !this.#asked.has(name));
    if (free.length === 0) return;
    for (const { name } of free) this.#asked.add(name);
    try {
      const start = { at: clock.wallNow(), mono: clock.monotonicNow() };
      const results = await this.#ask(free, signal);
      // Past its deadline a round is judged by what it heard until then: one device that lets us wait must not void it
      // for all others. Only one that was broken off because siteward stops proves nothing.
      if (!isDeadline(signal)) signal.throwIfAborted();
      tracker.round(start, results);
    } finally {
      for (const { name } of free) this.#asked.delete(name);
    }
  }

  async #ask(devices: readonly WatchedDevice[], signal: AbortSignal): Promise<Map<string, RoundResult>> {
    const { icmp, snmp, tcp } = this.#options.collectors;
    const results = new Map(devices.map(({ name }) => [name, new Map<string, Evidence>()]));
    const asks = (kind: Check['kind']) =>
      devices.filter(({ checks }) => (checks ?? [{ kind: 'icmp' }]).some((check) => check.kind === kind));
    await Promise.all([
      this.#collect(icmp, asks('icmp'), results, signal),
      this.#collect(snmp, asks('snmp'), results, signal),
      this.#collect(tcp, asks('tcp'), results, signal),
    ]);
    const deaf = this.#stillWatched(devices).filter((device) => this.#fallsBack(device, results.get(device.name)));
    await this.#collect(snmp, deaf, results, signal);
    for (const device of deaf) {
      const result = results.get(device.name);
      // Its agent speaks for a device that never answered an echo request: then those say nothing about it.
      if (result?.get('snmp')?.kind === 'answered') result.delete('icmp');
    }
    await this.#excuse(devices, results);
    const present = new Set(this.#stillWatched(devices));
    for (const device of devices) if (!present.has(device)) results.delete(device.name);
    return results;
  }

  /** What a round hears of a device that a reload took out or changed meanwhile says nothing about the one there now. */
  #stillWatched(devices: readonly WatchedDevice[]): WatchedDevice[] {
    return devices.filter((device) => this.#options.isWatched(device));
  }

  /** SNMP timeouts say nothing about a device while this machine has no way to it. */
  async #excuse(devices: readonly WatchedDevice[], results: ReadonlyMap<string, Map<string, Evidence>>): Promise<void> {
    const silent = devices.filter(({ name }) => results.get(name)?.get('snmp')?.kind === 'silent');
    const faults = await ownFaults(silent.map(({ target }) => target.address).filter(isAddress));
    for (const { name, target } of silent) {
      const fault = faults.get(target.address);
      if (fault) results.get(name)?.set('snmp', { kind: 'could-not-tell', reason: fault.message });
    }
  }

  /** Without `checks` of its own, a device that never answered ICMP is asked by SNMP instead. */
  #fallsBack(device: WatchedDevice, result: RoundResult | undefined): boolean {
    const echo = result?.get('icmp');
    if (echo?.kind === 'answered') this.#echoed.add(device.name);
    return (
      device.checks === undefined &&
      echo?.kind !== 'answered' &&
      !this.#echoed.has(device.name) &&
      device.target.credentials.length > 0
    );
  }

  async #collect(
    collector: Collector,
    devices: readonly WatchedDevice[],
    results: ReadonlyMap<string, Map<string, Evidence>>,
    signal: AbortSignal,
  ): Promise<void> {
    if (devices.length === 0) return;
    const observations = await collector.collect(
      'alive',
      devices.map(({ target }) => target),
      { clock: this.#options.clock, signal },
    );
    const watched = new Set(this.#stillWatched(devices).map(({ name }) => name));
    for (const observation of observations) {
      if (!watched.has(observation.device)) continue;
      results.get(observation.device)?.set(collector.name, observation.evidence);
      this.#options.publish(observation);
    }
  }
}

function isDeadline({ reason }: AbortSignal): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError';
}

/** How often devices that fell silent are asked again. */
export const SUSPECT_INTERVAL = 5_000 as Milliseconds;
