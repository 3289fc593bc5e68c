/**
 * Meter reports in the layouts that other programs import, as their makers document them. docs/meters.md names the pages.
 * Each takes the closing value of every meter; what the program works out from it is its own affair.
 */
import { csvField } from '../reports/csv.ts';
import { cellData, type ReportDocument } from '../reports/document.ts';

export interface Layout {
  readonly title: string;
  /** Lines end in CR LF. */
  render(document: ReportDocument): string;
}

interface MeterRow {
  readonly device: string;
  readonly serial: string;
  readonly meter: string;
  readonly closing: number;
  /** ISO 8601 with offset, as the site's clocks showed it. */
  readonly at: string;
}

export const LAYOUTS: Readonly<Record<string, Layout>> = {
  /** Property Lease Management for Business Central: Meter No., Current Reading, Qty To Invoice, Reading Date. */
  'business-central': {
    title: 'Meter usage of Property Lease Management for Dynamics 365 Business Central',
    render: (document) =>
      lines([
        ['Meter No.', 'Current Reading', 'Qty To Invoice', 'Reading Date'],
        ...meterRows(document).map(({ serial, device, meter, closing, at }) => {
          const [year = '', month = '', day = ''] = at.slice(0, 10).split('-');
          return [`${serial || device}-${meter}`, String(closing), '0', `${Number(month)}/${Number(day)}/${year}`];
        }),
      ]),
  },
  /** SoftExpert Maintenance, import model MNMAINTMETER: option 2 inserts a reading, action 1 is a new reading. */
  softexpert: {
    title: 'Meter readings of SoftExpert Maintenance (MNMAINTMETER)',
    render: (document) =>
      lines([
        [
          'OIDINTERFACE',
          'FGIMPORT',
          'CDISOSYSTEM',
          'FGOPTION',
          'NMFIELD01',
          'NMFIELD02',
          'NMFIELD03',
          'NMFIELD04',
          'NMFIELD05',
        ],
        ...meterRows(document).map(({ serial, device, meter, closing, at }, index) => [
          String(index + 1),
          '1',
          '126',
          '2',
          `${serial || device}-${meter}`,
          '1',
          String(closing),
          at.slice(0, 10),
          at.slice(11, 16),
        ]),
      ]),
  },
};

function meterRows({ sections }: ReportDocument): MeterRow[] {
  return sections.flatMap(({ tables = [] }) =>
    tables
      .filter(({ name }) => name === 'meters')
      .flatMap(({ columns, rows }) => {
        const place = new Map(columns.map(({ key }, index) => [key, index]));
        return rows.map((row): MeterRow => {
          const value = (key: string) => cellData(row[place.get(key) ?? -1] ?? '') ?? '';
          return {
            device: String(value('device')),
            serial: String(value('serial')),
            meter: String(value('meter')),
            closing: Number(value('closing')),
            at: String(value('closing_at')),
          };
        });
      }),
  );
}

function lines(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(csvField).join(',')}\r\n`).join('');
}
