/**
 * From observations to the ledger: which of them is kept, who the printer is, and what is asked again at once. A read is
 * kept every hour, right before and after a cut, and whenever something is out of the ordinary.
 */
import type { Clock, Identity, Milliseconds, Monotonic, Observation, Reading, WallTime } from '#collectors/contract.ts';
import { NO_LABELS } from '#collectors/labels.ts';
import type { Logger } from '../log.ts';
import type { MeterLedger } from './ledger.ts';
import { LiveBills } from './live-bills.ts';
import { doubt, type ObservedMeters, observedMeters, sourceOf } from './observed.ts';
import { doubledKey, printerKey } from './printer.ts';
import type { Meter, Source, Step } from './read.ts';
import { SupplyKeeper } from './supply-keeper.ts';
import { cutAfter, type Terms } from './terms.ts';

export interface RecorderOptions {
  readonly ledger: MeterLedger;
  readonly clock: Clock;
  readonly log: Logger;
  readonly terms: () => readonly Terms[];
  /** Version of a profile's content. */
  readonly profileVersion: (profile: string) => string;
  readonly publish: (observation: Observation) => void;
  /** Asks a device anew, with who it is. */
  readonly askAgain: (device: string) => void;
}

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** A wall clock that moves so much against the other one has been set. */
const CLOCK_STEP = MINUTE;
/** So far back a clock may be corrected without a doubt about the read. */
const CLOCK_SLACK = 5 * MINUTE;
/** No appliance with this software ran before: 2024-01-01T00:00Z. */
const EARLIEST = 1_704_067_200_000;
const MOST_WAITING = 20_000;
/** Reads that are kept, and asked for at once, after one that was out of the ordinary. */
const READS_AGAIN = 3;
/** A printer whose counters go on not to follow is asked again less and less often, not with each poll for ever. */
const SHORTEST_PAUSE = 5 * MINUTE;
const LONGEST_PAUSE = HOUR;
/** Two devices of one serial, both read within this time, are two devices at once and not one that moved. */
const AT_ONCE = 2 * HOUR;

interface Device {
  readonly name: string;
  identity?: Identity;
  /** The printer that it was read as last, and its values. */
  printer?: string;
  values: ReadonlyMap<Meter, number>;
  valuesAt: WallTime;
  observed?: { readonly observation: Observation; readonly meters: ObservedMeters; kept: boolean };
  keptAt?: WallTime;
  trustedAt?: WallTime;
  step?: Step;
  /** Answers to come that are kept, and after which it is asked once more. */
  again: number;
  /** How long it is not asked again after it was, and until when; 0 where its counters follow. */
  pause: number;
  quietUntil: Monotonic;
  recalled: boolean;
  queue: Promise<void>;
}

export class Recorder {
  readonly #options: RecorderOptions;
  readonly #devices = new Map<string, Device>();
  /** printer -> where it was read last. */
  readonly #places = new Map<
    string,
    { readonly device: string; readonly at: WallTime; values: ReadonlyMap<Meter, number> }
  >();
  readonly #bills: LiveBills;
  readonly #supplies: SupplyKeeper;
  readonly #doubled = new Map<string, Set<string>>();
  #offset: number | undefined;
  #stepped = false;
  #waiting = 0;
  #failing = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#bills = new LiveBills(options.ledger, options.terms);
    this.#supplies = new SupplyKeeper(options.ledger, options.log);
    for (const { device, printer } of options.ledger.knownSources().values()) {
      if (!printer.endsWith(`@${device}`)) continue;
      const key = printer.slice(0, -device.length - 1);
      this.#doubled.set(key, (this.#doubled.get(key) ?? new Set()).add(device));
    }
  }

  accept(observation: Observation): void {
    if (observation.collector !== 'snmp' || observation.question === 'alive') return;
    this.#watchClock(observation.at);
    const known = this.#devices.get(observation.device);
    const isPrinter =
      known !== undefined ||
      observation.identity?.class === 'printer' ||
      observation.groups.some(({ name }) => name === 'meters');
    if (!isPrinter || this.#waiting >= MOST_WAITING) return;
    const device = known ?? this.#newDevice(observation.device);
    this.#waiting += 1;
    device.queue = device.queue
      .then(() => this.#take(device, observation))
      .catch((error: unknown) => this.#failed(device, error))
      .finally(() => {
        this.#waiting -= 1;
      });
  }

  /** Resolves when everything accepted so far is on disk, or rejects with the signal's reason. */
  async flush(signal: AbortSignal): Promise<void> {
    const all = Promise.all([...this.#devices.values()].map(({ queue }) => queue));
    await Promise.race([
      all,
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
    ]);
  }

  forget(device: string): void {
    this.#devices.delete(device);
  }

  /** A person has decided something: what is billed may be another sum now. */
  refresh(): void {
    this.#bills.forget();
  }

  #newDevice(name: string): Device {
    const device: Device = {
      name,
      values: new Map(),
      valuesAt: 0 as WallTime,
      again: 0,
      pause: 0,
      quietUntil: 0 as Monotonic,
      recalled: false,
      queue: Promise.resolve(),
    };
    this.#devices.set(name, device);
    return device;
  }

  async #take(device: Device, observation: Observation): Promise<void> {
    if (!device.recalled) await this.#recall(device);
    if (observation.identity) device.identity = observation.identity;
    const meters = observedMeters(observation);
    if (!meters) return;
    await this.#supplies.take(device.name, this.#keyOf(device), observation);
    const before = device.observed;
    const judged = this.#judge(device, observation, meters);
    device.observed = { observation, meters: judged, kept: false };
    if (before && !before.kept && this.#crossesCut(before.observation.at, observation.at))
      await this.#keep(device, before);
    if (this.#isDue(device, observation, judged, before?.observation.at)) await this.#keep(device, device.observed);
    this.#publish(device, observation.at);
  }

  /** What the ledger knows of a device from before the daemon was started. */
  async #recall(device: Device): Promise<void> {
    const { ledger } = this.#options;
    device.recalled = true;
    const last = await ledger.lastReads(device.name);
    const good = last.findLast(({ step }) => step === 'ok');
    const source = good && ledger.knownSources().get(good.source);
    device.trustedAt = (last.findLast(({ clockTrusted }) => clockTrusted)?.at ?? 0) as WallTime;
    if (!good || !source) return;
    device.printer = source.printer;
    device.values = valuesOf(source, good.slots);
    device.valuesAt = good.at;
    this.#places.set(source.printer, { device: device.name, at: good.at, values: device.values });
  }

  /** Says `warm-up` or `implausible` where the values cannot be the next ones, and has the device asked again. */
  #judge(device: Device, { at, question, identity }: Observation, meters: ObservedMeters): ObservedMeters {
    if (meters.step !== 'ok') return meters;
    const key = this.#keyOf(device);
    const sameAsBefore = device.printer === undefined || key === device.printer;
    const place = sameAsBefore ? { values: device.values, at: device.valuesAt } : this.#places.get(key);
    const elapsed = Math.max(0, at - (place?.at ?? at)) as Milliseconds;
    const found =
      place && place.values.size > 0 ? doubt(place.values, meters.values, elapsed, this.#rated()) : undefined;
    if (found === 'warm-up') return { ...meters, step: 'warm-up' };
    const now = this.#options.clock.monotonicNow();
    const isQuiet = now < device.quietUntil;
    if (found && device.again === 0 && !isQuiet) {
      this.#options.log.warn('a printer shows counters that do not follow from the last ones; it is asked again', {
        device: device.name,
        why: found,
        question,
      });
      device.again = READS_AGAIN;
      device.pause = Math.min(LONGEST_PAUSE, Math.max(SHORTEST_PAUSE, 2 * device.pause));
      device.quietUntil = (now + device.pause) as Monotonic;
    } else if (!found && !isQuiet) {
      device.pause = 0;
    }
    if (device.again > 0) this.#options.askAgain(device.name);
    // Another printer may stand at this address: only an answer that says who it is may move the counters.
    return found && !identity ? { ...meters, step: 'implausible' } : meters;
  }

  #rated(): number {
    return Math.max(...this.#options.terms().map(({ rated }) => rated));
  }

  #isDue(device: Device, { at }: Observation, { step }: ObservedMeters, observedAt: WallTime | undefined): boolean {
    if (device.again > 0) {
      device.again -= 1;
      return true;
    }
    if (device.keptAt === undefined || step !== device.step) return true;
    if (Math.floor(at / HOUR) !== Math.floor(device.keptAt / HOUR)) return true;
    return observedAt !== undefined && this.#crossesCut(observedAt, at);
  }

  #crossesCut(before: WallTime, now: WallTime): boolean {
    if (now <= before || Math.floor(before / (15 * MINUTE)) === Math.floor(now / (15 * MINUTE))) return false;
    return this.#options.terms().some((terms) => cutAfter(terms, (before - 1) as WallTime) <= now);
  }

  async #keep(device: Device, observed: NonNullable<Device['observed']>): Promise<void> {
    const { ledger, profileVersion } = this.#options;
    const { observation, meters } = observed;
    const { at } = observation;
    const clockTrusted = this.#isTrusted(device, at);
    let source = 0;
    if (meters.meters.length > 0) {
      const printer = await this.#identify(device, at, meters);
      const body = sourceOf(
        device.name,
        printer,
        device.identity,
        profileVersion(device.identity?.profile ?? ''),
        meters.meters,
      );
      source = await ledger.sourceNumber(body, at);
    }
    const { step, slots, note } = meters;
    const read = await ledger.append(device.name, {
      at,
      clockTrusted,
      step,
      source,
      slots,
      ...(note !== undefined && { note }),
    });
    observed.kept = true;
    device.keptAt = at;
    device.step = step;
    if (clockTrusted) device.trustedAt = at;
    const body = ledger.knownSources().get(source);
    if (step === 'ok' && body) {
      device.printer = body.printer;
      device.values = meters.values;
      device.valuesAt = at;
      this.#places.set(body.printer, { device: device.name, at, values: meters.values });
      if (clockTrusted) await this.#bills.take(device.name, body, read);
    }
    if (this.#failing) this.#options.log.info('meter reads are written again', {});
    this.#failing = false;
  }

  #keyOf(device: Device): string {
    // After a restart the first answer says who it is; what comes before is of whom it was last.
    if (!device.identity && device.printer !== undefined) return device.printer;
    const key = printerKey(device.name, device.identity);
    return this.#doubled.get(key)?.has(device.name) ? doubledKey(key, device.name) : key;
  }

  /** The printer that this is. Two devices at once with one serial and counters that do not fit are two printers. */
  async #identify(device: Device, at: WallTime, meters: ObservedMeters): Promise<string> {
    const key = this.#keyOf(device);
    const place = this.#places.get(key);
    if (!place || place.device === device.name || at - place.at > AT_ONCE || meters.step !== 'ok') return key;
    const there = this.#devices.get(place.device);
    const stillThere = there?.printer === key;
    const fits = doubt(place.values, meters.values, (at - place.at) as Milliseconds, this.#rated()) === undefined;
    if (fits || !stillThere) return key;
    const serial = device.identity?.serial ?? '';
    this.#options.log.warn('two devices show one serial number and are two printers', {
      devices: [place.device, device.name],
      serial,
    });
    this.#doubled.set(key, (this.#doubled.get(key) ?? new Set()).add(device.name));
    await this.#options.ledger.enter('serial-doubled', { serial, devices: [place.device, device.name] }, at);
    return doubledKey(key, device.name);
  }

  /** A clock that was set while the daemon ran is believed; one that is behind after a restart is not, until it has caught up. */
  #isTrusted(device: Device, at: WallTime): boolean {
    if (at < EARLIEST) return false;
    return this.#stepped || at >= (device.trustedAt ?? 0) - CLOCK_SLACK;
  }

  #watchClock(at: WallTime): void {
    const { clock, ledger, log } = this.#options;
    const offset = clock.wallNow() - clock.monotonicNow();
    if (this.#offset !== undefined && Math.abs(offset - this.#offset) > CLOCK_STEP) {
      const before = (clock.monotonicNow() + this.#offset) as WallTime;
      this.#stepped = true;
      log.warn('the wall clock was set', { before: new Date(before).toISOString(), after: new Date(at).toISOString() });
      void ledger.enter('clock-step', { before, after: clock.wallNow() }, clock.wallNow()).catch((error: unknown) => {
        log.error('an entry of the meter ledger could not be written', { error });
      });
    }
    this.#offset = offset;
  }

  #publish(device: Device, at: WallTime): void {
    const readings: Reading[] = [];
    if (device.keptAt !== undefined && device.step === 'ok') {
      for (const [meter, pages] of this.#bills.of(device.printer)) {
        readings.push({ metric: 'siteward_printer_meter_billed_pages_total', labels: { meter }, value: BigInt(pages) });
      }
    }
    if (device.valuesAt > 0) {
      readings.push({
        metric: 'siteward_printer_meter_last_read_timestamp_seconds',
        labels: NO_LABELS,
        value: device.valuesAt / 1000,
      });
    }
    this.#options.publish(meterObservation(device.name, at, 'meters', readings));
    const supplies = this.#supplies.daysLeft(device.name, at);
    if (supplies.length > 0) this.#options.publish(meterObservation(device.name, at, 'supplies-left', supplies));
  }

  #failed(device: Device, error: unknown): void {
    // The next observation is tried anew, so the read is late and not lost.
    delete device.keptAt;
    if (!this.#failing) {
      this.#options.log.error('meter reads cannot be written; they are tried again with each poll', {
        device: device.name,
        error,
      });
    }
    this.#failing = true;
  }
}

function valuesOf(source: Source, slots: readonly number[]): ReadonlyMap<Meter, number> {
  const values = new Map<Meter, number>();
  let place = 0;
  for (const { meter, parts } of source.meters) {
    const pages = slots[place];
    if (pages !== undefined) values.set(meter, pages);
    place += parts > 1 ? 1 + parts : 1;
  }
  return values;
}

function meterObservation(device: string, at: WallTime, name: string, readings: readonly Reading[]): Observation {
  return {
    device,
    collector: 'meters',
    question: 'metrics',
    at,
    took: 0 as Milliseconds,
    evidence: { kind: 'answered' },
    groups: [{ name, readings }],
    problems: [],
    requests: 0,
    timeouts: 0,
  };
}
