import type { Reading } from '#collectors/contract.ts';

/** One supply of a printer: toner, drum, waste box. */
export interface SupplyRow {
  readonly supply: string;
  readonly description: string;
  readonly type: string;
  readonly color: string;
  /** 0 to 1; absent when the printer does not know it. */
  readonly level?: number;
  readonly state?: string;
  readonly daysLeft?: number;
}

const LOW = 0.15;
const ORDER_DAYS = 14;

export function suppliesOf(readings: readonly Reading[]): SupplyRow[] {
  const rows = new Map<string, { -readonly [K in keyof SupplyRow]: SupplyRow[K] }>();
  for (const { metric, labels, value } of readings) {
    const supply = labels['supply'];
    if (supply === undefined) continue;
    const row = rows.get(supply) ?? { supply, description: '', type: '', color: '' };
    rows.set(supply, row);
    if (metric === 'siteward_printer_supply_info' || metric === 'siteward_printer_supply_level_ratio') {
      row.description = labels['description'] ?? '';
      row.type = labels['type'] ?? '';
      row.color = labels['color'] ?? '';
    }
    if (metric === 'siteward_printer_supply_level_ratio') row.level = Number(value);
    if (metric === 'siteward_printer_supply_state' && value === 1) row.state = labels['state'] ?? '';
    if (metric === 'siteward_printer_supply_days_left') row.daysLeft = Number(value);
  }
  return [...rows.values()];
}

export function supplyTone({ level, state, daysLeft }: SupplyRow): 'empty' | 'low' | '' {
  if (state === 'empty' || (level !== undefined && level <= 0)) return 'empty';
  if (state === 'low' || (level !== undefined && level <= LOW) || (daysLeft !== undefined && daysLeft <= ORDER_DAYS))
    return 'low';
  return '';
}

/** The colours that have one of their own on the page. */
export function inkOf({ color }: SupplyRow): string {
  const ink = /cyan|magenta|yellow|black/i.exec(color)?.[0]?.toLowerCase();
  return ink === undefined ? '' : `ink-${ink}`;
}

/** What is used up first comes first; what nobody knows comes last. */
export function bySoonest(a: SupplyRow, b: SupplyRow): number {
  const days = (row: SupplyRow) =>
    row.daysLeft ?? (row.level === undefined ? Number.POSITIVE_INFINITY : row.level * 1000);
  return days(a) - days(b);
}
