/** Reading the meter ledger: by the daemon, beside it, or from a copy. */
import { inflateRawSync } from 'node:zlib';
import type { WallTime } from '#collectors/contract.ts';
import type { Database, Row, SqlValue } from '../store/store.ts';
import { type Entry, type EntryBodies, type EntryKind, parseEntry, type StoredEntry } from './entries.ts';
import type { PeriodRow } from './period-row.ts';
import type { Read, Source } from './read.ts';
import { type ChunkEnds, decodeChunk, decodeEnds, decodeRead } from './read-codec.ts';

/** Reads that lie together. */
export interface ReadBlock {
  /** Number of its first read. */
  readonly first: number;
  readonly last: number;
  readonly reads: readonly Read[];
  /** Costs less than `reads`, where those have not been looked at. */
  readonly ends: ChunkEnds;
  /**
   * The least rated speed (pages a minute) at which nothing in the block is out of the ordinary, so that its first and
   * last counters tell all. Absent: every read has to be looked at.
   */
  readonly fastest?: number;
}

export interface DeviceRow {
  readonly id: number;
  readonly name: string;
}

/** Gives the handle of now: a fault of the disk may bring another one. */
export interface DatabaseHolder {
  readonly database: Database;
}

export interface LowSupply {
  readonly printer: string;
  readonly supply: string;
  readonly about: StoredLevel['about'];
  readonly levels: readonly { readonly at: WallTime; readonly level: number }[];
}

export interface StoredLevel {
  readonly supply: string;
  readonly at: WallTime;
  /** Per cent. */
  readonly level: number;
  readonly about: { readonly description: string; readonly type: string; readonly color: string };
}

export interface WantedReads {
  readonly device: number;
  /** Only reads of later numbers. */
  readonly after: number;
}

/**
 * Per device one JSON list: a month of a large site has a hundred thousand rows, and handing each from thread to thread
 * would cost more than all that is made of them.
 */
const CHUNKS_AFTER = `
  SELECT w.key AS place, json_group_array(json_array(c.first, c.count, c.fastest, hex(c.body)) ORDER BY c.first) AS list
  FROM json_each(?) AS w CROSS JOIN meter_chunks AS c ON c.device = w.value ->> 0 AND c.first >= coalesce(
    (SELECT max(b.first) FROM meter_chunks AS b WHERE b.device = w.value ->> 0 AND b.first <= (w.value ->> 1) + 1), 0)
  WHERE c.first + c.count - 1 > w.value ->> 1 GROUP BY w.key`;
const READS_AFTER = `
  SELECT w.key AS place, json_group_array(json_array(r.number, hex(r.body)) ORDER BY r.number) AS list
  FROM json_each(?) AS w CROSS JOIN meter_reads AS r ON r.device = w.value ->> 0 AND r.number > w.value ->> 1
  GROUP BY w.key`;

type ChunkTuple = [first: number, count: number, fastest: number | null, body: string];

function chunkBlocks(list: SqlValue | undefined, after: number): ReadBlock[] {
  const chunks = typeof list === 'string' ? (JSON.parse(list) as ChunkTuple[]) : [];
  return chunks.map(([first, count, fastest, hex]): ReadBlock => {
    const body = Buffer.from(hex, 'hex');
    const plain = fastest === null ? {} : { fastest };
    if (first <= after)
      return blockOf(
        decodeChunk(body, first, count).filter(({ number }) => number > after),
        plain,
      );
    return new Chunk(body, first, count, fastest ?? undefined);
  });
}

function openReads(list: SqlValue | undefined): Read[] {
  const reads = typeof list === 'string' ? (JSON.parse(list) as [number: number, body: string][]) : [];
  return reads.map(([number, hex]) => decodeRead(Buffer.from(hex, 'hex'), number));
}

/** @param reads at least one */
export function blockOf(reads: readonly Read[], plain: Pick<ReadBlock, 'fastest'> = {}): ReadBlock {
  const begin = reads.find(({ step }) => step === 'ok');
  const end = reads.findLast(({ step }) => step === 'ok');
  const [first, last] = [reads[0], reads.at(-1)];
  if (!first || !last) throw new RangeError('a block has no reads');
  const ends = { from: first.at, to: last.at, ...(begin && { begin }), ...(end && { end }) };
  return { first: first.number, last: last.number, reads, ends, ...plain };
}

/** Reads that are made of the octets when someone looks at them: mostly nobody does. */
class Chunk implements ReadBlock {
  readonly first: number;
  readonly last: number;
  readonly fastest?: number;
  readonly #body: Uint8Array;
  #reads: readonly Read[] | undefined;
  #ends: ChunkEnds | undefined;

  constructor(body: Uint8Array, first: number, count: number, fastest: number | undefined) {
    this.#body = body;
    this.first = first;
    this.last = first + count - 1;
    if (fastest !== undefined) this.fastest = fastest;
  }

  get reads(): readonly Read[] {
    this.#reads ??= decodeChunk(this.#body, this.first, this.last - this.first + 1);
    return this.#reads;
  }

  get ends(): ChunkEnds {
    this.#ends ??= decodeEnds(this.#body, this.first, this.last - this.first + 1);
    return this.#ends;
  }
}

export class MeterArchive {
  readonly #holder: DatabaseHolder;
  #sourceEntries: Extract<Entry, { kind: 'source' }>[] = [];

  constructor(holder: DatabaseHolder) {
    this.#holder = holder;
  }

  get database(): Database {
    return this.#holder.database;
  }

  async devices(): Promise<DeviceRow[]> {
    const rows = await this.database.read('SELECT id, name FROM meter_devices ORDER BY id');
    return rows.map(({ id, name }) => ({ id: Number(id), name: String(name) }));
  }

  /** The reads that are wanted of each, in their order. */
  async blocksOf(wanted: readonly WantedReads[]): Promise<ReadBlock[][]> {
    const asked = JSON.stringify(wanted.map(({ device, after }) => [device, after]));
    const chunks = new Map((await this.database.read(CHUNKS_AFTER, [asked])).map((row) => [row['place'], row['list']]));
    const open = new Map((await this.database.read(READS_AFTER, [asked])).map((row) => [row['place'], row['list']]));
    return wanted.map(({ after }, place) => {
      const blocks = chunkBlocks(chunks.get(place), after);
      // A chunk is written and its open reads are deleted at once, but these are two looks at the tables.
      const tail = openReads(open.get(place)).filter(({ number }) => number > (blocks.at(-1)?.last ?? after));
      return tail.length > 0 ? [...blocks, blockOf(tail)] : blocks;
    });
  }

  async lastEntrySeq(): Promise<number> {
    const [row] = await this.database.read('SELECT max(seq) AS last FROM meter_entries');
    return Number(row?.['last'] ?? 0);
  }

  /** The number of the last read of each device. */
  async heads(): Promise<Record<string, number>> {
    const rows = await this.database.read(
      `SELECT d.name AS name, max(
          coalesce((SELECT max(number) FROM meter_reads AS r WHERE r.device = d.id), 0),
          coalesce((SELECT first + count - 1 FROM meter_chunks AS c WHERE c.device = d.id ORDER BY first DESC LIMIT 1), 0)
        ) AS last FROM meter_devices AS d`,
    );
    return Object.fromEntries(rows.map(({ name, last }) => [String(name), Number(last)]));
  }

  /** Devices whose last read was good and not before `since`. Most are: this spares a closer look at them. */
  async wellReadSince(since: WallTime): Promise<Set<number>> {
    const rows = await this.database.read(
      'SELECT device, max(number) AS number, body FROM meter_reads GROUP BY device',
    );
    const fine = new Set<number>();
    for (const row of rows) {
      const { at, step } = decodeRead(bytesOf(row, 'body'), Number(row['number']));
      if (step === 'ok' && at >= since) fine.add(Number(row['device']));
    }
    return fine;
  }

  /** The latest few reads of a device, in their order. */
  async lastReads(device: string): Promise<Read[]> {
    const [row] = await this.database.read('SELECT id FROM meter_devices WHERE name = ?', [device]);
    const id = Number(row?.['id'] ?? 0);
    const [chunk] = await this.database.read(
      'SELECT first, count, body FROM meter_chunks WHERE device = ? ORDER BY first DESC LIMIT 1',
      [id],
    );
    const sealed = chunk ? decodeChunk(bytesOf(chunk, 'body'), Number(chunk['first']), Number(chunk['count'])) : [];
    const open = await this.database.read('SELECT number, body FROM meter_reads WHERE device = ? ORDER BY number', [
      id,
    ]);
    return [...sealed, ...open.map((each) => decodeRead(bytesOf(each, 'body'), Number(each['number'])))];
  }

  /** The latest levels of a printer's supplies, in their order. */
  async supplyLevels(printer: string, limit: number): Promise<StoredLevel[]> {
    const rows = await this.database.read(
      'SELECT supply, at, level, about FROM meter_supplies WHERE printer = ? ORDER BY at DESC LIMIT ?',
      [printer, limit],
    );
    return rows.toReversed().map((each) => ({
      supply: String(each['supply']),
      at: Number(each['at']) as WallTime,
      level: Number(each['level']),
      about: JSON.parse(String(each['about'])) as StoredLevel['about'],
    }));
  }

  /** Supplies whose last level is at most `highest` per cent, each with its levels since a time. */
  async lowSupplies(highest: number, since: number): Promise<LowSupply[]> {
    const rows = await this.database.read(
      `SELECT s.printer, s.supply, s.at, s.level, s.about FROM meter_supplies AS s
        JOIN (SELECT printer, supply, max(at) AS last, level FROM meter_supplies GROUP BY printer, supply) AS l
          ON l.printer = s.printer AND l.supply = s.supply
        WHERE l.level <= ? AND (s.at >= ? OR s.at = l.last) ORDER BY s.printer, s.supply, s.at`,
      [highest, since],
    );
    const found = new Map<string, LowSupply & { levels: { at: WallTime; level: number }[] }>();
    for (const row of rows) {
      const printer = String(row['printer']);
      const supply = String(row['supply']);
      const about = JSON.parse(String(row['about'])) as StoredLevel['about'];
      const level = { at: Number(row['at']) as WallTime, level: Number(row['level']) };
      const known = found.get(`${printer}\n${supply}`);
      if (known) known.levels.push(level);
      else found.set(`${printer}\n${supply}`, { printer, supply, about, levels: [level] });
    }
    return [...found.values()];
  }

  /** Entries of the kinds, all if none are named, after `after`. */
  async entries<K extends EntryKind>(kinds: readonly K[], after = 0): Promise<Extract<Entry, { kind: K }>[]> {
    const rows = await this.storedEntries(kinds, after);
    return rows.map((row) => parseEntry(row) as Extract<Entry, { kind: K }>);
  }

  async storedEntries(kinds: readonly EntryKind[] = [], after = 0, limit = -1): Promise<StoredEntry[]> {
    const where = kinds.length > 0 ? `AND kind IN (${kinds.map(() => '?').join(', ')})` : '';
    const rows = await this.database.read(
      `SELECT seq, at, kind, body, hash FROM meter_entries WHERE seq > ? ${where} ORDER BY seq LIMIT ?`,
      [after, ...kinds, limit],
    );
    return rows.map((row) => ({
      seq: Number(row['seq']),
      at: Number(row['at']) as WallTime,
      kind: String(row['kind']),
      body: String(row['body']),
      hash: bytesOf(row, 'hash'),
    }));
  }

  /** Every source that there was, in order. Entries are never changed: each is read and parsed once. */
  async sourceEntries(): Promise<readonly Extract<Entry, { kind: 'source' }>[]> {
    const known = this.#sourceEntries;
    known.push(
      ...(await this.entries(['source'], known.at(-1)?.seq ?? 0)).filter(({ seq }) => seq > (known.at(-1)?.seq ?? 0)),
    );
    return known;
  }

  async sources(): Promise<Map<number, Source>> {
    return new Map((await this.sourceEntries()).map(({ seq, body }) => [seq, body]));
  }

  /** What was read of the file is of another one now. */
  protected forget(): void {
    this.#sourceEntries = [];
  }

  /** The closed periods of a contract, in order. */
  async periods(contract: string | null): Promise<EntryBodies['period'][]> {
    const entries = await this.entries(['period']);
    return entries.filter(({ body }) => body.contract === contract).map(({ body }) => body);
  }

  /** The rows of one closed period: of each printer, and last (printer `''`) of the contract. */
  async periodRows(contract: string | null, ends: WallTime): Promise<PeriodRow[]> {
    const rows = await this.database.read(
      'SELECT body FROM meter_periods WHERE contract = ? AND ends = ? ORDER BY printer',
      [contract ?? '', ends],
    );
    return rows.map((row) => unpack(bytesOf(row, 'body')));
  }

  /** The closed periods of one printer under a contract, in order. */
  async printerRows(contract: string | null, printer: string): Promise<PeriodRow[]> {
    const rows = await this.database.read(
      'SELECT body FROM meter_periods WHERE printer = ? AND contract = ? ORDER BY ends',
      [printer, contract ?? ''],
    );
    return rows.map((row) => unpack(bytesOf(row, 'body')));
  }

  /** The last `count` closed periods of every printer under a contract, in order, at once. */
  async latestRows(contract: string | null, since: WallTime): Promise<Map<string, PeriodRow[]>> {
    const rows = await this.database.read(
      'SELECT printer, body FROM meter_periods WHERE contract = ? AND ends >= ? ORDER BY ends',
      [contract ?? '', since],
    );
    const found = new Map<string, PeriodRow[]>();
    for (const row of rows) {
      const printer = String(row['printer']);
      const before = found.get(printer);
      const period = unpack(bytesOf(row, 'body'));
      if (before) before.push(period);
      else found.set(printer, [period]);
    }
    return found;
  }
}

export function unpack(body: Uint8Array): PeriodRow {
  return JSON.parse(inflateRawSync(body).toString('utf8')) as PeriodRow;
}

export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`${column} is no octets`);
}
