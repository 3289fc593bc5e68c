/** The SQL of `spool.db`. Each function gives the statements of one thing that happens. */
import type { WallTime } from '#collectors/contract.ts';
import type { Row, Statement } from '#daemon/store/store.ts';
import type { Batch } from './backlog.ts';
import type { DropReason, Tally, TallyOutcome } from './counts.ts';

export const OUTPUT_BY_NAME = 'SELECT id, next_id FROM output WHERE name = ? AND format = ?';
export const BATCHES = `SELECT id, important, points, bytes, raw_bytes, crc, first_at, last_at
  FROM batch WHERE output = ? ORDER BY id`;
export const BODIES = 'SELECT id, gzip FROM body WHERE output = ? AND id IN (SELECT value FROM json_each(?))';
export const TALLIES =
  'SELECT outcome, reason, sum(points) AS points FROM tally WHERE output = ? GROUP BY outcome, reason';
export const QUARANTINED = `SELECT id, at, points, bytes, gzip FROM quarantine
  WHERE output = ? AND id IN (SELECT value FROM json_each(?)) ORDER BY id`;
export const QUARANTINE_SIZE = `SELECT coalesce(sum(points), 0) AS points, coalesce(sum(bytes), 0) AS bytes
  FROM quarantine WHERE output = ?`;
export const QUARANTINE_OLDEST = 'SELECT id FROM quarantine WHERE output = ? ORDER BY id LIMIT 100';

export function addOutput(name: string, format: string): Statement {
  return { sql: 'INSERT INTO output (name, format) VALUES (?, ?) ON CONFLICT DO NOTHING', params: [name, format] };
}

export function addBatch(output: number, batch: Batch, gzip: Uint8Array): readonly Statement[] {
  const { id, important, points, bytes, rawBytes, crc, firstAt, lastAt } = batch;
  return [
    {
      sql: 'INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      params: [output, id, important ? 1 : 0, points, bytes, rawBytes, crc, Math.round(firstAt), Math.round(lastAt)],
    },
    { sql: 'INSERT INTO body VALUES (?, ?, ?)', params: [output, id, gzip] },
  ];
}

export function removeBatches(output: number, batches: readonly Batch[]): readonly Statement[] {
  if (batches.length === 0) return [];
  const params = [output, JSON.stringify(batches.map(({ id }) => id))];
  return ['batch', 'body'].map((table) => ({
    sql: `DELETE FROM ${table} WHERE output = ? AND id IN (SELECT value FROM json_each(?))`,
    params,
  }));
}

export function setNextId(output: number, nextId: number): Statement {
  return { sql: 'UPDATE output SET next_id = ? WHERE id = ?', params: [nextId, output] };
}

export function removeQuarantined(output: number, rows: readonly Row[]): Statement {
  return {
    sql: 'DELETE FROM quarantine WHERE output = ? AND id IN (SELECT value FROM json_each(?))',
    params: [output, JSON.stringify(rows.map((row) => row['id']))],
  };
}

/** `at` gives the day under which the points are counted, in UTC. */
export function addTallies(output: number, at: WallTime, tallies: readonly Tally[]): readonly Statement[] {
  const rows = tallies
    .filter(({ points }) => points > 0)
    .map(({ outcome, reason, points }) => [output, outcome, reason, dayOf(at), points] as const);
  if (rows.length === 0) return [];
  return [
    {
      sql: `INSERT INTO tally VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (output, outcome, reason, day) DO UPDATE SET points = points + excluded.points`,
      rows,
    },
  ];
}

export function dayOf(at: WallTime): string {
  return new Date(at).toISOString().slice(0, 10);
}

export function batchOfRow(row: Row): Batch {
  return {
    id: Number(row['id']),
    important: row['important'] === 1,
    points: Number(row['points']),
    bytes: Number(row['bytes']),
    rawBytes: Number(row['raw_bytes']),
    crc: Number(row['crc']),
    firstAt: Number(row['first_at']) as WallTime,
    lastAt: Number(row['last_at']) as WallTime,
  };
}

export function tallyOfRow(row: Row): Tally {
  return {
    outcome: row['outcome'] as TallyOutcome,
    reason: row['reason'] as DropReason | '',
    points: Number(row['points']),
  };
}
