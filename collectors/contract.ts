/**
 * The words that collectors, daemon and sinks share. Types only: nothing here runs, so nothing here can be imported
 * in a circle.
 *
 * site: one client premises · device: anything with an address that is watched · collector: code that asks one kind of
 * question and says what it saw · observation: what one question to one device brought · reading: one typed value in
 * it · sink: whatever takes observations.
 */
import type { Credential } from '#config/schema.ts';
import type { DeviceClass } from '#config/words.ts';
import type { MetricName } from './catalogue.ts';

/** A duration. */
export type Milliseconds = number & { readonly __unit: 'ms' };

/** Milliseconds since 1970-01-01T00:00Z. May jump when the clock is set; it labels, it never measures. */
export type WallTime = number & { readonly __clock: 'wall' };

/** Milliseconds of a clock that never jumps. Measures and schedules; means nothing after a restart. */
export type Monotonic = number & { readonly __clock: 'monotonic' };

/** Time that a piece of work may take. */
export interface Deadline {
  /** Aborts when the time is over. */
  readonly signal: AbortSignal;
  /** Ends the time now. */
  abort(reason: Error): void;
  /** The work is over. */
  release(): void;
}

/** Passed in wherever time matters, so that tests can move it. */
export interface Clock {
  wallNow(): WallTime;
  monotonicNow(): Monotonic;
  /** Resolves after `duration`, rejects with the signal's reason when it aborts first. */
  sleep(duration: Milliseconds, signal?: AbortSignal): Promise<void>;
  /** A signal that aborts with a TimeoutError after `duration`. */
  timeout(duration: Milliseconds): AbortSignal;
  /** The same for work that mostly ends in time and often begins: nothing is left of it once it is released. */
  deadline(duration: Milliseconds): Deadline;
}

export type { DeviceClass } from '#config/words.ts';

/** What a device says it is. A fact that it does not tell is absent. */
export interface Identity {
  readonly class: DeviceClass;
  /** The maker's usual short name: `Fortinet`, `HP`. */
  readonly vendor?: string;
  /** What is printed on the box. */
  readonly model?: string;
  readonly serial?: string;
  /** Firmware or system version. */
  readonly version?: string;
  readonly sysName?: string;
  /** Name of the profile that matched. */
  readonly profile: string;
  readonly sysObjectId?: string;
  readonly sysDescr?: string;
  /** snmpEngineID (RFC 3411) as lower-case hex. */
  readonly engineId?: string;
  /** Physical addresses of its interfaces, `aa:bb:cc:dd:ee:ff`, without duplicates. */
  readonly macs?: readonly string[];
}

/** Something a technician can act on. `code` is stable, `message` says what was seen, `hint` what to do. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/**
 * Names and values of labels. Sinks know a series again by this very object: who reports the same series round after round
 * keeps its labels, and whoever makes them anew each time pays for it in every sink.
 */
export type Labels = Readonly<Record<string, string>>;

/** Where a value that money hangs on was read: kept with each meter, so that an invoice can be traced. */
export interface ReadingSource {
  readonly oid: string;
  /** `impressions`, `sheets`, … */
  readonly unit: string;
  /** What the agent sent, as text, before any decoding. */
  readonly raw: string;
}

/** One value in the base unit of its metric. Counters are `bigint`, gauges `number`. Never NaN or infinite. */
export interface Reading {
  readonly metric: MetricName;
  /** Every label of the metric's catalogue entry but `device`, in any order. */
  readonly labels: Labels;
  readonly value: number | bigint;
  readonly source?: ReadingSource;
}

/**
 * Whether the device was there. `could-not-tell` is for faults on our side (tool missing, own link down, loop stalled):
 * it is never evidence against the device.
 */
export type Evidence =
  | { readonly kind: 'answered' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'could-not-tell'; readonly reason: string };

/**
 * `alive` asks only whether the device answers; `metrics` reads counters and gauges; `inventory` also learns anew who
 * the device is and which objects it has.
 */
export type Question = 'alive' | 'metrics' | 'inventory';

/** The readings of one topic. A later group of the same name and device replaces it as a whole. */
export interface ReadingGroup {
  readonly name: string;
  readonly readings: readonly Reading[];
}

/** What one question to one device brought. */
export interface Observation {
  readonly device: string;
  readonly collector: string;
  readonly question: Question;
  /** When the answer was complete. */
  readonly at: WallTime;
  readonly took: Milliseconds;
  readonly evidence: Evidence;
  readonly groups: readonly ReadingGroup[];
  readonly identity?: Identity;
  readonly problems: readonly Problem[];
  /** Packets or connections that it cost. */
  readonly requests: number;
  readonly timeouts: number;
}

/** A device as collectors see it. */
export interface Target {
  readonly name: string;
  /** A canonical IPv4 or IPv6 address. Host names are resolved before, by the daemon. */
  readonly address: string;
  /** UDP port of its SNMP agent. */
  readonly snmpPort: number;
  /** TCP ports that must accept a connection, from `checks: [tcp/443]`. */
  readonly tcpPorts: readonly number[];
  /** In the order in which they are tried. */
  readonly credentials: readonly Credential[];
  /** Stated by the config: wins over what the profile says. */
  readonly class?: DeviceClass;
}

export interface CollectContext {
  readonly clock: Clock;
  /** Aborts when the deadline of this cycle is over or the daemon stops; whatever was read until then is returned. */
  readonly signal: AbortSignal;
}

/** Asks many devices one kind of question. Gives one observation per target and never throws for a device's fault. */
export interface Collector {
  readonly name: string;
  readonly questions: readonly Question[];
  collect(question: Question, targets: readonly Target[], context: CollectContext): Promise<readonly Observation[]>;
  /** Forgets what was learnt about a device that is watched no longer. */
  forget(device: string): void;
  close(): Promise<void>;
}
