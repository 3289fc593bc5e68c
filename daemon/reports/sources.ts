import type { WallTime } from '#collectors/contract.ts';
import type { Config } from '#config/schema.ts';
import type { Database } from '../store/store.ts';
import type { ReportDocument } from './document.ts';

export interface ReportRequest {
  readonly config: Config;
  readonly now: WallTime;
}

/** Makes the report of a period from the ledger. @returns undefined when `period` is no period. */
export type ReportSource = (
  database: Database,
  period: string,
  request: ReportRequest,
) => Promise<ReportDocument | undefined>;

/** Every report, loaded when it is asked for. */
export const REPORTS: Readonly<Record<string, () => Promise<ReportSource>>> = {
  sla: async () => {
    const [{ readSlaReport }, { slaDocument }] = await Promise.all([
      import('../availability/reading.ts'),
      import('../availability/sla-document.ts'),
    ]);
    return async (database, period, request) => {
      const report = await readSlaReport(database, period, request);
      return report && slaDocument(report);
    };
  },
  meters: async () => {
    const [{ readMeterReport }, { meterDocument }] = await Promise.all([
      import('../meters/reading.ts'),
      import('../meters/report-document.ts'),
    ]);
    return async (database, period, request) => {
      const report = await readMeterReport(database, period, request);
      return report && meterDocument(report);
    };
  },
};

/** What a period may be written as, for messages. */
export const PERIOD_FORMS = '2026-10, 2026-W45, 2026-Q4, 2026, this-month, last-month or FROM/TO in ISO 8601';
