import type { RecordFormat } from '#daemon/spool/records.ts';
import { describeSeries, splitSeries } from './protobuf.ts';

/** Joined TimeSeries, which is a WriteRequest. */
export const SERIES: RecordFormat = { name: 'series', split: splitSeries, describe: describeSeries };
