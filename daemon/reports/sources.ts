import type { WallTime } from '#collectors/contract.ts';
import type { Config } from '#config/schema.ts';
import { parsePeriod } from '../calendar.ts';
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
  credentials: async () => {
    const [{ credentialReport }, { readEvents, readRecords }] = await Promise.all([
      import('../inventory/credential-report.ts'),
      import('../inventory/ledger.ts'),
    ]);
    return async (database, text, { config, now }) => {
      const period = parsePeriod(text, now, config.site.timezone);
      if (!period) return undefined;
      const [records, events] = [await readRecords(database), await readEvents(database, period.from, 100_000)];
      return credentialReport({ config, records, events, period });
    };
  },
  inventory: async () => {
    const [{ contractReport }, { readRecords }] = await Promise.all([
      import('../inventory/contract-report.ts'),
      import('../inventory/ledger.ts'),
    ]);
    return async (database, text, { config, now }) => {
      const period = parsePeriod(text, now, config.site.timezone);
      return period && contractReport({ config, records: await readRecords(database), period, now });
    };
  },
};

/** Reports that say how things stand are of this month when nothing else is said. */
export const DEFAULT_PERIODS: Readonly<Record<string, string>> = { credentials: 'this-month', inventory: 'this-month' };

/** What a period may be written as, for messages. */
export const PERIOD_FORMS = '2026-10, 2026-W45, 2026-Q4, 2026, this-month, last-month or FROM/TO in ISO 8601';
