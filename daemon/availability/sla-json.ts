import type { WallTime } from '#collectors/contract.ts';
import { isoInstant } from '../calendar.ts';
import { decimalsFor, ratioNumber } from './exact.ts';
import type { Outage } from './sla.ts';
import type { SlaReport, SlaResult, SlaSubject } from './sla-report.ts';

/** The JSON of `siteward report sla` and `GET /api/v1/sla`: keys of the public contract, and more beside them. */
export function slaJson({ site, period, until, results }: SlaReport): unknown {
  const time = (at: WallTime) => isoInstant(at, site.timezone);
  return {
    site: site.id,
    client: site.client,
    period: { from: time(period.from), to: time(period.to) },
    known_until: time(until),
    slas: results.map((result) => resultJson(result)),
  };
}

function resultJson(result: SlaResult): unknown {
  const { sla, settings, timezone, period, subjects, maintenance, corrections } = result;
  const time = (at: WallTime) => isoInstant(at, timezone);
  return {
    sla,
    target_ratio: settings.target.value,
    timezone,
    period: { from: time(period.from), to: time(period.to) },
    service_hours: settings.service_hours,
    resolution_seconds: result.resolution / 1000,
    devices: subjects.filter(({ members }) => !members).map((subject) => subjectJson(subject, result)),
    groups: subjects.filter(({ members }) => members).map((subject) => subjectJson(subject, result)),
    holidays: result.service.holidays.map(({ span, name }) => ({ name, from: time(span.from), to: time(span.to) })),
    maintenance: maintenance.map(({ span, name, devices, announced, announcement }) => ({
      name,
      devices,
      from: time(span.from),
      to: time(span.to),
      announced_at: time(announced),
      announced: announcement,
    })),
    corrections: corrections.map(({ device, from, to, state, party, author, reason, recorded }) => ({
      device,
      from: time(from),
      to: time(to),
      state: state ?? null,
      party: party ?? null,
      author,
      reason,
      entered_at: time(recorded),
    })),
  };
}

function subjectJson({ name, members, need, figures, credit }: SlaSubject, { settings, timezone }: SlaResult): unknown {
  const { raw, agreed, unknown, measured, downtime, covered } = figures;
  const decimals = decimalsFor(settings.target);
  const ratio = (part: number, whole: number) => ratioNumber(part, whole, decimals);
  return {
    ...(members ? { group: name, members, need } : { device: name }),
    availability_ratio: covered ? ratio(measured - downtime, measured) : null,
    raw_availability_ratio: ratio(raw.up, raw.up + raw.down + raw.unreachable),
    coverage_ratio: ratio(agreed - unknown, agreed) ?? 0,
    downtime_seconds: downtime / 1000,
    met: figures.met ?? null,
    measured_seconds: measured / 1000,
    agreed_seconds: agreed / 1000,
    maintenance_seconds: figures.maintenance / 1000,
    excluded_seconds: figures.excluded / 1000,
    unknown_seconds: unknown / 1000,
    budget_seconds: figures.budget / 1000,
    budget_remaining_seconds: figures.remaining / 1000,
    budget_burn_ratio: figures.burn === undefined ? null : Number(figures.burn.toFixed(4)),
    counted_outages: figures.counted,
    credit: credit ?? null,
    raw_seconds: {
      up: raw.up / 1000,
      down: raw.down / 1000,
      unreachable: raw.unreachable / 1000,
      unknown: raw.unknown / 1000,
    },
    outages: figures.outages.map((outage) => outageJson(outage, timezone)),
  };
}

function outageJson(outage: Outage, timezone: string): unknown {
  const { from, to, state, running, cause, party, correction, counted, exclusions, refused } = outage;
  return {
    from: isoInstant(from, timezone),
    to: running ? null : isoInstant(to, timezone),
    seconds: (to - from) / 1000,
    state,
    excluded_by: counted === 0 && exclusions.length > 0 ? exclusions.map(({ by }) => by).join(', ') : null,
    running,
    counted_seconds: counted / 1000,
    exclusions: exclusions.map(({ by, milliseconds }) => ({ by, seconds: milliseconds / 1000 })),
    not_excused: refused,
    cause,
    party: party ?? null,
    corrected_by: correction?.author ?? null,
  };
}
