import { SERIES } from '#daemon/remote-write/format.ts';
import { LINES, type RecordFormat } from './records.ts';

/** The format that an output's row in the spool names. */
export function formatNamed(name: unknown): RecordFormat {
  return name === SERIES.name ? SERIES : LINES;
}
