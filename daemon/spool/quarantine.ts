import type { WallTime } from '#collectors/contract.ts';
import type { Database, Row, Statement } from '#daemon/store/store.ts';
import { gunzip, gzip } from './compression.ts';
import { formatNamed } from './formats.ts';
import type { RecordFormat } from './records.ts';

/** Records that the receiver refuses, with what it said. */
export interface QuarantinedRecord {
  readonly raw: Uint8Array;
  readonly points: number;
  /** HTTP status. */
  readonly status: number;
  readonly message: string;
}

export interface QuarantineEntry {
  readonly id: number;
  readonly output: string;
  readonly at: WallTime;
  readonly status: number;
  readonly message: string;
  readonly points: number;
  /** The first records of it, as text. */
  readonly records: readonly string[];
}

const LONGEST_MESSAGE = 1_000;
const SHOWN_RECORDS = 10;
const ROW_OVERHEAD_BYTES = 100;

export async function quarantineStatements(
  output: number,
  at: WallTime,
  records: readonly QuarantinedRecord[],
): Promise<{ readonly statements: readonly Statement[]; readonly bytes: number }> {
  if (records.length === 0) return { statements: [], bytes: 0 };
  const rows = await Promise.all(
    records.map(async ({ raw, points, status, message }) => {
      const body = await gzip(raw, 6);
      const bytes = body.length + ROW_OVERHEAD_BYTES;
      return [output, Math.round(at), status, message.slice(0, LONGEST_MESSAGE), points, bytes, body] as const;
    }),
  );
  const sql = 'INSERT INTO quarantine (output, at, status, message, points, bytes, gzip) VALUES (?, ?, ?, ?, ?, ?, ?)';
  return { statements: [{ sql, rows }], bytes: rows.reduce((sum, row) => sum + row[5], 0) };
}

/** What is quarantined, of all outputs or of one. */
export async function quarantineEntries(
  database: Pick<Database, 'read'>,
  output?: string,
): Promise<readonly QuarantineEntry[]> {
  const rows = await database.read(
    `SELECT quarantine.*, output.name, output.format FROM quarantine JOIN output ON output.id = quarantine.output
      WHERE ?1 IS NULL OR output.name = ?1 ORDER BY quarantine.id`,
    [output ?? null],
  );
  return await Promise.all(rows.map((row) => entryOf(row, formatNamed(row['format']))));
}

async function entryOf(row: Row, format: RecordFormat): Promise<QuarantineEntry> {
  const raw = row['gzip'] instanceof Uint8Array ? await gunzip(row['gzip']) : new Uint8Array();
  return {
    id: Number(row['id']),
    output: String(row['name']),
    at: Number(row['at']) as WallTime,
    status: Number(row['status']),
    message: String(row['message']),
    points: Number(row['points']),
    records: format.split(raw).slice(0, SHOWN_RECORDS).map(format.describe),
  };
}
