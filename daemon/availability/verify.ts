import { CHAIN_START, sameHash } from '../store/chain.ts';
import type { LedgerCheck, LedgerFault } from '../store/ledger.ts';
import type { Database, Row } from '../store/store.ts';
import { type Entry, entryOf, hashOfRow } from './entries.ts';
import { total } from './spans.ts';
import { type StoredSegment, segmentsOf, TimelineBuilder } from './timeline.ts';

const ROWS_AT_ONCE = 20_000;
const MOST_FAULTS = 50;

/**
 * Holds the availability ledger to its promises: entries without a gap in their numbers, each with the hash that follows
 * from the one before; no state that begins before its segment; and intervals of every device that touch end to end as
 * long as it was watched, and sum to that time to the millisecond.
 */
export async function verifyAvailability(database: Database): Promise<LedgerCheck> {
  const faults: LedgerFault[] = [];
  const fault = (where: string, message: string) => {
    if (faults.length < MOST_FAULTS) faults.push({ what: 'availability', where, message });
  };
  const timelines = new TimelineBuilder();
  const entries: Entry[] = [];
  let previous: Uint8Array = CHAIN_START;
  let seq = 0;
  for await (const row of rowsOf(database)) {
    seq += 1;
    if (row['seq'] !== seq) {
      fault(`entry ${row['seq']}`, `entries ${seq} to ${Number(row['seq']) - 1} are missing`);
      seq = Number(row['seq']);
    }
    const hash = hashOfRow(row, previous);
    if (!sameHash(row['hash'], hash))
      fault(`entry ${seq}`, 'its hash does not follow from its fields and the entry before it');
    previous = row['hash'] instanceof Uint8Array ? row['hash'] : hash;
    const entry = readEntry(row, fault);
    if (!entry) continue;
    if (entry.kind === 'segment' || entry.kind === 'end') entries.push(entry);
    timelines.add(entry);
  }
  const [beat] = await database.read('SELECT segment, at FROM availability_heartbeat');
  const segments = segmentsOf(entries, beat ? { segment: Number(beat['segment']), at: Number(beat['at']) } : undefined);
  const intervals = checkTimelines(timelines, segments, fault);
  return {
    checked: {
      availability_entries: seq,
      availability_segments: segments.length,
      availability_devices: timelines.devices().length,
      availability_intervals: intervals,
    },
    faults,
  };
}

async function* rowsOf(database: Database): AsyncGenerator<Row> {
  for (let last = 0; ; ) {
    const rows = await database.read('SELECT * FROM availability_entries WHERE seq > ? ORDER BY seq LIMIT ?', [
      last,
      ROWS_AT_ONCE,
    ]);
    yield* rows;
    if (rows.length < ROWS_AT_ONCE) return;
    last = Number(rows.at(-1)?.['seq']);
  }
}

function readEntry(row: Row, fault: (where: string, message: string) => void): Entry | undefined {
  try {
    return entryOf(row);
  } catch {
    fault(`entry ${row['seq']}`, 'its detail cannot be read');
    return undefined;
  }
}

function checkTimelines(
  timelines: TimelineBuilder,
  segments: readonly StoredSegment[],
  fault: (where: string, message: string) => void,
): number {
  let intervals = 0;
  for (const { id, from, to } of segments) if (to < from) fault(`segment ${id}`, 'it ends before it begins');
  for (const { seq, device, at, from } of timelines.early(segments))
    fault(`entry ${seq}`, `${device} enters a state ${from - at} ms before the segment begins`);
  for (const device of timelines.devices()) {
    const pieces = timelines.timeline(device, segments);
    const watched = timelines.watched(device, segments);
    const leaves = new Set(watched.map(({ to }) => to));
    const returns = new Set(watched.map(({ from }) => from));
    intervals += pieces.length;
    let sum = 0;
    for (const [index, piece] of pieces.entries()) {
      const next = pieces[index + 1];
      sum += piece.to - piece.from;
      if (piece.to <= piece.from) fault(device, `an interval at ${piece.from} has no length`);
      const away = next !== undefined && next.from > piece.to && leaves.has(piece.to) && returns.has(next.from);
      if (next && next.from !== piece.to && !away)
        fault(device, `the intervals before and after ${piece.to} do not touch`);
    }
    const time = total(watched);
    if (sum !== time) fault(device, `its intervals sum to ${sum} ms of ${time} ms`);
  }
  return intervals;
}
