import type { Database, Row, Statement, Store } from '#daemon/store/store.ts';

export interface Salvaged {
  readonly batches: number;
  readonly points: number;
}

/**
 * Brings what can still be read of a damaged spool into a new one. One broken page costs the batches on it, not the
 * three days around it. What is missing afterwards is counted as dropped, so that every point stays accounted for.
 */
export async function salvage(store: Store, damaged: string, into: Database): Promise<Salvaged> {
  const read = async (table: string): Promise<readonly Row[]> =>
    await store.readDamaged(damaged, `SELECT * FROM ${table}`);
  const outputs = await read('output');
  await into.write(rowsInto('output', ['id', 'name', 'format', 'next_id'], outputs));
  const known = new Set(outputs.map((row) => row['id']));
  const ofKnown = (rows: readonly Row[]) => rows.filter((row) => known.has(row['output'] ?? null));

  const columns = ['output', 'id', 'important', 'points', 'bytes', 'raw_bytes', 'crc', 'first_at', 'last_at'];
  let batches = 0;
  let points = 0;
  for (const row of ofKnown(await read('batch'))) {
    const sql = 'SELECT * FROM body WHERE output = ? AND id = ?';
    const bodies = await store.readDamaged(damaged, sql, [row['output'] ?? null, row['id'] ?? null]);
    if (!(bodies[0]?.['gzip'] instanceof Uint8Array)) continue;
    await into.write([...rowsInto('batch', columns, [row]), ...rowsInto('body', ['output', 'id', 'gzip'], bodies)]);
    batches += 1;
    points += Number(row['points']);
  }
  await into.write(rowsInto('tally', ['output', 'outcome', 'reason', 'day', 'points'], ofKnown(await read('tally'))));
  const quarantine = ['id', 'output', 'at', 'status', 'message', 'points', 'bytes', 'gzip'];
  await into.write(rowsInto('quarantine', quarantine, ofKnown(await read('quarantine'))));
  await into.write(balanced());
  return { batches, points };
}

function rowsInto(table: string, columns: readonly string[], rows: readonly Row[]): readonly Statement[] {
  if (rows.length === 0) return [];
  const places = columns.map(() => '?').join(', ');
  return [
    {
      sql: `INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${places})`,
      rows: rows.map((row) => columns.map((column) => row[column] ?? null)),
    },
  ];
}

/** Makes produced = written + pending + quarantined + dropped hold again: by what was lost, or by what was not counted. */
function balanced(): readonly Statement[] {
  const missing = `WITH missing AS (
      SELECT output.id AS output,
        (SELECT coalesce(sum(points * CASE outcome WHEN 'produced' THEN 1 WHEN 'rejected' THEN 0 ELSE -1 END), 0)
          FROM tally WHERE tally.output = output.id)
        - (SELECT coalesce(sum(points), 0) FROM batch WHERE batch.output = output.id)
        - (SELECT coalesce(sum(points), 0) FROM quarantine WHERE quarantine.output = output.id) AS points
      FROM output)
    INSERT INTO tally SELECT output, ?, ?, date('now'), abs(points) FROM missing WHERE points`;
  const merge = 'ON CONFLICT (output, outcome, reason, day) DO UPDATE SET points = points + excluded.points';
  return [
    { sql: `${missing} > 0 ${merge}`, params: ['dropped', 'damaged'] },
    { sql: `${missing} < 0 ${merge}`, params: ['produced', ''] },
  ];
}
