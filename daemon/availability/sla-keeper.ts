import type { Clock, Milliseconds, Observation, Reading, WallTime } from '#collectors/contract.ts';
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
  #previous: { readonly report: SlaReport; readonly at: WallTime } | undefined;

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
      return;
    }
    const now = clock.wallNow();
    this.#current = await readOwnPeriods(database(), 0, { config: settings, now });
    const stale = !this.#previous || now - this.#previous.at >= PREVIOUS_EVERY;
    if (stale) this.#previous = { report: await readOwnPeriods(database(), 1, { config: settings, now }), at: now };
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
          if (subject.members) continue;
          const list = readings.get(subject.name) ?? [];
          readings.set(subject.name, list);
          list.push(...readingsOf(result, subject, period));
        }
      }
    }
    for (const [device, list] of readings) {
      this.#options.publish({
        device,
        collector: 'sla',
        question: 'inventory',
        at,
        took: 0 as Milliseconds,
        evidence: { kind: 'answered' },
        groups: [{ name: 'sla', readings: list }],
        problems: [],
        requests: 0,
        timeouts: 0,
      });
    }
  }
}

function readingsOf({ sla, settings }: SlaResult, { figures }: SlaSubject, period: 'current' | 'previous'): Reading[] {
  const labels = { sla, period };
  const { measured, downtime, covered, remaining } = figures;
  // Nothing is known of a period in which the device was not watched.
  if (figures.watched.length === 0)
    return [{ metric: 'siteward_sla_target_ratio', labels, value: settings.target.value }];
  const ratio = covered ? ratioNumber(measured - downtime, measured, decimalsFor(settings.target)) : null;
  return [
    { metric: 'siteward_sla_target_ratio', labels, value: settings.target.value },
    ...(ratio === null ? [] : [{ metric: 'siteward_sla_availability_ratio' as const, labels, value: ratio }]),
    { metric: 'siteward_sla_downtime_seconds', labels, value: downtime / 1000 },
    { metric: 'siteward_sla_budget_remaining_seconds', labels, value: remaining / 1000 },
  ];
}

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
