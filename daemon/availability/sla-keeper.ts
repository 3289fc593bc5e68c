import type { MetricName } from '#collectors/catalogue.ts';
import type { Clock, Labels, Milliseconds, Observation, Reading, WallTime } from '#collectors/contract.ts';
import type { Config } from '#config/schema.ts';
import type { Logger } from '../log.ts';
import type { Condition } from '../notices/incident.ts';
import type { Database } from '../store/store.ts';
import { decimalsFor, ratioNumber } from './exact.ts';
import { readOwnPeriods } from './reading.ts';
import { hms } from './sla-document.ts';
import type { SlaReport, SlaResult, SlaSubject } from './sla-report.ts';
import { total } from './spans.ts';

export interface SlaKeeperOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly database: () => Database;
  readonly config: () => Config;
  readonly publish: (observation: Observation) => void;
}

const EVERY = 300_000 as Milliseconds;
/** Soon after the start the first states are known. */
const FIRST = 45_000 as Milliseconds;
/** How often closed periods are counted anew: a correction may have been entered. */
const PREVIOUS_EVERY = 3_600_000;
/** A budget that is spent this many times faster than the period passes, and by more than half, is told. */
const FAST = 2;
const SPENT = 0.5;

/** Keeps the running and the closed period of every contract counted, for metrics and for notices. */
export class SlaKeeper {
  readonly #options: SlaKeeperOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #current: SlaReport | undefined;
  #published: ReadonlySet<string> = new Set();
  /** `running`: the periods that it comes before and whose they are. Where those change, it is another one. */
  #previous: { readonly report: SlaReport; readonly at: WallTime; readonly running: string } | undefined;

  constructor(options: SlaKeeperOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    const loop = async () => {
      for (let wait = FIRST; !signal.aborted; wait = EVERY) {
        await clock.sleep(wait, signal).catch(() => undefined);
        if (signal.aborted) return;
        await this.refresh().catch((error) => log.warn('contracts could not be counted', { error }));
      }
    };
    this.#running = loop();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Counts now, and publishes the figures of each device. */
  async refresh(): Promise<void> {
    const { clock, database, config } = this.#options;
    const settings = config();
    if (Object.keys(settings.slas).length === 0) {
      this.#current = undefined;
      this.#previous = undefined;
      this.#publish(clock.wallNow());
      return;
    }
    const now = clock.wallNow();
    this.#current = await readOwnPeriods(database(), 0, { config: settings, now });
    const running = JSON.stringify(
      this.#current.results.map(({ sla, period, subjects }) => [sla, period.from, subjects.map(({ name }) => name)]),
    );
    if (this.#previous?.running !== running || now - this.#previous.at >= PREVIOUS_EVERY)
      this.#previous = { report: await readOwnPeriods(database(), 1, { config: settings, now }), at: now, running };
    this.#publish(now);
  }

  /** Budgets that are spent, and those that are spent too fast. */
  conditions(): Condition[] {
    return (this.#current?.results ?? []).flatMap((result) =>
      result.subjects.flatMap((subject) => conditionOf(result, subject)),
    );
  }

  #publish(at: WallTime): void {
    const readings = new Map<string, Reading[]>();
    for (const [period, report] of [
      ['current', this.#current],
      ['previous', this.#previous?.report],
    ] as const) {
      for (const result of report?.results ?? []) {
        for (const subject of result.subjects) {
          const owner = subject.members ? NO_DEVICE : subject.name;
          const list = readings.get(owner) ?? [];
          readings.set(owner, list);
          list.push(...readingsOf(result, subject, period));
        }
      }
    }
    // What no contract names any more has no figures any more.
    for (const device of this.#published) if (!readings.has(device)) this.#options.publish(observed(device, [], at));
    for (const [device, list] of readings) this.#options.publish(observed(device, list, at));
    this.#published = new Set(readings.keys());
  }
}

/** Groups are of the site. No device has this name. */
const NO_DEVICE = '';

function observed(device: string, readings: readonly Reading[], at: WallTime): Observation {
  return {
    device,
    collector: 'sla',
    question: 'inventory',
    at,
    took: 0 as Milliseconds,
    evidence: { kind: 'answered' },
    groups: [{ name: 'sla', readings }],
    problems: [],
    requests: 0,
    timeouts: 0,
  };
}

function readingsOf(
  { sla, settings }: SlaResult,
  { name, members, figures }: SlaSubject,
  period: 'current' | 'previous',
): Reading[] {
  const family = members ? GROUP : DEVICE;
  const labels: Labels = { sla, ...(members ? { group: name } : {}), period };
  const { agreed, unknown, measured, downtime, covered, remaining, burn } = figures;
  const decimals = decimalsFor(settings.target);
  const known = figures.watched.length > 0;
  const values: Readonly<Record<keyof typeof DEVICE, number | null | undefined>> = {
    target: settings.target.value,
    // Nothing is known of a period in which the device was not watched.
    availability: covered ? ratioNumber(measured - downtime, measured, decimals) : undefined,
    downtime: known ? downtime / 1000 : undefined,
    remaining: known ? remaining / 1000 : undefined,
    coverage: known ? ratioNumber(agreed - unknown, agreed, decimals) : undefined,
    burn,
  };
  return FIGURES.flatMap((figure) => {
    const value = values[figure];
    return value === undefined || value === null ? [] : [{ metric: family[figure], labels, value }];
  });
}

const DEVICE = {
  target: 'siteward_sla_target_ratio',
  availability: 'siteward_sla_availability_ratio',
  downtime: 'siteward_sla_downtime_seconds',
  remaining: 'siteward_sla_budget_remaining_seconds',
  coverage: 'siteward_sla_coverage_ratio',
  burn: 'siteward_sla_budget_burn_ratio',
} as const satisfies Record<string, MetricName>;
const GROUP = {
  target: 'siteward_sla_group_target_ratio',
  availability: 'siteward_sla_group_availability_ratio',
  downtime: 'siteward_sla_group_downtime_seconds',
  remaining: 'siteward_sla_group_budget_remaining_seconds',
  coverage: 'siteward_sla_group_coverage_ratio',
  burn: 'siteward_sla_group_budget_burn_ratio',
} as const satisfies Record<keyof typeof DEVICE, MetricName>;
const FIGURES = Object.keys(DEVICE) as (keyof typeof DEVICE)[];

function conditionOf(
  { sla, settings, period, service }: SlaResult,
  { name, members, figures }: SlaSubject,
): Condition[] {
  const { budget, remaining, downtime, met, agreed } = figures;
  if (downtime === 0) return [];
  const common = {
    kind: 'sla' as const,
    since: period.from,
    lines: [
      `downtime ${hms(downtime)} of ${hms(budget)} that ${settings.target.text} allows in this ${settings.period.replace('calendar_', '')}`,
      `${figures.counted} outages count`,
    ],
    ...(members ? {} : { device: name }),
  };
  if (
    remaining < 0 ||
    (met === false && settings.maximum_outages !== undefined && figures.counted > settings.maximum_outages)
  )
    return [
      {
        ...common,
        key: `sla:${sla}:${name}:missed`,
        severity: 'critical',
        title: `${name} has missed ${sla} in this period`,
      },
    ];
  const elapsed = agreed / Math.max(1, total(service.agreed));
  const spent = downtime / Math.max(1, budget);
  if (spent < SPENT || spent < FAST * elapsed) return [];
  return [
    {
      ...common,
      key: `sla:${sla}:${name}:burning`,
      severity: 'warning',
      title: `${name} spends the downtime of ${sla} too fast`,
    },
  ];
}
