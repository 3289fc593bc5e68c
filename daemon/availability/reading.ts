import type { WallTime } from '#collectors/contract.ts';
import type { Config } from '#config/schema.ts';
import { type PeriodKind, parsePeriod, periodAround, type Span } from '../calendar.ts';
import type { Database } from '../store/store.ts';
import { type SlaReport, slaReport } from './sla-report.ts';
import { readExtract } from './timeline.ts';

/** Clocks on Earth are no further apart than this: periods of other time zones lie within it. */
const WIDEST_ZONE = 50_400_000;

export interface SlaReading {
  readonly config: Config;
  readonly now: WallTime;
  readonly only?: readonly string[];
}

/** The report of a period as people write it. @returns undefined when it is no period. */
export async function readSlaReport(
  database: Database,
  period: string,
  { config, now, only }: SlaReading,
): Promise<SlaReport | undefined> {
  const span = parsePeriod(period, now, config.site.timezone);
  if (!span) return undefined;
  const extract = await readExtract(database, widened(span), now);
  const periodIn = (timezone: string) => parsePeriod(period, now, timezone) ?? span;
  return slaReport({ config, extract, now, periodIn, ...(only ? { only } : {}) });
}

/** The report of each contract's own running period, or of `back` periods before it. */
export async function readOwnPeriods(
  database: Database,
  back: number,
  { config, now, only }: SlaReading,
): Promise<SlaReport> {
  const periodIn = (timezone: string, kind: PeriodKind) => periodAround(kind, now, timezone, back);
  const spans = Object.values(config.slas).map(({ period, timezone }) =>
    periodIn(timezone ?? config.site.timezone, period),
  );
  const span = {
    from: Math.min(now, ...spans.map(({ from }) => from)) as WallTime,
    to: Math.max(0, ...spans.map(({ to }) => to)) as WallTime,
  };
  const extract = await readExtract(database, widened(span), now);
  return slaReport({ config, extract, now, periodIn, ...(only ? { only } : {}) });
}

function widened({ from, to }: Span): Span {
  return { from: (from - WIDEST_ZONE) as WallTime, to: (to + WIDEST_ZONE) as WallTime };
}
