/** A spool as it should be, small enough to be believed, and random actions done to both it and the real one. */
import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { Clock, Milliseconds, Monotonic, WallTime } from '#collectors/contract.ts';
import type { ClaimLimits } from '#daemon/spool/backlog.ts';
import { type SpoolCounts, total, unaccounted } from '#daemon/spool/counts.ts';
import type { Claim, OutputSpool, Settlement } from '#daemon/spool/output-spool.ts';
import { LINES } from '#daemon/spool/records.ts';
import { openSpool, type Spool } from '#daemon/spool/spool.ts';
import type { Store } from '#daemon/store/store.ts';
import { neverLate } from './never-late.ts';
import { recordingLogger } from './recording-logger.ts';

interface Point {
  readonly text: string;
  readonly important: boolean;
  readonly at: number;
  /** Its place in the queue. */
  readonly order: number;
}

/** Where each point is. A point is in one place, and leaves `pending` only for a reason that the model knows. */
class Model {
  readonly pending = new Map<string, Point>();
  readonly quarantined = new Set<string>();
  produced = 0;
  written = 0;
  dropped = 0;

  /** What disk no longer holds must be what a cap may take: too old, or older than all that it left of its class. */
  checkLost(kept: ReadonlySet<string>, claimed: ReadonlySet<string>, oldest: number): void {
    const lost = Array.from(this.pending.values()).filter(({ text }) => !kept.has(text));
    if (lost.length === 0) return;
    if (lost.some(({ text }) => claimed.has(text))) throw new Error('a claimed point went');
    const newestLost = (important: boolean): number =>
      lost
        .filter((point) => point.important === important && point.at >= oldest)
        .reduce((newest, { order }) => Math.max(newest, order), 0);
    const [routine, important] = [newestLost(false), newestLost(true)];
    for (const point of this.pending.values()) {
      if (!kept.has(point.text) || claimed.has(point.text)) continue;
      if (!point.important && important > 0) throw new Error('an important point went before a routine one');
      // A routine point may also be turned away at the door, when only important ones are left to take its place.
      const older = point.order < (point.important ? important : routine);
      if (older) throw new Error('an older point was kept while a newer one went');
    }
    for (const { text } of lost) this.pending.delete(text);
    this.dropped += lost.length;
  }
}

/** A clock that only the test moves. */
export class ManualClock implements Clock {
  wall = 1_790_000_000_000;
  monotonic = 0;

  wallNow(): WallTime {
    return this.wall as WallTime;
  }

  monotonicNow(): Monotonic {
    return this.monotonic as Monotonic;
  }

  /** No time passes by itself: only the signal ends it. */
  async sleep(_duration: Milliseconds, signal?: AbortSignal): Promise<void> {
    await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true }));
  }

  timeout(): AbortSignal {
    return new AbortController().signal;
  }

  readonly deadline = neverLate;

  pass(milliseconds: number): void {
    this.wall += milliseconds;
    this.monotonic += milliseconds;
  }
}

export interface ModelRun {
  readonly store: Store;
  readonly directory: string;
  readonly output: string;
  readonly random: () => number;
  readonly actions: number;
  readonly maxBytes: number;
  readonly merged: ClaimLimits;
  /** Most points of one append. */
  readonly largest: number;
}

/** Small ones reach every corner soon; a fault that hides in large numbers needs the real ones. */
export const CONSTANTS = {
  tiny: { maxBytes: 900, merged: { points: 6, rawBytes: 60 }, largest: 4 },
  real: { maxBytes: 8_000, merged: { points: 5_000, rawBytes: 1_000_000 }, largest: 200 },
} satisfies Record<string, Pick<ModelRun, 'maxBytes' | 'merged' | 'largest'>>;

const MAX_AGE = 3_600_000 as Milliseconds;

/** One sequence of actions; after each, memory, disk and model must agree. */
export async function runModel(run: ModelRun): Promise<void> {
  const scene = await new Scene(run).open();
  for (let index = 0; index < run.actions; index++) await scene.act();
  await scene.drain();
}

class Scene {
  readonly #run: ModelRun;
  readonly #clock = new ManualClock();
  readonly #model = new Model();
  #spool: Spool | undefined;
  #output: OutputSpool | undefined;
  #claims: Claim[] = [];
  #lastText = 1_000_000;

  constructor(run: ModelRun) {
    this.#run = run;
  }

  get output(): OutputSpool {
    if (!this.#output) throw new Error('not open');
    return this.#output;
  }

  async open(): Promise<this> {
    const { store, directory, output, maxBytes, merged } = this.#run;
    this.#spool = await openSpool({ store, directory, freeFloor: 0, log: recordingLogger(), clock: this.#clock });
    this.#output = await this.#spool.output(output, { format: LINES, maxBytes, maxAge: MAX_AGE, merged });
    this.#claims = [];
    return this;
  }

  async act(): Promise<void> {
    const { random } = this.#run;
    const pick = random();
    if (pick < 0.4) await this.#append();
    else if (pick < 0.5) await this.#claim();
    else if (pick < 0.7) await this.#settle();
    else if (pick < 0.76) this.#release();
    else if (pick < 0.84) await this.output.merge();
    else if (pick < 0.88) await this.#quarantine(random() < 0.5);
    else if (pick < 0.93) this.#clock.pass(random() * 1_200_000);
    else if (pick < 0.95) this.#clock.wall += (random() - 0.5) * 1e11;
    else if (pick < 0.97) await this.output.expire();
    else await this.open();
    await this.#check();
  }

  async drain(): Promise<void> {
    for (const claim of this.#claims) this.output.release(claim);
    this.#claims = [];
    while (true) {
      const claim = await this.output.claim('oldest', { points: 500, rawBytes: 1e6 });
      if (!claim) break;
      await this.output.settle(claim, { written: claim.points, quarantined: [], dropped: [] });
      this.#written(LINES.split(claim.raw).map(LINES.describe));
    }
    await this.#check();
    expect(this.output.counts).toMatchObject({ pending: 0, written: this.#model.written });
  }

  async #append(): Promise<void> {
    const { random, largest } = this.#run;
    const blocks = [false, true].flatMap((important) => {
      const texts = Array.from({ length: Math.floor(random() * largest) }, () => String(++this.#lastText));
      if (texts.length === 0) return [];
      const at = this.#clock.wallNow();
      for (const text of texts) this.#model.pending.set(text, { text, important, at, order: Number(text) });
      this.#model.produced += texts.length;
      const raw = Buffer.from(texts.map((text) => `${text}\n`).join(''));
      return [{ raw, points: texts.length, important, firstAt: at, lastAt: at }];
    });
    await this.output.append(blocks);
  }

  async #claim(): Promise<void> {
    const { random, largest } = this.#run;
    const limits = { points: Math.ceil(random() * largest * 4), rawBytes: 1e6 };
    const claim = await this.output.claim(random() < 0.5 ? 'oldest' : 'newest', limits);
    if (claim) this.#claims.push(claim);
  }

  async #settle(): Promise<void> {
    const { random } = this.#run;
    const claim = this.#claims.splice(Math.floor(random() * this.#claims.length), 1)[0];
    if (!claim) return;
    const records = LINES.split(claim.raw);
    const texts = records.map(LINES.describe);
    const written = random() < 0.5 ? records.length : Math.floor(random() * records.length);
    const rest = records.slice(written);
    const refused = Math.floor(random() * rest.length);
    const quarantined = rest.slice(0, refused).map((raw) => ({ raw, points: 1, status: 400, message: 'no' }));
    const undecided = rest.slice(refused);
    const settlement: Settlement = {
      written,
      quarantined,
      dropped: [],
      ...(undecided.length > 0 && { remaining: { raw: Buffer.concat(undecided), points: undecided.length } }),
    };
    const before = texts.flatMap((text) => this.#model.pending.get(text) ?? []);
    await this.output.settle(claim, settlement);
    this.#written(texts.slice(0, written));
    for (const text of texts.slice(written, written + refused)) {
      this.#model.pending.delete(text);
      this.#model.quarantined.add(text);
    }
    // What is left of a joined claim waits as one batch, and as an important one if any of it was: in the place of the
    // first of these.
    const important = claim.batches.some((batch) => batch.important);
    const left = texts.slice(written + refused).flatMap((text) => this.#model.pending.get(text) ?? []);
    const order = Math.min(...before.filter((point) => point.important === important).map((point) => point.order));
    for (const point of left) this.#model.pending.set(point.text, { ...point, important, order });
  }

  #release(): void {
    const claim = this.#claims.pop();
    if (claim) this.output.release(claim);
  }

  async #quarantine(retry: boolean): Promise<void> {
    const { random, output } = this.#run;
    const rows =
      (await this.#spool?.read(
        'SELECT quarantine.id FROM quarantine JOIN output ON output.id = quarantine.output WHERE name = ?',
        [output],
      )) ?? [];
    const ids = rows.map((row) => Number(row['id'])).filter(() => random() < 0.5);
    if (!retry) {
      this.#model.dropped += await this.output.discard(ids);
      const left = await this.#quarantineOnDisk();
      for (const text of this.#model.quarantined) if (!left.has(text)) this.#model.quarantined.delete(text);
      return;
    }
    await this.output.retry(ids);
    const left = await this.#quarantineOnDisk();
    for (const text of this.#model.quarantined) {
      if (left.has(text)) continue;
      this.#model.quarantined.delete(text);
      // In the queue anew, behind all that is there: its age is that of its refusal.
      const order = ++this.#lastText;
      this.#model.pending.set(text, { text, important: true, at: Number.POSITIVE_INFINITY, order });
    }
  }

  #written(texts: readonly string[]): void {
    for (const text of texts) if (!this.#model.pending.delete(text)) throw new Error(`${text} was written twice`);
    this.#model.written += texts.length;
  }

  async #check(): Promise<void> {
    const pending = await this.#pendingOnDisk();
    const claimed = new Set(this.#claims.flatMap(({ raw }) => LINES.split(raw).map(LINES.describe)));
    // Those that were retried may go by age at any time: their time is that at which they were refused.
    for (const [text, point] of this.#model.pending) {
      if (!pending.has(text) && point.at === Number.POSITIVE_INFINITY) {
        this.#model.pending.delete(text);
        this.#model.dropped += 1;
      }
    }
    this.#model.checkLost(pending, claimed, this.#oldestKept());
    const { counts } = this.output;
    expect(pending.size).toBe(this.#model.pending.size);
    for (const text of pending) if (!this.#model.pending.has(text)) throw new Error(`${text} should not be there`);
    expect(await this.#quarantineOnDisk()).toEqual(this.#model.quarantined);
    expect({ ...counts, dropped: total(counts.dropped) }).toMatchObject({
      produced: this.#model.produced,
      written: this.#model.written,
      pending: this.#model.pending.size,
      quarantined: this.#model.quarantined.size,
      dropped: this.#model.dropped,
    } satisfies Partial<Record<keyof SpoolCounts, number>>);
    expect(unaccounted(counts)).toBe(0);
  }

  #oldestKept(): number {
    return (this.#spool?.ageNow() ?? 0) - MAX_AGE;
  }

  async #pendingOnDisk(): Promise<ReadonlySet<string>> {
    return await this.#texts(`SELECT gzip FROM body JOIN output ON output.id = body.output WHERE output.name = ?`);
  }

  async #quarantineOnDisk(): Promise<ReadonlySet<string>> {
    return await this.#texts(`SELECT gzip FROM quarantine JOIN output ON output.id = quarantine.output WHERE name = ?`);
  }

  async #texts(sql: string): Promise<ReadonlySet<string>> {
    const rows = (await this.#spool?.read(sql, [this.#run.output])) ?? [];
    const texts = rows.flatMap((row) => LINES.split(unzipped(row['gzip'])).map(LINES.describe));
    expect(new Set(texts).size, 'a point is on disk twice').toBe(texts.length);
    return new Set(texts);
  }
}

function unzipped(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Error('no body');
  return gunzipSync(value);
}
