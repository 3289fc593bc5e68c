import type { WallTime } from '#collectors/contract.ts';
import type { Config, SlaSettings } from '#config/schema.ts';
import type { PeriodKind, Span } from '../calendar.ts';
import { fractionOf, isAtLeast, percentText } from './exact.ts';
import { groupTimeline } from './group.ts';
import { announcedIn, matchesDevice } from './maintenance.ts';
import { type MaintenanceTime, maintenanceOf, maintenanceTimes } from './overlays.ts';
import { type ServiceTime, serviceTime } from './service-calendar.ts';
import { evaluate, type SlaFigures } from './sla.ts';
import type { LedgerExtract, StoredCorrection, StoredMaintenance } from './timeline.ts';

/** One line of a report: a device, or several together. */
export interface SlaSubject {
  readonly name: string;
  readonly members?: readonly string[];
  readonly need?: 'all' | 'any' | number;
  readonly figures: SlaFigures;
  /** What is paid back, as the contract writes it: `10%`. */
  readonly credit?: string;
}

/** One contract over a period. */
export interface SlaResult {
  readonly sla: string;
  readonly settings: SlaSettings;
  readonly timezone: string;
  readonly period: Span;
  readonly service: ServiceTime;
  readonly subjects: readonly SlaSubject[];
  /** Maintenance of its devices in the period. */
  readonly maintenance: readonly MaintenanceTime[];
  /** Corrections of its devices that touch the period. */
  readonly corrections: readonly StoredCorrection[];
  /** Longest time between two looks at any of its devices, in milliseconds. */
  readonly resolution: number;
}

export interface SlaReport {
  readonly site: Config['site'];
  readonly period: Span;
  /** How far the ledger knows. */
  readonly until: WallTime;
  readonly made: WallTime;
  readonly results: readonly SlaResult[];
}

export interface SlaReportInput {
  readonly config: Pick<Config, 'site' | 'slas' | 'devices' | 'maintenance' | 'polling'>;
  readonly extract: LedgerExtract;
  readonly now: WallTime;
  /** The period in a time zone: each contract is cut in its own. */
  readonly periodIn: (timezone: string, kind: PeriodKind) => Span;
  /** Only these contracts. */
  readonly only?: readonly string[];
}

/** Lays every contract over what the ledger says. Reads nothing and changes nothing. */
export function slaReport({ config, extract, now, periodIn, only }: SlaReportInput): SlaReport {
  const names = Object.keys(config.slas).filter((name) => only === undefined || only.includes(name));
  const maintenance = withUnread(config, extract.maintenance, now);
  const results = names.flatMap((name): SlaResult[] => {
    const settings = config.slas[name];
    if (!settings) return [];
    const timezone = settings.timezone ?? config.site.timezone;
    const period = periodIn(timezone, settings.period);
    return [resultOf({ name, settings, timezone, period, config, extract, maintenance })];
  });
  const period = periodIn(config.site.timezone, 'calendar_month');
  return { site: config.site, period, until: extract.until, made: now, results };
}

/** Windows that the daemon has not read yet count as entered now. */
function withUnread(
  config: SlaReportInput['config'],
  stored: readonly StoredMaintenance[],
  now: WallTime,
): StoredMaintenance[] {
  const known = new Set(stored.filter(({ removed }) => removed === undefined).map(({ key }) => key));
  const unread = announcedIn(config).filter(({ key }) => !known.has(key));
  return [...stored, ...unread.map((window) => ({ ...window, entered: now }))];
}

interface ResultInput extends Pick<SlaReportInput, 'config' | 'extract'> {
  readonly name: string;
  readonly settings: SlaSettings;
  readonly timezone: string;
  readonly period: Span;
  readonly maintenance: readonly StoredMaintenance[];
}

function resultOf({ name, settings, timezone, period, config, extract, maintenance }: ResultInput): SlaResult {
  const service = serviceTime(settings, period, timezone);
  const times = maintenanceTimes(maintenance, period, settings.maintenance_notice);
  const devices = devicesOf(name, config, extract);
  const until = extract.until;
  const input = (device: string) => ({
    device,
    pieces: (extract.timelines.get(device) ?? []).flatMap((piece) => cut(piece, period)),
    corrections: extract.corrections.filter((correction) => correction.device === device),
    maintenance: maintenanceOf(device, times),
  });
  const counted = (parts: Omit<Parameters<typeof evaluate>[0], 'sla' | 'service' | 'period' | 'until'>) =>
    evaluate({ sla: settings, service, period, until, ...parts });
  const groups = Object.entries(settings.groups).map(([group, { devices: patterns, need }]): SlaSubject => {
    const members = everyDevice(config, extract).filter((device) => matchesDevice(patterns, device));
    const { pieces, excused } = groupTimeline(members.map(input), need, settings);
    const figures = counted({ pieces, corrections: [], maintenance: excused });
    return { name: group, members, need, figures, ...creditOf(settings, figures) };
  });
  const single = devices.map((device): SlaSubject => {
    const figures = counted(input(device));
    return { name: device, figures, ...creditOf(settings, figures) };
  });
  const touched = [...devices, ...groups.flatMap(({ members = [] }) => members)];
  return {
    sla: name,
    settings,
    timezone,
    period,
    service,
    subjects: [...groups, ...single],
    maintenance: times.filter((time) => touched.some((device) => matchesDevice(time.devices, device))),
    corrections: extract.corrections.filter(
      ({ device, from, to }) => touched.includes(device) && from < period.to && to > period.from,
    ),
    resolution: resolutionOf(touched, extract, config.polling.availability),
  };
}

function cut<T extends Span>(piece: T, { from, to }: Span): T[] {
  const part = { ...piece, from: Math.max(piece.from, from) as WallTime, to: Math.min(piece.to, to) as WallTime };
  return part.to > part.from ? [part] : [];
}

/** Those that the config puts under it, and those that were under it when they left the config. */
function devicesOf(sla: string, config: SlaReportInput['config'], extract: LedgerExtract): string[] {
  const configured = new Map(config.devices.map((device) => [device.name ?? device.address, device.sla]));
  const former = [...extract.slas].filter(
    ([device, of]) => !configured.has(device) && of === sla && extract.timelines.has(device),
  );
  return [
    ...[...configured].filter(([, of]) => of === sla).map(([device]) => device),
    ...former.map(([device]) => device),
  ];
}

function everyDevice(config: SlaReportInput['config'], extract: LedgerExtract): string[] {
  return [...new Set([...config.devices.map((device) => device.name ?? device.address), ...extract.timelines.keys()])];
}

function resolutionOf(devices: readonly string[], extract: LedgerExtract, fallback: number): number {
  const seen = devices.flatMap((device) =>
    (extract.timelines.get(device) ?? []).flatMap(({ detail }) => detail?.resolution ?? []),
  );
  return seen.reduce((longest, resolution) => Math.max(longest, resolution), seen.length > 0 ? 0 : fallback);
}

/** The tier with the largest credit among those that the figure is below, no more than the cap. */
function creditOf({ credits }: SlaSettings, { covered, measured, downtime }: SlaFigures): { credit?: string } {
  if (!credits || !covered) return {};
  const due = credits.tiers.filter(({ below }) => !isAtLeast(measured - downtime, measured, fractionOf(below)));
  const best = due.toSorted((a, b) => b.credit.value - a.credit.value)[0]?.credit;
  if (!best) return {};
  const { cap } = credits;
  return { credit: asPercent(cap && cap.value < best.value ? cap.text : best.text) };
}

function asPercent(text: string): string {
  if (text.endsWith('%')) return text;
  const { numerator, denominator } = fractionOf({ text });
  return `${percentText(Number(numerator), Number(denominator), 2)}%`;
}
