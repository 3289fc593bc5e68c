import type { CatalogueEntry } from '#collectors/catalogue.ts';

/** Availability and print meters: what reports and invoices are argued with. */
const IMPORTANT_MEASUREMENTS: ReadonlySet<string> = new Set(['availability', 'printer_meter']);

/** Whether money hangs on a metric: its points are the last to be thrown away when the spool is full. */
export function isImportant(entry: CatalogueEntry): boolean {
  return IMPORTANT_MEASUREMENTS.has(entry.influx.measurement);
}
