import type { RecordFormat } from '#daemon/spool/records.ts';
import { describeSeries, labelBytes, splitSeries } from './protobuf.ts';

/** Joined TimeSeries, which is a WriteRequest. */
export const SERIES: RecordFormat = {
  name: 'series',
  split: splitSeries,
  seriesOf: labelBytes,
  describe: describeSeries,
};
