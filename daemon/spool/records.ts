/** How one batch holds many records, so that it can be joined, counted and cut without knowing what they say. */
export interface RecordFormat {
  readonly name: 'lines' | 'series';
  /** The records of a batch, in order. Joined again they are the same bytes. */
  split(raw: Uint8Array): readonly Uint8Array[];
  /** Equal for records of one series. */
  seriesOf(record: Uint8Array): string;
  /** A record as a person reads it in the quarantine. */
  describe(record: Uint8Array): string;
}

const LINE_BREAK = 10;

/** Line protocol; each line ends with its line break. */
export const LINES: RecordFormat = {
  name: 'lines',
  split(raw) {
    const records: Uint8Array[] = [];
    for (let start = 0; start < raw.length; ) {
      const at = raw.indexOf(LINE_BREAK, start);
      const end = at < 0 ? raw.length : at + 1;
      records.push(raw.subarray(start, end));
      start = end;
    }
    return records;
  },
  // Fields and time hold no space; tags may.
  seriesOf(record) {
    const line = Buffer.from(record.buffer, record.byteOffset, record.byteLength).toString('latin1');
    return line.slice(0, line.lastIndexOf(' ', line.lastIndexOf(' ') - 1));
  },
  describe: (record) => new TextDecoder().decode(record).trimEnd(),
};

/**
 * The same records with those of a series side by side, each series in its order: of neighbours that hardly differ a
 * compressor makes less.
 */
export function arranged(raw: Uint8Array, format: RecordFormat): Uint8Array {
  const keyed = format.split(raw).map((record) => ({ record, series: format.seriesOf(record) }));
  keyed.sort((a, b) => (a.series < b.series ? -1 : a.series > b.series ? 1 : 0));
  return joined(keyed.map(({ record }) => record));
}

export function joined(records: readonly Uint8Array[]): Uint8Array {
  return records.length === 1 && records[0] ? records[0] : Buffer.concat(records);
}
