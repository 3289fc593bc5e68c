/** How one batch holds many records, so that it can be joined, counted and cut without knowing what they say. */
export interface RecordFormat {
  readonly name: 'lines' | 'series';
  /** The records of a batch, in order. Joined again they are the same bytes. */
  split(raw: Uint8Array): readonly Uint8Array[];
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
  describe: (record) => new TextDecoder().decode(record).trimEnd(),
};

export function joined(records: readonly Uint8Array[]): Uint8Array {
  return records.length === 1 && records[0] ? records[0] : Buffer.concat(records);
}
