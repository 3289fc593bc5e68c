/** What is there and nobody pays for, and what is paid for and is not there. Pure. */
import type { WallTime } from '#collectors/contract.ts';
import type { Config } from '#config/schema.ts';
import { isoInstant, type Span } from '../calendar.ts';
import type { ReportDocument, Table } from '../reports/document.ts';
import { matchesPattern } from './adoption.ts';
import { type DeviceRecord, makeAndModel } from './record.ts';

export interface ContractReportInput {
  readonly config: Config;
  readonly records: readonly DeviceRecord[];
  readonly period: Span;
  readonly now: WallTime;
}

const DAY = 86_400_000;

/** Contracts and SLAs that a device is under. */
export function contractsOf(record: DeviceRecord, config: Config): readonly string[] {
  const { name, settings } = record;
  if (name === undefined) return [];
  const configured = config.devices.find((device) => (device.name ?? device.address) === name);
  const sla = configured?.sla ?? settings.sla;
  const meters = Object.entries(config.contracts)
    .filter(([, { devices }]) => devices.some((pattern) => matchesPattern(pattern, name)))
    .map(([contract]) => contract);
  return [
    ...new Set([
      ...(sla === undefined ? [] : [sla]),
      ...meters,
      ...(settings.contract === undefined ? [] : [settings.contract]),
    ]),
  ];
}

export function contractReport({ config, records, period, now }: ContractReportInput): ReportDocument {
  const { timezone, client, id } = config.site;
  const living = records.filter(
    ({ state, evidence }) => state !== 'joined' && state !== 'ignored' && Object.keys(evidence).length > 0,
  );
  const rows = living.map((record) => ({
    device: record.name ?? record.addresses[0] ?? record.id,
    address: record.addresses[0] ?? null,
    state: record.state,
    class: record.identity?.class ?? null,
    model: makeAndModel(record.evidence) || null,
    serial: record.evidence.serial ?? null,
    contracts: contractsOf(record, config),
    first_seen: isoInstant(record.firstSeen, timezone),
    last_seen: isoInstant(record.lastSeen, timezone),
    days_not_seen: Math.max(0, Math.floor((now - record.lastSeen) / DAY)),
    seen: record.lastSeen >= period.from,
  }));
  const free = rows.filter(({ contracts, seen }) => contracts.length === 0 && seen);
  const missing = rows.filter(({ contracts, days_not_seen }) => contracts.length > 0 && days_not_seen >= 1);
  const plain = (list: typeof rows) => list.map(({ seen: _seen, ...row }) => row);
  return {
    title: 'Devices and contracts',
    subtitle: `${client} · ${id} · ${isoInstant(period.from, timezone).slice(0, 10)} to ${isoInstant(period.to, timezone).slice(0, 10)}`,
    sections: [
      { heading: 'Seen, under no contract', tables: [table('seen_under_no_contract', free)] },
      { heading: 'Under contract, not seen', tables: [table('under_contract_not_seen', missing)] },
    ],
    json: {
      period: { from: isoInstant(period.from, timezone), to: isoInstant(period.to, timezone) },
      seen_under_no_contract: plain(free),
      under_contract_not_seen: plain(missing),
    },
  };
}

interface Row {
  readonly device: string;
  readonly address: string | null;
  readonly class: string | null;
  readonly model: string | null;
  readonly serial: string | null;
  readonly contracts: readonly string[];
  readonly last_seen: string;
  readonly days_not_seen: number;
}

function table(name: string, rows: readonly Row[]): Table {
  return {
    name,
    columns: [
      { key: 'device', title: 'Device' },
      { key: 'address', title: 'Address', wrap: false },
      { key: 'class', title: 'Class' },
      { key: 'model', title: 'What it is' },
      { key: 'serial', title: 'Serial' },
      { key: 'contracts', title: 'Contracts' },
      { key: 'last_seen', title: 'Last seen', wrap: false },
      { key: 'days_not_seen', title: 'Days not seen', align: 'right' },
    ],
    rows: rows.map((row) => [
      row.device,
      row.address ?? '',
      row.class ?? '',
      row.model ?? '',
      row.serial ?? '',
      row.contracts.join(', '),
      row.last_seen,
      { text: String(row.days_not_seen), data: row.days_not_seen },
    ]),
    empty: 'None.',
  };
}
