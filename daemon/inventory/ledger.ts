/** The inventory's tables in the ledger. */
import type { WallTime } from '#collectors/contract.ts';
import type { Database, Row, Statement } from '../store/store.ts';
import type { BookChanges } from './book.ts';
import { type DeviceRecord, EVENT_KINDS, type EventKind, type InventoryEvent } from './record.ts';

/** An event with its place in the ledger. */
export interface KeptEvent extends InventoryEvent {
  readonly seq: number;
}

/** How far the scan of a range is. */
export interface ScanState {
  readonly range: string;
  readonly started: WallTime;
  /** Absent: it was stopped, and goes on with `nextSlice`. */
  readonly finished?: WallTime;
  readonly nextSlice: number;
}

export async function readRecords(database: Database): Promise<readonly DeviceRecord[]> {
  const rows = await database.read('SELECT content FROM inventory_devices');
  return rows.map(({ content }) => JSON.parse(String(content)) as DeviceRecord);
}

/** Writes records and events in one transaction. */
export async function writeChanges(
  database: Database,
  { records, events }: Omit<BookChanges, 'seen'>,
  now: WallTime,
): Promise<void> {
  const statements: Statement[] = [];
  if (records.length > 0) {
    // A name may pass from one record to another within one change.
    statements.push({
      sql: 'UPDATE inventory_devices SET name = NULL WHERE id = ?',
      rows: records.map(({ id }) => [id]),
    });
    statements.push({
      sql: `INSERT INTO inventory_devices (id, state, name, content, updated) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET state = excluded.state, name = excluded.name, content = excluded.content, updated = excluded.updated`,
      rows: records.map((record) => [record.id, record.state, record.name ?? null, JSON.stringify(record), now]),
    });
  }
  if (events.length > 0)
    statements.push({
      sql: 'INSERT INTO inventory_events (at, device, kind, detail) VALUES (?, ?, ?, ?)',
      rows: events.map(({ at, device, kind, detail }) => [at, device, kind, JSON.stringify(detail)]),
    });
  if (statements.length > 0) await database.write(statements);
}

/** Events from `since` on, oldest first. */
export async function readEvents(database: Database, since: number, limit = 1_000): Promise<readonly KeptEvent[]> {
  const rows = await database.read(
    'SELECT seq, at, device, kind, detail FROM inventory_events WHERE at >= ? ORDER BY seq LIMIT ?',
    [since, limit],
  );
  return rows.flatMap(keptEvent);
}

/** Events before a place in the ledger, newest first; of some devices, or of all. */
export async function readLatest(
  database: Database,
  before: number,
  limit: number,
  devices?: readonly string[],
): Promise<readonly KeptEvent[]> {
  const rows = await database.read(
    `SELECT seq, at, device, kind, detail FROM inventory_events
      WHERE seq < ? AND (? IS NULL OR device IN (SELECT value FROM json_each(?))) ORDER BY seq DESC LIMIT ?`,
    [before, devices ? 1 : null, JSON.stringify(devices ?? []), limit],
  );
  return rows.flatMap(keptEvent);
}

/** When records turned out to be one device, or two. */
export async function readTurns(database: Database): Promise<readonly KeptEvent[]> {
  const rows = await database.read(
    `SELECT seq, at, device, kind, detail FROM inventory_events WHERE kind IN ('joined', 'split') ORDER BY seq`,
  );
  return rows.flatMap(keptEvent);
}

/** All events of some devices, oldest first. */
export async function readHistory(database: Database, devices: readonly string[]): Promise<readonly KeptEvent[]> {
  const marks = devices.map(() => '?').join(', ');
  const rows = await database.read(
    `SELECT seq, at, device, kind, detail FROM inventory_events WHERE device IN (${marks}) ORDER BY seq`,
    devices,
  );
  return rows.flatMap(keptEvent);
}

function keptEvent({ seq, at, device, kind, detail }: Row): KeptEvent[] {
  if (!isKind(kind)) return [];
  return [
    {
      seq: Number(seq),
      at: Number(at) as WallTime,
      device: String(device),
      kind,
      detail: JSON.parse(String(detail)) as Record<string, string>,
    },
  ];
}

function isKind(kind: unknown): kind is EventKind {
  return EVENT_KINDS.some((each) => each === kind);
}

export async function readScans(database: Database): Promise<ReadonlyMap<string, ScanState>> {
  const rows = await database.read('SELECT range, started, finished, next_slice FROM inventory_scans');
  return new Map(
    rows.map(({ range, started, finished, next_slice: next }) => [
      String(range),
      {
        range: String(range),
        started: Number(started) as WallTime,
        ...(finished === null ? {} : { finished: Number(finished) as WallTime }),
        nextSlice: Number(next),
      },
    ]),
  );
}

export async function writeScan(database: Database, { range, started, finished, nextSlice }: ScanState): Promise<void> {
  await database.write([
    {
      sql: `INSERT INTO inventory_scans (range, started, finished, next_slice) VALUES (?, ?, ?, ?)
        ON CONFLICT (range) DO UPDATE SET started = excluded.started, finished = excluded.finished, next_slice = excluded.next_slice`,
      params: [range, started, finished ?? null, nextSlice],
    },
  ]);
}
