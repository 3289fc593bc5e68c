import { EventEmitter, once } from 'node:events';
import { crc32 } from 'node:zlib';
import type { Milliseconds, WallTime } from '#collectors/contract.ts';
import { StoreError } from '#daemon/store/errors.ts';
import type { Row, Statement } from '#daemon/store/store.ts';
import { Turns } from '../turns.ts';
import { Backlog, type Batch, type ClaimLimits, spaceOf } from './backlog.ts';
import { gunzip, gzip } from './compression.ts';
import { type DropReason, type SpoolCounts, Tallies, type Tally, unaccounted } from './counts.ts';
import { type QuarantinedRecord, quarantineStatements } from './quarantine.ts';
import { arranged, type RecordFormat } from './records.ts';
import type { Spool } from './spool.ts';
import * as sql from './statements.ts';

export interface OutputSpoolSettings {
  /** What its batches hold. An output that changes its format begins anew. */
  readonly format: RecordFormat;
  /** Of all compressed batches that wait, with their overhead. */
  readonly maxBytes: number;
  /** Points older than this are not worth sending. */
  readonly maxAge: Milliseconds;
  /** Up to which size small batches are merged. */
  readonly merged?: ClaimLimits;
}

/** Records that are put on disk together. */
export interface Block {
  readonly raw: Uint8Array;
  readonly points: number;
  readonly important: boolean;
  readonly firstAt: WallTime;
  readonly lastAt: WallTime;
}

/** Batches that one caller has to itself until it settles or releases them. */
export interface Claim {
  readonly batches: readonly Batch[];
  readonly points: number;
  readonly raw: Uint8Array;
  /** `raw` as it goes over the wire. */
  readonly gzip: Uint8Array;
}

/** What became of a claim's points. All of them together are the claim's points. */
export interface Settlement {
  readonly written: number;
  readonly quarantined: readonly QuarantinedRecord[];
  readonly dropped: readonly { readonly reason: DropReason; readonly points: number }[];
  /** Not decided yet: they wait on, in the place that they had. */
  readonly remaining?: { readonly raw: Uint8Array; readonly points: number };
}

/** From here on compressing more at once gains little. */
const MERGED: ClaimLimits = { points: 5_000, rawBytes: 1_000_000 };
const APPENDS_BETWEEN_MERGES = 16;
/** What may wait although the disk is full: it finds its room in the reserve. */
const FULL_DISK_BYTES = 1_048_576;
const MOST_QUARANTINED_BYTES = 10_000_000;
const SHRUNK_PAGES = 5_000;
const SHRUNK_EVERY_MS = 60_000;
const LIVE_LEVEL = 1;
const MERGED_LEVEL = 6;

/**
 * The part of the spool that belongs to one output. Everything that changes it takes its turn, so that memory always
 * says what disk says.
 */
export class OutputSpool {
  readonly name: string;
  readonly #spool: Spool;
  settings: OutputSpoolSettings;
  readonly #backlog = new Backlog();
  readonly #tallies = new Tallies();
  readonly #turns = new Turns();
  readonly #events = new EventEmitter();
  #id = 0;
  #nextId = 1;
  #generation = 0;
  #quarantined = { points: 0, bytes: 0 };
  #appendsSinceMerge = 0;
  #shrunkAt = 0;

  constructor(spool: Spool, name: string, settings: OutputSpoolSettings) {
    this.#spool = spool;
    this.name = name;
    this.settings = settings;
    this.#events.setMaxListeners(0);
  }

  get counts(): SpoolCounts {
    const dropped = this.#tallies.dropped();
    return {
      produced: this.#tallies.of('produced'),
      written: this.#tallies.of('written'),
      pending: this.#backlog.points,
      quarantined: this.#quarantined.points,
      dropped,
      rejected: this.#tallies.of('rejected') + dropped.beyond_retention + dropped.out_of_order,
    };
  }

  get bytes(): number {
    return this.#backlog.bytes;
  }

  get diskLow(): boolean {
    return this.#spool.diskLow;
  }

  get batches(): number {
    return this.#backlog.length;
  }

  /** Time of the oldest point that waits. */
  get oldestAt(): WallTime | undefined {
    return this.#backlog.oldestAt;
  }

  async load(): Promise<void> {
    await this.#turns.take(() => this.#fresh());
  }

  /**
   * Puts points on disk, and with them in the same commit what had to go to make room.
   * @param lost points that were produced but thrown away before they came here
   * @throws StoreError when they are not on disk; nothing has changed then
   */
  async append(blocks: readonly Block[], lost: readonly { reason: DropReason; points: number }[] = []): Promise<void> {
    const bodies = await Promise.all(blocks.map(async (block) => ({ block, gzip: await gzip(block.raw, LIVE_LEVEL) })));
    await this.#turns.take(async () => {
      await this.#fresh();
      const arrived = bodies.map(({ block, gzip }, index) => ({
        gzip,
        batch: batchOf(this.#nextId + index, block, gzip),
      }));
      const room = await this.#room(arrived.map(({ batch }) => batch));
      const added = arrived.filter(({ batch }) => !room.refused.includes(batch));
      const tallies: Tally[] = [
        { outcome: 'produced', reason: '', points: sum(blocks) + sum(lost) },
        ...[...lost, ...room.reasons].map(({ reason, points }) => ({ outcome: 'dropped', reason, points }) as const),
      ];
      // Always risen, so that after a fault the number alone tells whether this commit is on disk.
      const nextId = this.#nextId + Math.max(1, arrived.length);
      try {
        await this.#spool.write([
          // First out, then in: on a disk without room the new ones take the place of the old.
          ...sql.removeBatches(this.#id, room.victims),
          ...added.flatMap(({ batch, gzip }) => sql.addBatch(this.#id, batch, gzip)),
          sql.setNextId(this.#id, nextId),
          ...sql.addTallies(this.#id, this.#spool.clock.wallNow(), tallies),
        ]);
      } catch (thrown) {
        if (!(await this.#wasStored(thrown, nextId))) throw thrown;
        return;
      }
      this.#nextId = nextId;
      this.#backlog.remove(room.victims);
      for (const { batch } of added) this.#backlog.add(batch);
      for (const tally of tallies) this.#tallies.add(tally);
    });
    this.#events.emit('batch');
    this.#appendsSinceMerge += 1;
  }

  /** Resolves when there is something to claim; rejects with the signal's reason. */
  async waitForBatch(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    while (!this.#backlog.hasUnclaimed) await once(this.#events, 'batch', { signal });
  }

  /** Undefined when nothing is left to claim. Batches that the disk gave back changed are counted as damaged. */
  async claim(end: 'oldest' | 'newest', limits: ClaimLimits): Promise<Claim | undefined> {
    while (true) {
      const batches = this.#backlog.claim(end, limits);
      if (batches.length === 0) return undefined;
      try {
        const claim = await this.#read(batches);
        if (claim) return claim;
      } catch (thrown) {
        this.#backlog.release(batches);
        throw thrown;
      }
    }
  }

  release(claim: Claim): void {
    this.#backlog.release(claim.batches);
    this.#events.emit('batch');
  }

  /** Ends a claim: its points leave the spool, and where they went is counted, in one commit. */
  async settle(claim: Claim, { written, quarantined, dropped, remaining }: Settlement): Promise<void> {
    const rest = remaining && { ...remaining, gzip: await gzip(remaining.raw, LIVE_LEVEL) };
    const quarantine = await quarantineStatements(this.#id, this.#spool.clock.wallNow(), quarantined);
    await this.#turns.take(async () => {
      await this.#fresh();
      const present = claim.batches.filter((batch) => this.#backlog.has(batch));
      if (present.length === 0) return;
      if (present.length < claim.batches.length) {
        // Some of them are on disk no more, and counted so: only the others can still be told of.
        await this.#conclude(present, [{ outcome: 'written', reason: '', points: sum(present) }]);
        return;
      }
      const tallies: Tally[] = [
        { outcome: 'written', reason: '', points: written },
        { outcome: 'rejected', reason: '', points: sum(quarantined) },
        ...dropped.map(({ reason, points }) => ({ outcome: 'dropped', reason, points }) as const),
      ];
      await this.#conclude(present, tallies, {
        added: rest && { batch: batchOf(placeOf(present), { ...span(present), ...rest }, rest.gzip), gzip: rest.gzip },
        statements: quarantine.statements,
      });
      this.#quarantined.points += sum(quarantined);
      this.#quarantined.bytes += quarantine.bytes;
    });
    if (remaining) this.#events.emit('batch');
    await this.#shrink();
  }

  /** Gives quarantined records another try: they wait like new ones. Returns how many points that are. */
  async retry(ids: readonly number[]): Promise<number> {
    return await this.#turns.take(async () => {
      await this.#fresh();
      const rows = await this.#spool.read(sql.QUARANTINED, [this.#id, JSON.stringify(ids)]);
      const added = await Promise.all(
        rows.map(async (row, index) => {
          const body = row['gzip'] instanceof Uint8Array ? row['gzip'] : new Uint8Array();
          const at = Number(row['at']) as WallTime;
          const block = {
            raw: await gunzip(body),
            points: Number(row['points']),
            important: true,
            firstAt: at,
            lastAt: at,
          };
          return { gzip: body, batch: batchOf(this.#nextId + index, block, body) };
        }),
      );
      this.#nextId += added.length;
      await this.#spool.write([
        sql.removeQuarantined(this.#id, rows),
        ...added.flatMap(({ batch, gzip }) => sql.addBatch(this.#id, batch, gzip)),
        sql.setNextId(this.#id, this.#nextId),
      ]);
      for (const { batch } of added) this.#backlog.add(batch);
      this.#leftQuarantine(rows);
      this.#events.emit('batch');
      return sum(added.map(({ batch }) => batch));
    });
  }

  /** Throws quarantined records away. Returns how many points that are. */
  async discard(ids: readonly number[], reason: 'operator' | 'quarantine_full' = 'operator'): Promise<number> {
    return await this.#turns.take(async () => {
      await this.#fresh();
      const rows = await this.#spool.read(sql.QUARANTINED, [this.#id, JSON.stringify(ids)]);
      const points = rows.reduce((sum, row) => sum + Number(row['points']), 0);
      await this.#conclude([], [{ outcome: 'dropped', reason, points }], {
        statements: [sql.removeQuarantined(this.#id, rows)],
      });
      this.#leftQuarantine(rows);
      return points;
    });
  }

  /** Throws away what is older than the age cap. */
  async expire(): Promise<void> {
    const before = (this.#spool.ageNow() - this.settings.maxAge) as WallTime;
    if (this.#backlog.olderThan(before).length > 0) await this.append([]);
  }

  async mergeWhenDue(): Promise<void> {
    if (this.#appendsSinceMerge >= APPENDS_BETWEEN_MERGES) await this.merge();
  }

  /** Joins small neighbours, so that a long outage costs little room. The records stay as they are, byte for byte. */
  async merge(): Promise<void> {
    this.#appendsSinceMerge = 0;
    const batches = this.#backlog.claimMergeable(this.settings.merged ?? MERGED);
    const [first] = batches;
    if (!first) return;
    try {
      const claim = await this.#read(batches);
      if (!claim) return;
      const raw = arranged(claim.raw, this.settings.format);
      const body = await gzip(raw, MERGED_LEVEL);
      const merged = batchOf(first.id, { ...span(claim.batches), raw, points: claim.points }, body);
      await this.#turns.take(async () => {
        await this.#fresh();
        if (claim.batches.every((batch) => this.#backlog.has(batch))) {
          await this.#conclude(claim.batches, [], { added: { batch: merged, gzip: body } });
        }
      });
    } catch (thrown) {
      // They stay as they were, only larger; what the store has to say it says to the next append too.
      this.#spool.log.debug('small batches could not be merged', { output: this.name, error: thrown });
    } finally {
      this.#backlog.release(batches);
      this.#events.emit('batch');
    }
  }

  /** In one commit: `gone` leave the backlog, `added` takes their place, the tallies say why. Only in a turn. */
  async #conclude(gone: readonly Batch[], tallies: readonly Tally[], more: Conclusion = {}): Promise<void> {
    await this.#spool.write([
      ...sql.removeBatches(this.#id, gone),
      ...(more.added ? sql.addBatch(this.#id, more.added.batch, more.added.gzip) : []),
      ...(more.statements ?? []),
      ...sql.addTallies(this.#id, this.#spool.clock.wallNow(), tallies),
    ]);
    this.#backlog.remove(gone);
    if (more.added) this.#backlog.add(more.added.batch);
    for (const tally of tallies) this.#tallies.add(tally);
  }

  /** Learns from disk what is there, when it was never asked or the file has been opened anew. Only in a turn. */
  async #fresh(): Promise<void> {
    if (this.#generation === this.#spool.generation && this.#id !== 0) return;
    const generation = this.#spool.generation;
    await this.#spool.write([sql.addOutput(this.name, this.settings.format.name)]);
    const [output] = await this.#spool.read(sql.OUTPUT_BY_NAME, [this.name, this.settings.format.name]);
    this.#id = Number(output?.['id']);
    this.#nextId = Number(output?.['next_id']);
    this.#backlog.reset((await this.#spool.read(sql.BATCHES, [this.#id])).map(sql.batchOfRow));
    this.#tallies.clear();
    for (const row of await this.#spool.read(sql.TALLIES, [this.#id])) this.#tallies.add(sql.tallyOfRow(row));
    const [quarantine] = await this.#spool.read(sql.QUARANTINE_SIZE, [this.#id]);
    this.#quarantined = { points: Number(quarantine?.['points']), bytes: Number(quarantine?.['bytes']) };
    this.#generation = generation;
    await this.#balance();
  }

  /** Damage that no checksum of SQLite sees can change a number: it is made good by one that says so. */
  async #balance(): Promise<void> {
    const missing = unaccounted(this.counts);
    if (missing === 0) return;
    const tally: Tally =
      missing > 0
        ? { outcome: 'dropped', reason: 'damaged', points: missing }
        : { outcome: 'produced', reason: '', points: -missing };
    this.#spool.log.error('the counts of the spool did not add up', { output: this.name, points: missing });
    await this.#conclude([], [tally]);
  }

  /** After a failed sync nobody knows, until the file is read again. */
  async #wasStored(thrown: unknown, nextId: number): Promise<boolean> {
    if (!(thrown instanceof StoreError) || this.#generation === this.#spool.generation) return false;
    await this.#fresh();
    return this.#nextId >= nextId;
  }

  /**
   * What has to go for `added` to come, and why: what is too old, then the oldest routine points, then routine ones that
   * are only just coming, and the oldest important ones last.
   */
  async #room(added: readonly Batch[]): Promise<Room> {
    const { maxBytes, maxAge } = this.settings;
    const old = this.#backlog.olderThan((this.#spool.ageNow() - maxAge) as WallTime);
    const low = await this.#spool.isDiskLow();
    const held = this.#backlog.bytes - space(old);
    const cap = low ? Math.min(maxBytes, Math.max(FULL_DISK_BYTES, held)) : maxBytes;
    let excess = held + space(added) - cap;
    const crowded: Batch[] = excess > 0 ? [...this.#backlog.victims('routine', excess, old)] : [];
    excess -= space(crowded);
    const refused = excess > 0 && this.#backlog.length > 0 ? added.filter(({ important }) => !important) : [];
    excess -= space(refused);
    if (excess > 0) crowded.push(...this.#backlog.victims('important', excess, old));
    return {
      victims: [...old, ...crowded],
      refused,
      reasons: [
        { reason: 'age', points: sum(old) },
        { reason: cap < maxBytes ? 'disk_full' : 'size', points: sum(crowded) + sum(refused) },
      ],
    };
  }

  /** The claimed batches as one. Undefined when none of them is what it was: they are gone then, and counted. */
  async #read(batches: readonly Batch[]): Promise<Claim | undefined> {
    const ids = JSON.stringify(batches.map(({ id }) => id));
    const rows = await this.#spool.read(sql.BODIES, [this.#id, ids]);
    const bodies = new Map(rows.map((row) => [row['id'], row['gzip']]));
    const good: { readonly batch: Batch; readonly raw: Uint8Array; readonly gzip: Uint8Array }[] = [];
    for (const batch of batches) {
      const body = bodies.get(batch.id);
      const whole = body instanceof Uint8Array && crc32(body) === batch.crc;
      const raw = whole ? await gunzip(body).catch(() => undefined) : undefined;
      if (whole && raw) good.push({ batch, raw, gzip: body });
    }
    if (good.length < batches.length)
      await this.#loseDamaged(batches.filter((batch) => !good.some((g) => g.batch === batch)));
    const [first] = good;
    if (!first) return undefined;
    const claimed = { batches: good.map(({ batch }) => batch), points: sum(good.map(({ batch }) => batch)) };
    if (good.length === 1) return { ...claimed, raw: first.raw, gzip: first.gzip };
    const raw = Buffer.concat(good.map((part) => part.raw));
    return { ...claimed, raw, gzip: await gzip(raw, LIVE_LEVEL) };
  }

  async #loseDamaged(batches: readonly Batch[]): Promise<void> {
    await this.#turns.take(async () => {
      await this.#fresh();
      const present = batches.filter((batch) => this.#backlog.has(batch));
      const points = sum(present);
      if (points === 0) return;
      await this.#conclude(present, [{ outcome: 'dropped', reason: 'damaged', points }]);
      this.#spool.log.error('the disk gave other bytes back than it was given, these points are lost', {
        output: this.name,
        points,
        from: new Date(span(present).firstAt).toISOString(),
        to: new Date(span(present).lastAt).toISOString(),
      });
    });
  }

  #leftQuarantine(rows: readonly Row[]): void {
    for (const row of rows) {
      this.#quarantined.points -= Number(row['points']);
      this.#quarantined.bytes -= Number(row['bytes']);
    }
  }

  /** Now and then, when nothing waits: the file gives back what a long outage made it grow by. */
  async #shrink(): Promise<void> {
    if (this.#quarantined.bytes > MOST_QUARANTINED_BYTES) {
      const rows = await this.#spool.read(sql.QUARANTINE_OLDEST, [this.#id]);
      await this.discard(
        rows.map((row) => Number(row['id'])),
        'quarantine_full',
      );
    }
    const now = this.#spool.clock.monotonicNow();
    if (this.#backlog.length > 0 || now - this.#shrunkAt < SHRUNK_EVERY_MS) return;
    this.#shrunkAt = now;
    await this.#spool.shrink(SHRUNK_PAGES);
  }
}

interface Conclusion {
  readonly added?: { readonly batch: Batch; readonly gzip: Uint8Array } | undefined;
  readonly statements?: readonly Statement[];
}

interface Room {
  readonly victims: readonly Batch[];
  /** Of those that were to be added. */
  readonly refused: readonly Batch[];
  readonly reasons: readonly { readonly reason: DropReason; readonly points: number }[];
}

function batchOf(id: number, block: Block, gzip: Uint8Array): Batch {
  const { points, important, firstAt, lastAt } = block;
  return { id, important, points, bytes: gzip.length, rawBytes: block.raw.length, crc: crc32(gzip), firstAt, lastAt };
}

function sum(items: readonly { readonly points: number }[]): number {
  return items.reduce((points, item) => points + item.points, 0);
}

function space(batches: readonly Batch[]): number {
  return batches.reduce((bytes, batch) => bytes + spaceOf(batch), 0);
}

/**
 * Where what is left of the batches waits on: important if any of them was, and then in the place of the first such. In
 * that of a routine one it would come before important ones that may have been merged around it.
 */
function placeOf(batches: readonly Batch[]): number {
  return (batches.find(({ important }) => important) ?? batches[0])?.id ?? 0;
}

/** From when to when the batches reach, and whether any is important. */
function span(batches: readonly Batch[]): Pick<Block, 'firstAt' | 'lastAt' | 'important'> {
  return {
    firstAt: Math.min(...batches.map(({ firstAt }) => firstAt)) as WallTime,
    lastAt: Math.max(...batches.map(({ lastAt }) => lastAt)) as WallTime,
    important: batches.some(({ important }) => important),
  };
}
