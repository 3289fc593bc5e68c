import type { Reading } from '#collectors/contract.ts';

/** A row of the table of interfaces. */
export interface InterfaceRow {
  readonly name: string;
  readonly alias: string;
  readonly up?: boolean;
  readonly enabled?: boolean;
  readonly speed?: number;
  readonly received?: bigint;
  readonly sent?: bigint;
  readonly errors: bigint;
  readonly discards: bigint;
}

type Found = { -readonly [K in keyof InterfaceRow]: InterfaceRow[K] };

/** In the order in which the device has them. */
export function interfacesOf(readings: readonly Reading[]): InterfaceRow[] {
  const rows = new Map<string, Found>();
  for (const { metric, labels, value } of readings) {
    const name = labels['interface'];
    if (name === undefined || !metric.startsWith('siteward_interface_')) continue;
    const row = rows.get(name) ?? { name, alias: '', errors: 0n, discards: 0n };
    rows.set(name, row);
    switch (metric) {
      case 'siteward_interface_info':
        row.alias = labels['alias'] || (labels['description'] === name ? '' : (labels['description'] ?? ''));
        break;
      case 'siteward_interface_up':
        row.up = value === 1;
        break;
      case 'siteward_interface_enabled':
        row.enabled = value === 1;
        break;
      case 'siteward_interface_speed_bytes_per_second':
        row.speed = Number(value);
        break;
      case 'siteward_interface_receive_bytes_total':
        row.received = BigInt(value);
        break;
      case 'siteward_interface_transmit_bytes_total':
        row.sent = BigInt(value);
        break;
      case 'siteward_interface_receive_errors_total':
      case 'siteward_interface_transmit_errors_total':
        row.errors += BigInt(value);
        break;
      case 'siteward_interface_receive_discards_total':
      case 'siteward_interface_transmit_discards_total':
        row.discards += BigInt(value);
        break;
      default:
    }
  }
  return [...rows.values()];
}

/** Those whose charts are worth seeing first: up, and with the most traffic. */
export function busiest(rows: readonly InterfaceRow[]): string[] {
  return rows
    .filter(({ up, received }) => up !== false && received !== undefined)
    .toSorted((a, b) => Number((b.received ?? 0n) + (b.sent ?? 0n)) - Number((a.received ?? 0n) + (a.sent ?? 0n)))
    .map(({ name }) => name);
}
