/** The meter report of a ledger that someone else writes: for the command line. */
import type { WallTime } from '#collectors/contract.ts';
import type { Config } from '#config/schema.ts';
import { parsePeriod } from '../calendar.ts';
import type { Database } from '../store/store.ts';
import { withAdoptedOf } from './adopted.ts';
import { MeterArchive } from './archive.ts';
import { type MeterReport, meterReport } from './report.ts';

/** @returns undefined when `period` is no period. */
export async function readMeterReport(
  database: Database,
  period: string,
  { config, now }: { readonly config: Config; readonly now: WallTime },
): Promise<MeterReport | undefined> {
  const span = parsePeriod(period, now, config.site.timezone);
  if (!span) return undefined;
  const archive = new MeterArchive({ database });
  return await meterReport({ archive, config: await withAdoptedOf(database, config), period: span, now });
}
