/** The meter report for people: what an account manager sends. All figures come from the report; none is worked out here. */
import type { WallTime } from '#collectors/contract.ts';
import { isoInstant, localTime } from '../calendar.ts';
import type { Cell, Column, Fact, ReportDocument, Section, Table } from '../reports/document.ts';
import type { PeriodResult } from './books.ts';
import type { CutValue, ValueClass } from './curve.ts';
import type { Charge } from './money.ts';
import type { PrinterPeriod } from './period-row.ts';
import { isEvidenceOnly, METERS } from './read.ts';
import type { MeterReport } from './report.ts';
import { meterReportJson } from './report-json.ts';

export function meterDocument(report: MeterReport): ReportDocument {
  const { site, period, made } = report;
  const day = (at: WallTime) => localTime(at, site.timezone).slice(0, 10);
  return {
    title: 'Print meters',
    subtitle: `${site.client} · ${site.id} · ${day(period.from)} to ${day(period.to)}`,
    facts: [{ name: 'Made', value: timeCell(made, site.timezone) }],
    sections: [...report.results.map(contractSection), ...lists(report)],
    notes: [
      'Used pages are the sum over all segments of a counter: a counter that begins anew sets nothing back. Opening and closing are what the panel shows.',
      'actual: read within the tolerance of the contract. interpolated: between two reads. estimated: from the weekly pattern of the printer, trued up in the next period. manual: read from the panel by a person.',
      'Amounts are rounded to the cent, line by line; half a cent goes up.',
    ],
    json: meterReportJson(report),
  };
}

const number = (value: number, tone?: 'bad' | 'weak'): Cell => ({
  text: value.toLocaleString('en-GB').replaceAll(',', '\u00a0'),
  data: value,
  ...(tone && { tone }),
});
const amount = (value: string | null, currency: string): Cell =>
  value === null ? { text: '–', data: null, tone: 'weak' } : { text: `${value} ${currency}`, data: value };

function timeCell(at: WallTime, timezone: string): { readonly text: string; readonly data: string } {
  return { text: localTime(at, timezone).slice(0, 16), data: isoInstant(at, timezone) };
}

function contractSection(result: PeriodResult): Section {
  const { contract, printers, closed, span: pagesOnly } = result;
  const { terms } = contract;
  const span = `${localTime(contract.from, terms.timezone).slice(0, 16)} to ${localTime(contract.to, terms.timezone).slice(0, 16)}`;
  const facts: Fact[] = [
    { name: 'Period', value: `${span} (${terms.timezone})` },
    {
      name: 'State',
      value: pagesOnly ? 'no cut in this time: pages only, the bill comes with the period' : stateOf(closed),
    },
    ...(contract.total === null ? [] : [{ name: 'Total', value: amount(contract.total, terms.currency) }]),
  ];
  return {
    heading: contract.contract === null ? 'Printers under no contract' : `Contract ${contract.contract}`,
    facts,
    tables: [
      metersTable(result),
      ...(contract.total === null ? [] : [chargesTable(result)]),
      ...(contract.adjustments.length > 0 || printers.some(({ adjustments }) => adjustments.length > 0)
        ? [adjustmentsTable(result)]
        : []),
      ...(printers.some(({ flags }) => flags.length > 0) ? [flagsTable(result)] : []),
    ],
  };
}

const stateOf = (closed: boolean): Cell =>
  closed ? 'closed' : { text: 'not closed yet: figures may change', data: 'open', tone: 'bad' };

/** One row per printer and meter. In the CSV also the period, the serial number and both instants: what an ERP maps. */
function metersTable({ contract, printers }: PeriodResult): Table {
  const { timezone } = contract.terms;
  const columns: Column[] = [
    { key: 'contract', title: 'Contract', onlyCsv: true },
    { key: 'device', title: 'Printer' },
    { key: 'serial', title: 'Serial number', wrap: false },
    { key: 'meter', title: 'Meter' },
    { key: 'opening', title: 'Opening', align: 'right' },
    { key: 'opening_at', title: 'Read', wrap: false },
    { key: 'closing', title: 'Closing', align: 'right' },
    { key: 'closing_at', title: 'Read', wrap: false },
    { key: 'used_pages', title: 'Used', align: 'right' },
    { key: 'class', title: 'Class' },
  ];
  const rows = printers.flatMap((printer) =>
    METERS.flatMap((meter) => {
      const line = printer.meters[meter];
      if (!line || (isEvidenceOnly(meter) && !contract.terms.meters.some((billed) => billed.meter === meter)))
        return [];
      const { opening, closing, used } = line;
      const kind = line.class;
      return [
        [
          contract.contract ?? '–',
          printer.device,
          printer.serial ?? '',
          meter,
          number(opening.counter),
          readAt(opening, timezone),
          number(closing.counter),
          readAt(closing, timezone),
          number(used),
          classCell(kind, opening.class),
        ],
      ];
    }),
  );
  return { name: 'meters', caption: 'Meters', columns, rows, empty: 'No printer was read in this period.' };
}

/** That of the closing value; the opening one's too where it was not read. */
function classCell(closing: ValueClass, opening: ValueClass): Cell {
  if (opening === 'actual' || opening === 'manual')
    return closing === 'actual' ? closing : { text: closing, data: closing, tone: 'bad' };
  return { text: `${closing} (opening ${opening})`, data: closing, tone: 'bad' };
}

/** When the read was made that a value is; the cut itself where it was worked out from others. */
function readAt({ reads, class: kind, at }: CutValue, timezone: string): Cell {
  const [read] = reads;
  if (kind === 'interpolated') return { ...timeCell(at, timezone), text: 'between two reads' };
  if (kind === 'estimated') return { ...timeCell(at, timezone), text: 'not read' };
  return read ? timeCell(read.at, timezone) : '';
}

function chargesTable({ contract }: PeriodResult): Table {
  const { currency } = contract.terms;
  const columns: Column[] = [
    { key: 'contract', title: 'Contract', onlyCsv: true },
    { key: 'item', title: 'Item' },
    { key: 'device', title: 'Printer' },
    { key: 'meter', title: 'Meter' },
    { key: 'pages', title: 'Pages', align: 'right' },
    { key: 'included', title: 'Included', align: 'right' },
    { key: 'price', title: 'Price' },
    { key: 'amount', title: 'Amount', align: 'right' },
  ];
  const name = contract.contract ?? '–';
  const line = (charge: Charge): Cell[] => [
    name,
    charge.as,
    charge.device ?? 'all together',
    charge.meter,
    number(charge.pages),
    number(charge.included, 'weak'),
    charge.steps.map(({ pages, price }) => `${pages} × ${price}`).join(' + '),
    amount(charge.amount, currency),
  ];
  const extra = (item: string, value: string | null): Cell[] => [
    name,
    item,
    '',
    '',
    '',
    '',
    '',
    amount(value, currency),
  ];
  const { minimum } = contract.bill;
  return {
    name: 'charges',
    caption: 'Charges',
    columns,
    rows: [
      ...contract.bill.charges.map(line),
      ...(/[1-9]/.test(minimum) ? [extra('up to the least amount', minimum)] : []),
      ...contract.adjustments.map((each) =>
        extra(
          `correction of the period until ${localTime(each.period.to, contract.terms.timezone).slice(0, 10)}`,
          each.amount,
        ),
      ),
      extra('total', contract.total),
    ],
  };
}

function adjustmentsTable({ contract, printers }: PeriodResult): Table {
  const { timezone } = contract.terms;
  return {
    name: 'adjustments',
    caption: 'Earlier periods, as they are known now',
    columns: [
      { key: 'contract', title: 'Contract', onlyCsv: true },
      { key: 'device', title: 'Printer' },
      { key: 'serial', title: 'Serial number', wrap: false },
      { key: 'meter', title: 'Meter' },
      { key: 'period_from', title: 'Period from', wrap: false },
      { key: 'period_to', title: 'to', wrap: false },
      { key: 'pages', title: 'Pages', align: 'right' },
      { key: 'reason', title: 'Why' },
    ],
    rows: printers.flatMap(({ device, serial, adjustments }) =>
      adjustments.map(({ period, meter, pages, reason }) => [
        contract.contract ?? '–',
        device,
        serial ?? '',
        meter,
        timeCell(period.from, timezone),
        timeCell(period.to, timezone),
        number(pages),
        reason === 'true-up' ? 'an estimate trued up' : 'known better now',
      ]),
    ),
  };
}

function flagsTable({ contract, printers }: PeriodResult): Table {
  const row = ({ device, serial, flags }: PrinterPeriod): Cell[][] =>
    flags.map(({ code, meter, pages, text }) => [
      contract.contract ?? '–',
      device,
      serial ?? '',
      meter ?? '',
      code,
      pages === undefined ? '' : number(pages),
      text,
    ]);
  return {
    name: 'flags',
    caption: 'To look at',
    columns: [
      { key: 'contract', title: 'Contract', onlyCsv: true },
      { key: 'device', title: 'Printer' },
      { key: 'serial', title: 'Serial number', wrap: false },
      { key: 'meter', title: 'Meter' },
      { key: 'code', title: 'What' },
      { key: 'pages', title: 'Pages', align: 'right' },
      { key: 'message', title: 'In words' },
    ],
    rows: printers.flatMap(row),
  };
}

function lists(report: MeterReport): Section[] {
  const { timezone } = report.site;
  return [
    {
      heading: 'To look after',
      tables: [
        {
          name: 'not_read',
          caption: 'Not read lately',
          columns: [
            { key: 'device', title: 'Printer' },
            { key: 'days', title: 'Days', align: 'right' },
            { key: 'last_read', title: 'Last read', wrap: false },
            { key: 'step', title: 'Fails at' },
            { key: 'note', title: 'What was seen' },
          ],
          rows: report.notRead.map(({ device, days, lastRead, step, note }) => [
            device,
            number(days, 'bad'),
            lastRead === undefined ? { text: 'never', data: null } : timeCell(lastRead, timezone),
            step === 'ok' ? 'asked no more' : step,
            note ?? '',
          ]),
          empty: 'Every printer was read in the last two days.',
        },
        {
          name: 'no_contract',
          caption: 'Seen, but under no contract',
          columns: [
            { key: 'device', title: 'Printer' },
            { key: 'printer', title: 'Known as' },
          ],
          rows: report.noContract.map(({ device, printer }) => [device, printer]),
          empty: 'Every printer is under a contract.',
        },
        {
          name: 'not_seen',
          caption: 'Under contract, but never read',
          columns: [
            { key: 'contract', title: 'Contract' },
            { key: 'device', title: 'Printer' },
          ],
          rows: report.notSeen.map(({ contract, device }) => [contract, device]),
          empty: 'Every printer that a contract names was read.',
        },
        {
          name: 'supplies_to_order',
          caption: 'To order this week',
          columns: [
            { key: 'device', title: 'Printer' },
            { key: 'supply', title: 'Supply' },
            { key: 'level_percent', title: 'Left', align: 'right' },
            { key: 'days_left', title: 'Days left', align: 'right' },
            { key: 'days_left_range', title: 'Between' },
          ],
          rows: report.toOrder.map(({ device, description, level, left }) => [
            device,
            description,
            { text: `${level} %`, data: level, tone: 'bad' },
            left ? number(left.days) : { text: 'not known', data: null, tone: 'weak' },
            left ? `${left.low} and ${left.high}` : '',
          ]),
          empty: 'No supply will run out within ten days.',
        },
        {
          name: 'supplies_replaced',
          caption: 'Replaced in this period',
          columns: [
            { key: 'device', title: 'Printer' },
            { key: 'supply', title: 'Supply' },
            { key: 'at', title: 'When', wrap: false },
            { key: 'left_percent', title: 'Left', align: 'right' },
            { key: 'early', title: '' },
          ],
          rows: report.replaced.map(({ device, description, at, left, early }) => [
            device,
            description,
            timeCell(at, timezone),
            { text: `${left} %`, data: left },
            early ? { text: 'early', data: 'early', tone: 'bad' } : { text: '', data: '' },
          ]),
          empty: 'No supply was replaced.',
        },
      ],
    },
  ];
}
