import type { WallTime } from '#collectors/contract.ts';
import { instantOf, isoInstant, localTime } from '../calendar.ts';
import type { Cell, Column, Fact, ReportDocument, Section, Table } from '../reports/document.ts';
import { decimalsFor, percentText } from './exact.ts';
import type { Outage } from './sla.ts';
import { slaJson } from './sla-json.ts';
import type { SlaReport, SlaResult, SlaSubject } from './sla-report.ts';

/** The SLA report as people read it, from the same figures as its JSON. */
export function slaDocument(report: SlaReport): ReportDocument {
  const { site, period, until, made, results } = report;
  const time = (at: WallTime) => localTime(at, site.timezone);
  return {
    title: 'Availability',
    subtitle: `${site.client} · ${site.id} · ${time(period.from)} to ${time(period.to)} (${site.timezone})`,
    facts: [
      { name: 'Made', value: time(made) },
      ...outcomeOf(results),
      ...(until < period.to ? [{ name: 'The period is not over', value: `counted until ${time(until)}` }] : []),
    ],
    sections: results.length > 0 ? results.map(sectionOf) : [NO_SLA],
    notes: NOTES,
    json: slaJson(report),
  };
}

/** More names than these are left to the tables. */
const MOST_NAMES = 12;

/** What the reader wants to know first: which targets were missed, and which cannot be told. */
function outcomeOf(results: readonly SlaResult[]): Fact[] {
  const all = results.flatMap(({ sla, subjects }) =>
    subjects.map(({ name, figures }) => ({ label: `${name} (${sla})`, met: figures.met })),
  );
  if (all.length === 0) return [];
  const named = (met: boolean | undefined): string | undefined => {
    const labels = all.filter((subject) => subject.met === met).map(({ label }) => label);
    const rest = labels.length - MOST_NAMES;
    if (labels.length === 0) return undefined;
    return `${labels.slice(0, MOST_NAMES).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  };
  const missed = named(false);
  const withheld = named(undefined);
  return [
    { name: 'Targets met', value: `${all.filter(({ met }) => met).length} of ${all.length}` },
    ...(missed === undefined
      ? []
      : [{ name: 'Missed by', value: { text: missed, data: missed, tone: 'bad' } as const }]),
    ...(withheld === undefined ? [] : [{ name: 'Too little is known of', value: withheld }]),
  ];
}

const NO_SLA: Section = {
  heading: 'No SLA',
  notes: ['No SLA is in the config: write one under slas and name it at a device.'],
};

const NOTES = [
  'Availability is (measured time – downtime) ÷ measured time. Measured time is agreed service time without holidays, without maintenance that was announced in time, without outages of parties that the contract excludes, and without time of which nothing is known.',
  'Raw availability is up ÷ (up + down + unreachable), all day and every day, as it was observed: without hours, maintenance or corrections.',
  'Percentages are cut off, never rounded up. Whether the target is met is decided by milliseconds, not by the percentage.',
  'An outage begins with the first of three silent rounds and ends with the first answer. Time in which siteward did not run, could not look, or its clock was set is unknown: it is neither uptime nor downtime.',
];

function sectionOf(result: SlaResult): Section {
  const { sla, settings, subjects } = result;
  const groups = subjects.filter(({ members }) => members);
  const devices = subjects.filter(({ members }) => !members);
  return {
    heading: `${sla}: ${settings.target.text} per ${settings.period.replace('calendar_', '')}`,
    facts: factsOf(result),
    tables: [
      ...(groups.length > 0 ? [figuresTable('Groups', groups, result)] : []),
      figuresTable('Devices', devices, result),
      ...timesTable(subjects, result),
      outagesTable(subjects, result),
      ...maintenanceTable(result),
      ...correctionsTable(result),
    ],
  };
}

function factsOf({ settings, timezone, period, service, resolution }: SlaResult): Fact[] {
  const {
    service_hours,
    minimum_outage,
    maximum_outages,
    exclude_parties,
    maintenance_notice,
    coverage_floor,
    credits,
  } = settings;
  const serviceTime = service.agreed.reduce((sum, { from, to }) => sum + to - from, 0);
  const holidays = service.holidays.map(({ span, name }) => `${localTime(span.from, timezone).slice(0, 10)} ${name}`);
  return [
    { name: 'Target', value: settings.target.text },
    { name: 'Service hours', value: `${service_hours} (all times are those of ${timezone})` },
    {
      name: 'Length of the period',
      value: `${hms(period.to - period.from)}, ${hms(serviceTime)} of it service time (h:mm:ss)`,
    },
    ...(holidays.length > 0 ? [{ name: 'Holidays', value: holidays.join(', ') }] : []),
    ...(minimum_outage > 0 ? [{ name: 'Shortest outage that counts', value: hms(minimum_outage) }] : []),
    ...(maximum_outages === undefined ? [] : [{ name: 'Most outages', value: String(maximum_outages) }]),
    ...(exclude_parties.length > 0 ? [{ name: 'Parties that do not count', value: exclude_parties.join(', ') }] : []),
    {
      name: 'Unreachable behind a parent',
      value: settings.unreachable === 'excluded' ? 'does not count' : 'counts as downtime',
    },
    {
      name: 'Maintenance is announced',
      value: maintenance_notice > 0 ? `at least ${hms(maintenance_notice)} before it starts` : 'before it starts',
    },
    { name: 'Coverage floor', value: coverage_floor.text },
    ...(credits
      ? [
          {
            name: 'Credits',
            value: `${credits.tiers.map(({ below, credit }) => `${credit.text} below ${below.text}`).join(', ')}${credits.cap ? `, at most ${credits.cap.text}` : ''}`,
          },
        ]
      : []),
    { name: 'Resolution of the probe', value: `${resolution / 1000} s` },
  ];
}

const right = (key: string, title: string): Column => ({ key, title, align: 'right' });
const left = (key: string, title: string): Column => ({ key, title });
const time = (key: string, title: string): Column => ({ key, title, wrap: false });
const SLA_COLUMN: Column = { key: 'sla', title: 'SLA', onlyCsv: true };

function figuresTable(caption: string, subjects: readonly SlaSubject[], { sla, settings }: SlaResult): Table {
  return {
    name: 'availability',
    caption,
    columns: [
      SLA_COLUMN,
      left('device', caption === 'Groups' ? 'Group' : 'Device'),
      right('availability_percent', 'Availability'),
      left('met', 'Target met'),
      right('raw_availability_percent', 'Raw'),
      right('downtime_seconds', 'Downtime'),
      right('measured_seconds', 'Measured'),
      right('coverage_percent', 'Coverage'),
      right('outages_counted', 'Outages'),
      right('budget_remaining_seconds', 'Budget left'),
      right('credit', 'Credit'),
    ],
    rows: subjects.map((subject) => figuresRow(subject, sla, settings)),
    empty: 'no device has this SLA',
  };
}

function figuresRow(
  { name, members, need, figures, credit }: SlaSubject,
  sla: string,
  settings: SlaResult['settings'],
): Cell[] {
  const { raw, agreed, unknown, measured, downtime, covered, met, counted, outages, remaining } = figures;
  const decimals = decimalsFor(settings.target);
  const known = raw.up + raw.down + raw.unreachable;
  const share = covered ? percentText(measured - downtime, measured, decimals) : undefined;
  return [
    sla,
    members ? `${name} (${needText(need)} ${members.join(', ')})` : name,
    percentCell(share, met === false),
    met === undefined
      ? { text: 'no figure', data: null, tone: 'weak' }
      : met
        ? 'yes'
        : { text: 'NO', data: 'no', tone: 'bad' },
    percentCell(percentText(raw.up, known, decimals)),
    duration(downtime),
    duration(measured),
    percentCell(percentText(agreed - unknown, agreed, decimals), !covered),
    { text: `${counted} of ${outages.length}`, data: counted },
    { ...duration(remaining), ...(remaining < 0 ? { tone: 'bad' as const } : {}) },
    credit ?? { text: '–', data: null },
  ];
}

function needText(need: SlaSubject['need']): string {
  return typeof need === 'number' ? `${need} of` : (need ?? 'all');
}

/** The milliseconds behind each percentage, by what was observed and by what the contract makes of it. */
function timesTable(subjects: readonly SlaSubject[], { sla }: SlaResult): Table[] {
  const rows = subjects.map(({ name, figures }): Cell[] => [
    sla,
    name,
    duration(figures.raw.up),
    duration(figures.raw.down),
    duration(figures.raw.unreachable),
    duration(figures.raw.unknown),
    duration(figures.agreed),
    duration(figures.maintenance),
    duration(figures.excluded),
    duration(figures.unknown),
  ]);
  if (rows.length === 0) return [];
  return [
    {
      name: 'times',
      caption: 'Time behind the figures (h:mm:ss)',
      columns: [
        SLA_COLUMN,
        left('device', 'Device or group'),
        right('raw_up_seconds', 'Up'),
        right('raw_down_seconds', 'Down'),
        right('raw_unreachable_seconds', 'Unreachable'),
        right('raw_unknown_seconds', 'Unknown'),
        right('agreed_seconds', 'Agreed'),
        right('maintenance_seconds', 'Maintenance'),
        right('excluded_seconds', 'Excluded'),
        right('unknown_seconds', 'Agreed, unknown'),
      ],
      rows,
    },
  ];
}

function outagesTable(subjects: readonly SlaSubject[], { sla, timezone }: SlaResult): Table {
  return {
    name: 'outages',
    caption: 'Outages',
    columns: [
      SLA_COLUMN,
      left('device', 'Device or group'),
      time('from', 'From'),
      time('to', 'To'),
      right('seconds', 'Length'),
      right('counted_seconds', 'Counted'),
      left('state', 'State'),
      left('cause', 'Cause'),
      left('responsible', 'Responsible'),
      left('excluded_by', 'Why not all of it counts'),
    ],
    rows: subjects.flatMap(({ name, figures }) =>
      figures.outages.map((outage) => outageRow(sla, name, outage, timezone)),
    ),
    empty: 'none',
  };
}

function outageRow(sla: string, device: string, outage: Outage, timezone: string): Cell[] {
  const { from, to, running, state, cause, party, correction, counted, exclusions, refused } = outage;
  const why = [
    ...exclusions.map(({ by, milliseconds }) => `${by} (${hms(milliseconds)})`),
    ...refused.map((text) => `${text}: counts`),
  ];
  return [
    sla,
    device,
    instant(from, timezone),
    running ? { text: 'goes on', data: null } : instant(to, timezone),
    duration(to - from),
    duration(counted),
    state,
    correction ? `${cause} (${correction.author})` : cause,
    party ?? { text: '–', data: null },
    why.length > 0 ? why.join('; ') : { text: '–', data: null },
  ];
}

function maintenanceTable({ sla, maintenance, timezone }: SlaResult): Table[] {
  if (maintenance.length === 0) return [];
  return [
    {
      name: 'maintenance',
      caption: 'Maintenance',
      columns: [
        SLA_COLUMN,
        left('name', 'Window'),
        left('devices', 'Devices'),
        time('from', 'From'),
        time('to', 'To'),
        time('announced_at', 'Announced'),
        left('announced', 'Announced in time'),
      ],
      rows: maintenance.map(({ span, name, devices, announced, announcement }): Cell[] => [
        sla,
        name,
        devices.join(', '),
        instant(span.from, timezone),
        instant(span.to, timezone),
        instant(announced, timezone),
        announcement === 'in time'
          ? 'yes'
          : { text: `${announcement}: does not excuse`, data: announcement, tone: 'bad' },
      ]),
    },
  ];
}

function correctionsTable({ sla, corrections, timezone }: SlaResult): Table[] {
  if (corrections.length === 0) return [];
  return [
    {
      name: 'corrections',
      caption: 'Corrections by people (what was observed stays in the ledger)',
      columns: [
        SLA_COLUMN,
        left('device', 'Device'),
        time('from', 'From'),
        time('to', 'To'),
        left('says', 'Says'),
        left('author', 'By'),
        left('reason', 'Reason'),
        time('entered_at', 'Entered'),
      ],
      rows: corrections.map(({ device, from, to, state, party, author, reason, recorded }): Cell[] => [
        sla,
        device,
        instant(from, timezone),
        instant(to, timezone),
        [state, party && `responsible: ${party}`].filter(Boolean).join(', '),
        author,
        reason,
        instant(recorded, timezone),
      ]),
    },
  ];
}

function percentCell(text: string | undefined, bad = false): Cell {
  if (text === undefined) return { text: '–', data: null, tone: 'weak' };
  return { text: `${text} %`, data: text, ...(bad ? { tone: 'bad' as const } : {}) };
}

function instant(at: WallTime, timezone: string): Cell {
  const text = localTime(at, timezone);
  const iso = isoInstant(at, timezone);
  // The second of two hours that share a name says which one it is.
  const second = instantOf(text.replace(' ', 'T'), timezone) !== Math.floor(at / 1000) * 1000;
  return { text: second ? `${text} ${iso.slice(-6)}` : text, data: iso };
}

function duration(milliseconds: number): { text: string; data: number } {
  return { text: hms(milliseconds), data: milliseconds / 1000 };
}

/** Hours, minutes, seconds: `743:59:00`, with thousandths where there are any. */
export function hms(milliseconds: number): string {
  const size = Math.abs(milliseconds);
  const two = (n: number) => String(n).padStart(2, '0');
  const text = `${Math.floor(size / 3_600_000)}:${two(Math.floor(size / 60_000) % 60)}:${two(Math.floor(size / 1000) % 60)}`;
  const rest = size % 1000;
  return `${milliseconds < 0 ? '-' : ''}${text}${rest === 0 ? '' : `.${String(rest).padStart(3, '0')}`}`;
}
