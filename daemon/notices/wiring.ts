import type { Clock, WallTime } from '#collectors/contract.ts';
import type { LoadedConfig } from '#config/load.ts';
import type { Config } from '#config/schema.ts';
import type { AvailabilityLedger } from '../availability/ledger.ts';
import { inService } from '../availability/service-calendar.ts';
import type { AvailabilityTracker } from '../availability/tracker.ts';
import type { OutputStatus } from '../exposition/self.ts';
import type { Logger } from '../log.ts';
import type { PrometheusSink } from '../sinks/prometheus.ts';
import type { Database } from '../store/store.ts';
import type { Watch } from '../watch.ts';
import { deviceConditions, type NoticedDevice, PRINTER_METRICS, printerConditions } from './conditions.ts';
import type { Condition } from './incident.ts';
import { NoticeService } from './service.ts';

export interface NoticeParts {
  readonly loaded: LoadedConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly database: () => Database;
  readonly config: () => Config;
  readonly watch: Watch;
  readonly tracker: AvailabilityTracker;
  readonly prometheus: PrometheusSink;
  readonly ledger: AvailabilityLedger;
  readonly outputs: () => readonly OutputStatus[];
  /** What others have found to be so: contracts, siteward itself. */
  readonly moreConditions: () => readonly Condition[];
}

/** An output that has taken nothing for this long is told; shorter ones the spool bears without a word. */
const OUTPUT_LATE = 3_600_000;

/** Notices over everything that the daemon knows. @throws StoreError when the ledger cannot be read */
export async function openNotices(parts: NoticeParts): Promise<NoticeService> {
  const { loaded, clock, log, database, config, watch } = parts;
  const firstSeen = new Map<string, WallTime>();
  const since = (key: string): WallTime => {
    const known = firstSeen.get(key) ?? clock.wallNow();
    firstSeen.set(key, known);
    return known;
  };
  return await NoticeService.open(
    {
      clock,
      log,
      database,
      conditions: () => {
        const conditions = everythingThatIsSo(parts, since);
        const keys = new Set(conditions.map(({ key }) => key));
        for (const key of firstSeen.keys()) if (!keys.has(key)) firstSeen.delete(key);
        return conditions;
      },
      inService: ({ device }, at) => {
        const sla = device === undefined ? undefined : watch.device(device)?.sla;
        const settings = sla === undefined ? undefined : config().slas[sla];
        return !settings || inService(settings, at, settings.timezone ?? config().site.timezone);
      },
    },
    loaded,
  );
}

function everythingThatIsSo(parts: NoticeParts, since: (key: string) => WallTime): Condition[] {
  const { watch, tracker, prometheus, config, moreConditions } = parts;
  const devices: NoticedDevice[] = [];
  for (const { name, host, target } of watch.devices()) {
    const standing = tracker.standing(name);
    if (!standing) continue;
    const { state, rule, since: from } = standing;
    devices.push({
      name,
      address: host,
      class: target.class ?? watch.facts(name)?.identity?.class ?? 'other',
      state,
      live: tracker.live(name) ?? state,
      since: from,
      rule,
      parents: tracker.parentsOf(name),
    });
  }
  const printers = devices
    .filter((device) => device.class === 'printer' && device.state === 'up')
    .map(({ name }) => ({ name, readings: prometheus.readings(name, PRINTER_METRICS) }));
  return [
    ...deviceConditions(devices, config().notices.quiet_in_maintenance),
    ...printerConditions(printers, since),
    ...moreConditions(),
    ...ownConditions(parts, since),
  ];
}

/** What is wrong with siteward itself. */
function ownConditions({ ledger, outputs, clock }: NoticeParts, since: (key: string) => WallTime): Condition[] {
  const conditions: Condition[] = [];
  const { fault } = ledger;
  if (fault)
    conditions.push({
      key: 'siteward:ledger',
      kind: 'siteward',
      severity: 'critical',
      title: 'siteward cannot write its ledger',
      lines: [fault.message, fault.hint, `${ledger.waiting} entries wait in memory`],
      since: since('siteward:ledger'),
    });
  for (const { output, oldest, points } of outputs()) {
    if (oldest === undefined || clock.wallNow() - oldest * 1000 < OUTPUT_LATE) continue;
    conditions.push({
      key: `siteward:output:${output}`,
      kind: 'siteward',
      severity: 'warning',
      title: `${output} has taken no points for more than an hour`,
      lines: [`${points} points wait on disk`],
      since: (oldest * 1000) as WallTime,
    });
  }
  return conditions;
}
