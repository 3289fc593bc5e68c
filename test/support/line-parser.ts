/** Line protocol read by its grammar, strictly and on its own: the judge of what the encoder writes. */

export interface ParsedLine {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, number | bigint>>;
  readonly timestamp: bigint;
}

const LINE =
  /^((?:\\[, ]|[^, \\\n]|\\(?![, ]))+)((?:,(?:\\[,= ]|[^,= \\\n])+=(?:\\[,= ]|[^,= \\\n]|\\(?![,= ]|$))+)*) (.+) (-?\d+)$/u;
const TAG = /,((?:\\[,= ]|[^,= \\])+)=((?:\\[,= ]|[^,= \\]|\\(?![,= ]))+)/gu;
const FIELD = /^([A-Za-z_][A-Za-z0-9_]*)=(?:(-?\d+)i|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))$/;

/** @throws when it is not one whole line with numbers as fields and a time */
export function parseLine(line: string): ParsedLine {
  const match = LINE.exec(line);
  if (!match) throw new Error(`not a line: ${JSON.stringify(line)}`);
  const [, measurement = '', tagText = '', fieldText = '', timestamp = ''] = match;
  const tags: Record<string, string> = Object.create(null);
  for (const [, key = '', value = ''] of tagText.matchAll(TAG)) {
    if (key in tags) throw new Error(`tag ${key} twice: ${line}`);
    tags[key] = value.replace(/\\([,= ])/g, '$1');
  }
  const fields: Record<string, number | bigint> = Object.create(null);
  for (const part of fieldText.split(',')) {
    const field = FIELD.exec(part);
    if (!field?.[1]) throw new Error(`not a field: ${JSON.stringify(part)}`);
    if (field[1] in fields) throw new Error(`field ${field[1]} twice: ${line}`);
    const integer = field[2];
    if (integer !== undefined && BigInt.asIntN(64, BigInt(integer)) !== BigInt(integer))
      throw new Error('over 64 bits');
    fields[field[1]] = integer === undefined ? Number(field[3]) : BigInt(integer);
  }
  return { measurement, tags, fields, timestamp: BigInt(timestamp) };
}
