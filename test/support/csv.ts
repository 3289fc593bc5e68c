/** CSV read by RFC 4180, strictly and on its own: the judge of what reports are written as. */

const FIELD = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/y;

/** Records of one file. @throws where it is not RFC 4180: a quote or a line break outside quotes, no end of line */
export function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  FIELD.lastIndex = 0;
  while (FIELD.lastIndex < text.length) {
    const at = FIELD.lastIndex;
    const field = FIELD.exec(text);
    if (!field) throw new Error(`not CSV at ${at}: ${JSON.stringify(text.slice(at, at + 80))}`);
    const [, value = '', end] = field;
    record.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value);
    if (end === ',') continue;
    records.push(record);
    record = [];
  }
  return records;
}
