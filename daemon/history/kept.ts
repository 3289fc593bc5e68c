import type { MetricName } from '#collectors/catalogue.ts';

/** How a metric is kept for the page's charts. */
export interface Kept {
  /** Steps per base unit: values are rounded to whole steps, which is what keeps them small. */
  readonly scale: number;
}

const RATIO = { scale: 1_000 };
const WHOLE = { scale: 1 };
const TENTHS = { scale: 10 };
/** Counters are kept as their rate per second. */
const BYTE_RATE = { scale: 1 };
const EVENT_RATE = { scale: 10_000 };

/**
 * What the charts of the device page show, and nothing else: states and outages are in the ledger, and what only
 * Grafana draws goes to the outputs.
 */
export const KEPT: Partial<Record<MetricName, Kept>> = {
  siteward_icmp_rtt_seconds: { scale: 1_000_000 },
  siteward_cpu_usage_ratio: RATIO,
  siteward_load_average: { scale: 100 },
  siteward_memory_used_ratio: RATIO,
  siteward_memory_used_bytes: { scale: 1 / 65_536 },
  siteward_filesystem_used_bytes: { scale: 1 / 1_048_576 },
  siteward_interface_receive_bytes_total: BYTE_RATE,
  siteward_interface_transmit_bytes_total: BYTE_RATE,
  siteward_interface_receive_errors_total: EVENT_RATE,
  siteward_interface_transmit_errors_total: EVENT_RATE,
  siteward_sensor_temperature_celsius: TENTHS,
  siteward_sensor_humidity_ratio: RATIO,
  siteward_sensor_power_watts: TENTHS,
  siteward_poe_power_watts: TENTHS,
  siteward_ap_clients: WHOLE,
  siteward_firewall_sessions: WHOLE,
  siteward_vpn_tunnels: WHOLE,
  siteward_printer_meter_pages_total: { scale: 1_000_000 },
  siteward_printer_supply_level_ratio: RATIO,
  siteward_ups_battery_charge_ratio: RATIO,
  siteward_ups_battery_runtime_seconds: WHOLE,
  siteward_ups_load_ratio: RATIO,
};

/** Steps per base unit of a metric. */
export function scaleOf(metric: MetricName): number {
  return KEPT[metric]?.scale ?? 1;
}

/** Of the echo requests' statistics the mean is enough for a chart; of the meters, the one that every printer has. */
export function isKept(metric: MetricName, labels: Readonly<Record<string, string>>): boolean {
  if (metric === 'siteward_icmp_rtt_seconds') return labels['stat'] === 'mean';
  if (metric === 'siteward_load_average') return labels['window'] === '5m';
  return KEPT[metric] !== undefined;
}
