import { crc32 } from 'node:zlib';
import type { Database } from '#daemon/store/store.ts';
import { gunzip } from './compression.ts';
import { DROP_REASONS, type SpoolCounts, Tallies, unaccounted } from './counts.ts';
import { formatNamed } from './formats.ts';
import type { RecordFormat } from './records.ts';
import { batchOfRow, tallyOfRow } from './statements.ts';

export interface SpoolFault {
  readonly what: 'spool_integrity' | 'spool_batch' | 'spool_conservation' | 'spool_tally';
  readonly where: string;
  readonly message: string;
}

export interface SpoolVerification {
  readonly checked: { readonly outputs: number; readonly batches: number; readonly points: number };
  readonly faults: readonly SpoolFault[];
}

/**
 * Whether `spool.db` is whole: the file, each batch (its bytes, and as many records as it says), and for each output that
 * every point ever produced is written, waiting, quarantined or dropped. Reads only.
 */
export async function verifySpool(database: Pick<Database, 'read' | 'check'>): Promise<SpoolVerification> {
  const faults: SpoolFault[] = (await database.check()).map((message) => ({
    what: 'spool_integrity',
    where: 'spool.db',
    message,
  }));
  const outputs = await database.read('SELECT id, name, format FROM output ORDER BY id');
  let batches = 0;
  let points = 0;
  for (const output of outputs) {
    const name = String(output['name']);
    const verified = await verifyBatches(database, Number(output['id']), name, formatNamed(output['format']));
    faults.push(...verified.faults, ...(await verifyCounts(database, Number(output['id']), name, verified.points)));
    batches += verified.batches;
    points += verified.points;
  }
  return { checked: { outputs: outputs.length, batches, points }, faults };
}

async function verifyBatches(
  database: Pick<Database, 'read'>,
  output: number,
  name: string,
  format: RecordFormat,
): Promise<{ batches: number; points: number; faults: readonly SpoolFault[] }> {
  const faults: SpoolFault[] = [];
  let batches = 0;
  let points = 0;
  let after = -1;
  while (true) {
    // One at a time: the bodies of a month do not fit into memory.
    const [row] = await database.read(
      `SELECT batch.*, body.gzip FROM batch LEFT JOIN body USING (output, id)
        WHERE output = ? AND id > ? ORDER BY id LIMIT 1`,
      [output, after],
    );
    if (!row) break;
    const batch = batchOfRow(row);
    const message = await faultOfBatch(row['gzip'], batch.crc, batch.points, format);
    if (message) faults.push({ what: 'spool_batch', where: `${name} batch ${batch.id}`, message });
    batches += 1;
    points += batch.points;
    after = batch.id;
  }
  return { batches, points, faults };
}

async function faultOfBatch(
  body: unknown,
  crc: number,
  points: number,
  format: RecordFormat,
): Promise<string | undefined> {
  if (!(body instanceof Uint8Array)) return 'it has no body';
  if (crc32(body) !== crc) return 'its bytes are not those that were written';
  const raw = await gunzip(body).catch(() => undefined);
  if (!raw) return 'it cannot be unpacked';
  const records = format.split(raw).length;
  return records === points ? undefined : `it holds ${records} points and should hold ${points}`;
}

async function verifyCounts(
  database: Pick<Database, 'read'>,
  output: number,
  name: string,
  pending: number,
): Promise<readonly SpoolFault[]> {
  const tallies = new Tallies();
  const faults: SpoolFault[] = [];
  const rows = await database.read('SELECT outcome, reason, day, points FROM tally WHERE output = ?', [output]);
  for (const row of rows) {
    const tally = tallyOfRow(row);
    const known =
      tally.outcome === 'dropped' ? (DROP_REASONS as readonly string[]).includes(tally.reason) : tally.reason === '';
    if (!known || tally.points < 0) {
      const message = `${tally.points} points ${tally.outcome} ${tally.reason}`;
      faults.push({ what: 'spool_tally', where: `${name} ${row['day']}`, message });
    }
    tallies.add(tally);
  }
  const [quarantine] = await database.read(
    'SELECT coalesce(sum(points), 0) AS points FROM quarantine WHERE output = ?',
    [output],
  );
  const counts: SpoolCounts = {
    produced: tallies.of('produced'),
    written: tallies.of('written'),
    rejected: tallies.of('rejected'),
    pending,
    quarantined: Number(quarantine?.['points']),
    dropped: tallies.dropped(),
  };
  const missing = unaccounted(counts);
  if (missing !== 0) {
    const message = `${counts.produced} points were produced, ${counts.produced - missing} are accounted for`;
    faults.push({ what: 'spool_conservation', where: name, message });
  }
  return faults;
}
