/**
 * Writing the meter ledger. Reads are chained per device, entries in one chain of their own. A read is on disk when its
 * promise resolves; what was not acknowledged before a kill is simply not there.
 */
import { hash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import type { WallTime } from '#collectors/contract.ts';
import type { Statement } from '../store/store.ts';
import { bytesOf, type DatabaseHolder, MeterArchive } from './archive.ts';
import { ENTRY_CHAIN_START, type EntryBodies, type EntryKind, entryHash } from './entries.ts';
import type { PeriodRow } from './period-row.ts';
import type { Read, Source } from './read.ts';
import { chainNext, chainStart, decodeRead, encodeChunk, encodeRead } from './read-codec.ts';
import { fastestOf } from './segment-rules.ts';

/** Open reads of a device that are put together into a chunk. */
export const CHUNK_READS = 64;

const PRINTERS_AT_ONCE = 50;
/** From one to the next by the key, not through all their levels. */
const PRINTERS_WITH_LEVELS = `WITH RECURSIVE p (printer) AS (SELECT min(printer) FROM meter_supplies UNION ALL
  SELECT (SELECT min(printer) FROM meter_supplies WHERE printer > p.printer) FROM p WHERE p.printer IS NOT NULL)
  SELECT printer FROM p WHERE printer IS NOT NULL`;
const OLD = 'DELETE FROM meter_supplies AS s WHERE s.printer = ? AND s.at < ?';
const LATER = 'SELECT 1 FROM meter_supplies AS l WHERE l.printer = s.printer AND l.supply = s.supply AND l.at > s.at';
const FORGET_LEVELS = `${OLD} AND EXISTS (${LATER})`;
const FORGET_WITHIN_DAYS = `${OLD} AND EXISTS (${LATER} AND l.at / 86400000 = s.at / 86400000)`;

interface Head {
  readonly id: number;
  /** See `#openings`. */
  readonly opening: number;
  number: number;
  hash: Uint8Array;
  open: number;
  queue: Promise<unknown>;
}

export class MeterLedger extends MeterArchive {
  readonly #heads = new Map<string, Head>();
  readonly #sourceNumbers = new Map<string, number>();
  readonly #sources = new Map<number, Source>();
  /** printer -> how many sources it has had. */
  readonly #printers = new Map<string, number>();
  #lastEntry: { seq: number; hash: Uint8Array } = { seq: 0, hash: ENTRY_CHAIN_START };
  #entryQueue: Promise<unknown> = Promise.resolve();
  #deviceQueue: Promise<unknown> = Promise.resolve();
  /** How often the file was opened anew. What was begun before goes on with what is known after. */
  #openings = 0;
  #loaded: Promise<unknown> = Promise.resolve();

  static async open(holder: DatabaseHolder): Promise<MeterLedger> {
    const ledger = new MeterLedger(holder);
    await ledger.#load();
    return ledger;
  }

  /**
   * @throws StoreError when it could not be written; then it is not in the chain
   * @throws RangeError when its source is not in the ledger: it may have been lost with a damaged file
   */
  async append(device: string, draft: Omit<Read, 'number'>): Promise<Read> {
    for (;;) {
      await this.#loaded;
      const head = await this.#head(device);
      const read = await queued(head, async () =>
        head.opening === this.#openings ? await this.#put(device, head, draft) : undefined,
      );
      if (read) return read;
    }
  }

  async #put(device: string, head: Head, draft: Omit<Read, 'number'>): Promise<Read> {
    if (draft.source !== 0 && this.#sources.get(draft.source)?.device !== device)
      throw new RangeError(`entry ${draft.source} is no source of ${device}`);
    const read: Read = { ...draft, number: head.number + 1 };
    const next = chainNext(head.hash, read);
    await this.database.write([
      {
        sql: 'INSERT INTO meter_reads (device, number, body, hash) VALUES (?, ?, ?, ?)',
        params: [head.id, read.number, encodeRead(read), next],
      },
    ]);
    head.number = read.number;
    head.hash = next;
    head.open += 1;
    if (head.open >= CHUNK_READS) await this.#seal(head);
    return read;
  }

  /** The number of a source's entry; written the first time that it is seen. */
  async sourceNumber(source: Source, at: WallTime): Promise<number> {
    const text = JSON.stringify(source);
    const known = this.#sourceNumbers.get(text);
    if (known !== undefined) return known;
    const seq = await this.enter('source', source, at, () => this.#sourceNumbers.get(text));
    if (!this.#sources.has(seq)) this.#remember(seq, source, text);
    return seq;
  }

  knownSources(): ReadonlyMap<number, Source> {
    return this.#sources;
  }

  override async sources(): Promise<Map<number, Source>> {
    return this.#sources;
  }

  /** Whether a printer has one source only, and so may have been read for the first time. */
  isNew(printer: string): boolean {
    return (this.#printers.get(printer) ?? 0) <= 1;
  }

  /**
   * Writes an entry, with `beside` in the same transaction.
   * @param already the number to return in its place, asked for when its turn has come
   */
  async enter<K extends EntryKind>(
    kind: K,
    body: EntryBodies[K],
    at: WallTime,
    already?: () => number | undefined,
    beside: readonly Statement[] = [],
  ): Promise<number> {
    for (;;) {
      await this.#loaded;
      const opening = this.#openings;
      const work = this.#entryQueue.then(async () => {
        if (opening !== this.#openings) return undefined;
        return already?.() ?? (await this.#putEntry(kind, body, at, beside));
      });
      this.#entryQueue = work.catch(() => undefined);
      const seq = await work;
      if (seq !== undefined) return seq;
    }
  }

  async #putEntry<K extends EntryKind>(
    kind: K,
    body: EntryBodies[K],
    at: WallTime,
    beside: readonly Statement[],
  ): Promise<number> {
    const entry = { seq: this.#lastEntry.seq + 1, at, kind, body: JSON.stringify(body) };
    const chained = entryHash(this.#lastEntry.hash, entry);
    await this.database.write([
      ...beside,
      {
        sql: 'INSERT INTO meter_entries (seq, at, kind, body, hash) VALUES (?, ?, ?, ?, ?)',
        params: [entry.seq, at, kind, entry.body, chained],
      },
    ]);
    this.#lastEntry = { seq: entry.seq, hash: chained };
    return entry.seq;
  }

  get lastEntry(): number {
    return this.#lastEntry.seq;
  }

  /** Closes a period: its rows and the entry that holds them, or nothing. */
  async close(
    period: Omit<EntryBodies['period'], 'rows' | 'printers'>,
    rows: readonly PeriodRow[],
    at: WallTime,
  ): Promise<void> {
    const packed = rows
      .map((row) => packRow(row))
      .toSorted((a, b) => (a.printer < b.printer ? -1 : a.printer > b.printer ? 1 : 0));
    const body = { ...period, printers: rows.filter(({ kind }) => kind === 'printer').length, rows: rowsHash(packed) };
    await this.enter('period', body, at, undefined, [
      {
        sql: 'INSERT INTO meter_periods (contract, ends, printer, body, hash) VALUES (?, ?, ?, ?, ?)',
        rows: packed.map((row) => [period.contract ?? '', period.to, row.printer, row.body, row.hash]),
      },
    ]);
  }

  async addSupplyLevel(printer: string, supply: string, at: WallTime, level: number, about: string): Promise<void> {
    await this.database.write([
      {
        sql: 'INSERT OR REPLACE INTO meter_supplies (printer, supply, at, level, about) VALUES (?, ?, ?, ?, ?)',
        params: [printer, supply, at, level, about],
      },
    ]);
  }

  /**
   * Lets go of old levels of supplies: of the weeks before `recent` the last of each day stays, and of before `oldest` only
   * the last of each supply. They are a help to plan by and no evidence; replacements are entries and stay for ever.
   */
  async forgetSupplyLevels(recent: WallTime, oldest: WallTime): Promise<number> {
    const printers = (await this.database.read(PRINTERS_WITH_LEVELS)).map(({ printer }) => String(printer));
    let forgotten = 0;
    // A few at a time, so that no read waits for it.
    for (let start = 0; start < printers.length; start += PRINTERS_AT_ONCE) {
      const some = printers.slice(start, start + PRINTERS_AT_ONCE);
      const outcomes = await this.database.write([
        { sql: FORGET_WITHIN_DAYS, rows: some.map((printer) => [printer, recent]) },
        { sql: FORGET_LEVELS, rows: some.map((printer) => [printer, oldest]) },
      ]);
      for (const { changes } of outcomes) forgotten += changes;
    }
    return forgotten;
  }

  /**
   * Looks again at where the chains end, after the file was opened anew: a copy may have been restored, and what seemed
   * not to be written may be there. What is under way is let go first; what comes meanwhile waits.
   */
  async reload(): Promise<void> {
    this.#openings += 1;
    const underWay = [
      this.#loaded,
      this.#entryQueue,
      this.#deviceQueue,
      ...[...this.#heads.values()].map(({ queue }) => queue),
    ];
    const work = Promise.allSettled(underWay).then(async () => {
      this.forget();
      this.#heads.clear();
      this.#sources.clear();
      this.#sourceNumbers.clear();
      this.#printers.clear();
      this.#lastEntry = { seq: 0, hash: ENTRY_CHAIN_START };
      await this.#load();
    });
    // Where it fails, the next opening tries again; until then nothing is written.
    this.#loaded = work;
    work.catch(() => undefined);
    await work;
  }

  async #load(): Promise<void> {
    const devices = new Map((await this.devices()).map(({ id, name }) => [id, name]));
    // Device by device from the end: seven years of chunks are not looked through for it.
    const tips = await this.database.read(
      `SELECT c.device AS device, c.first AS first, c.count AS count, c.tip AS tip FROM meter_devices AS d
        CROSS JOIN meter_chunks AS c ON c.device = d.id
        AND c.first = (SELECT max(l.first) FROM meter_chunks AS l WHERE l.device = d.id)`,
    );
    const open = await this.database.read(
      'SELECT device, max(number) AS number, count(*) AS open, hash FROM meter_reads GROUP BY device',
    );
    for (const [id, name] of devices) {
      this.#heads.set(name, this.#newHead(id, name));
    }
    const headOf = (device: unknown) => this.#heads.get(devices.get(Number(device)) ?? '');
    for (const row of tips) {
      const head = headOf(row['device']);
      if (head)
        Object.assign(head, { number: Number(row['first']) + Number(row['count']) - 1, hash: bytesOf(row, 'tip') });
    }
    for (const row of open) {
      const head = headOf(row['device']);
      if (head)
        Object.assign(head, { number: Number(row['number']), hash: bytesOf(row, 'hash'), open: Number(row['open']) });
    }
    for (const [seq, source] of await super.sources()) this.#remember(seq, source, JSON.stringify(source));
    const [last] = await this.database.read('SELECT seq, hash FROM meter_entries ORDER BY seq DESC LIMIT 1');
    if (last) this.#lastEntry = { seq: Number(last['seq']), hash: bytesOf(last, 'hash') };
  }

  #remember(seq: number, source: Source, text: string): void {
    this.#sourceNumbers.set(text, seq);
    this.#sources.set(seq, source);
    this.#printers.set(source.printer, (this.#printers.get(source.printer) ?? 0) + 1);
  }

  #newHead(id: number, name: string): Head {
    return { id, opening: this.#openings, number: 0, hash: chainStart(name), open: 0, queue: Promise.resolve() };
  }

  async #head(device: string): Promise<Head> {
    const known = this.#heads.get(device);
    if (known) return known;
    const work = this.#deviceQueue.then(async () => {
      const meanwhile = this.#heads.get(device);
      if (meanwhile) return meanwhile;
      const [outcome] = await this.database.write([
        { sql: 'INSERT INTO meter_devices (name) VALUES (?)', params: [device] },
      ]);
      const id = Number(outcome?.lastInsertRowid);
      const head = this.#newHead(id, device);
      this.#heads.set(device, head);
      return head;
    });
    this.#deviceQueue = work.catch(() => undefined);
    return await work;
  }

  /** Puts the open reads of a device together. The chain stays as it is: only the place of its reads changes. */
  async #seal(head: Head): Promise<void> {
    const rows = await this.database.read('SELECT number, body FROM meter_reads WHERE device = ? ORDER BY number', [
      head.id,
    ]);
    const reads = rows.map((row) => decodeRead(bytesOf(row, 'body'), Number(row['number'])));
    const first = reads[0];
    const last = reads.at(-1);
    if (!first || !last || last.number !== head.number) return;
    const times = reads.map(({ at }) => at);
    await this.database.write([
      {
        sql: `INSERT INTO meter_chunks (device, first, count, from_at, to_at, fastest, body, tip)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        params: [
          head.id,
          first.number,
          reads.length,
          Math.min(...times),
          Math.max(...times),
          this.#fastest(reads) ?? null,
          encodeChunk(reads),
          head.hash,
        ],
      },
      { sql: 'DELETE FROM meter_reads WHERE device = ? AND number <= ?', params: [head.id, last.number] },
    ]);
    head.open = 0;
  }

  #fastest(reads: readonly Read[]): number | undefined {
    const source = this.#sources.get(reads.find(({ step }) => step === 'ok')?.source ?? 0);
    return source && fastestOf(reads, source);
  }
}

export interface PackedRow {
  readonly printer: string;
  readonly body: Uint8Array;
  readonly hash: Uint8Array;
}

export function packRow(row: PeriodRow): PackedRow {
  const printer = row.kind === 'printer' ? row.printer : '';
  const body = deflateRawSync(JSON.stringify(row));
  return { printer, body, hash: rowHash(row.contract, row.to, printer, body) };
}

export function rowHash(contract: string | null, ends: WallTime, printer: string, body: Uint8Array): Uint8Array {
  return hash('sha256', Buffer.concat([Buffer.from(`${contract ?? ''}\n${ends}\n${printer}\n`), body]), 'buffer');
}

/** Over the hashes of the rows in the order of their printers. */
export function rowsHash(rows: readonly { readonly hash: Uint8Array }[]): string {
  return hash('sha256', Buffer.concat(rows.map((row) => row.hash)), 'hex');
}

async function queued<T>(head: Head, work: () => Promise<T>): Promise<T> {
  const result = head.queue.then(work);
  head.queue = result.catch(() => undefined);
  return await result;
}
