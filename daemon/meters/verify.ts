/** Does the meter ledger hold: chains of reads and entries, sources, closed periods. Names the row that does not. */
import { setImmediate as breathe } from 'node:timers/promises';
import type { WallTime } from '#collectors/contract.ts';
import type { LedgerCheck, LedgerFault } from '../store/ledger.ts';
import type { Database } from '../store/store.ts';
import { bytesOf, MeterArchive } from './archive.ts';
import { ENTRY_CHAIN_START, type EntryBodies, entryHash, parseEntry } from './entries.ts';
import { rowHash, rowsHash } from './ledger.ts';
import type { Read, Source } from './read.ts';
import { chainNext, chainStart, decodeChunk, decodeRead } from './read-codec.ts';

/** Told now and then, and last. */
export type Progress = (done: { readonly reads: number; readonly devices: number; readonly of: number }) => void;

export interface VerifyOptions {
  /** It is an excerpt: chains may begin later, and closed periods may be missing. */
  readonly part?: boolean;
}

const ROWS_AT_ONCE = 500;
const MOST_FAULTS = 100;

/** Checks everything that can be checked without evaluating anew. */
export async function verifyMeters(
  database: Database,
  progress?: Progress,
  { part = false }: VerifyOptions = {},
): Promise<LedgerCheck> {
  const archive = new MeterArchive({ database });
  const checker = new Checker(archive, part);
  await checker.checkEntries();
  await checker.checkReads(progress);
  await checker.checkPeriods();
  const { reads, entries, periods, faults } = checker;
  return {
    checked: { meter_reads: reads, meter_entries: entries, meter_periods: periods },
    faults: faults.slice(0, MOST_FAULTS),
  };
}

class Checker {
  readonly faults: LedgerFault[] = [];
  reads = 0;
  entries = 0;
  periods = 0;
  readonly #archive: MeterArchive;
  readonly #sources = new Map<number, Source>();
  readonly #closed: EntryBodies['period'][] = [];

  readonly #part: boolean;

  constructor(archive: MeterArchive, part: boolean) {
    this.#archive = archive;
    this.#part = part;
  }

  async checkEntries(): Promise<void> {
    let before: Uint8Array = ENTRY_CHAIN_START;
    let last = 0;
    for (;;) {
      const page = await this.#archive.storedEntries([], last, ROWS_AT_ONCE);
      if (page.length === 0) return;
      for (const entry of page) {
        const where = `meter_entries row ${entry.seq} (${entry.kind})`;
        if (entry.seq !== last + 1) this.#fault(where, `entries ${last + 1} to ${entry.seq - 1} are missing`);
        if (!equal(entryHash(before, entry), entry.hash))
          this.#fault(where, 'it is not what was written: its hash differs');
        before = entry.hash;
        last = entry.seq;
        this.entries += 1;
        this.#learn(entry, where);
      }
      await breathe();
    }
  }

  #learn(stored: Parameters<typeof parseEntry>[0], where: string): void {
    try {
      const entry = parseEntry(stored);
      if (entry.kind === 'source') this.#sources.set(entry.seq, entry.body);
      if (entry.kind === 'period') this.#closed.push(entry.body);
    } catch {
      this.#fault(where, 'it is not JSON');
    }
  }

  async checkReads(progress: Progress | undefined): Promise<void> {
    const devices = await this.#archive.devices();
    for (const [index, { id, name }] of devices.entries()) {
      await this.#checkDevice(id, name);
      progress?.({ reads: this.reads, devices: index + 1, of: devices.length });
      await breathe();
    }
  }

  async #checkDevice(id: number, device: string): Promise<void> {
    const { database } = this.#archive;
    let hash: Uint8Array = chainStart(device);
    let number = 0;
    for (;;) {
      const chunks = await database.read(
        'SELECT first, count, body, tip FROM meter_chunks WHERE device = ? AND first > ? ORDER BY first LIMIT ?',
        [id, number, ROWS_AT_ONCE],
      );
      if (chunks.length === 0) break;
      for (const row of chunks) {
        const first = Number(row['first']);
        const count = Number(row['count']);
        const where = `meter_chunks row (${id}, ${first}): reads ${first} to ${first + count - 1} of ${device}`;
        const begins = this.#part && number === 0;
        if (first !== number + 1 && !begins) this.#fault(where, `reads ${number + 1} to ${first - 1} are missing`);
        const tip = bytesOf(row, 'tip');
        const reads = this.#decoded(where, () => decodeChunk(bytesOf(row, 'body'), first, count));
        for (const read of reads) hash = chainNext(hash, read);
        if (!equal(hash, tip) && !(begins && first > 1))
          this.#fault(where, 'they are not what was read: their hash differs');
        for (const read of reads) this.#checkSource(device, read);
        hash = tip;
        number = first + count - 1;
        this.reads += count;
      }
      await breathe();
    }
    for (const row of await database.read(
      'SELECT number, body, hash FROM meter_reads WHERE device = ? ORDER BY number',
      [id],
    )) {
      const own = Number(row['number']);
      const where = `meter_reads row (${id}, ${own}): read ${own} of ${device}`;
      if (own !== number + 1) this.#fault(where, `reads ${number + 1} to ${own - 1} are missing`);
      const stored = bytesOf(row, 'hash');
      const [read] = this.#decoded(where, () => [decodeRead(bytesOf(row, 'body'), own)]);
      if (!read || !equal(chainNext(hash, read), stored))
        this.#fault(where, 'it is not what was read: its hash differs');
      if (read) this.#checkSource(device, read);
      hash = stored;
      number = own;
      this.reads += 1;
    }
  }

  #decoded(where: string, decode: () => Read[]): Read[] {
    try {
      return decode();
    } catch (error) {
      this.#fault(where, `it cannot be read: ${(error as Error).message}`);
      return [];
    }
  }

  #checkSource(device: string, { source, number }: Read): void {
    if (source === 0 || this.#sources.get(source)?.device === device) return;
    this.#fault(`read ${number} of ${device}`, `its source, entry ${source}, is not there or of another device`);
  }

  async checkPeriods(): Promise<void> {
    const { database } = this.#archive;
    const lastEnds = new Map<string | null, WallTime>();
    let held = 0;
    for (const { contract, from, to, rows, printers } of this.#closed) {
      const name = contract ?? 'no contract';
      const where = `period of ${name} until ${new Date(to).toISOString()}`;
      const before = lastEnds.get(contract);
      if (before !== undefined && before !== from) this.#fault(where, 'it does not begin where the one before ended');
      lastEnds.set(contract, to);
      const stored = await database.read(
        'SELECT printer, body, hash FROM meter_periods WHERE contract = ? AND ends = ? ORDER BY printer',
        [contract ?? '', to],
      );
      held += stored.length;
      if (this.#part && stored.length === 0) continue;
      const hashes = stored.map((row) => ({ hash: bytesOf(row, 'hash') }));
      if (rowsHash(hashes) !== rows || stored.length !== printers + 1) {
        this.#fault(where, 'its rows are not those that were closed');
      }
      for (const row of stored) {
        const printer = String(row['printer']);
        const body = bytesOf(row, 'body');
        if (equal(rowHash(contract, to, printer, body), bytesOf(row, 'hash'))) continue;
        const what = printer === '' ? 'the bill' : `the row of ${printer}`;
        this.#fault(`meter_periods row (${contract ?? ''}, ${to}, ${printer})`, `${what} is not what was closed`);
      }
      this.periods += 1;
      await breathe();
    }
    const [all] = await database.read('SELECT count(*) AS rows FROM meter_periods');
    if (Number(all?.['rows']) !== held)
      this.#fault('meter_periods', `${Number(all?.['rows']) - held} rows belong to no closed period`);
  }

  #fault(where: string, message: string): void {
    this.faults.push({ what: 'meters', where, message });
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
