/** The counters of one printer, folded from its reads: points, events, and where they stood at each cut. Pure. */
import type { WallTime } from '#collectors/contract.ts';
import type { ReadBlock } from './archive.ts';
import type { DecisionEntry, ManualRead } from './entries.ts';
import type { Checkpoint } from './period-row.ts';
import { type Meter, type Read, refText, type Source, slotPlaces } from './read.ts';
import { fastestOf } from './segment-rules.ts';
import { Counter, type CounterState, type Decision } from './segments.ts';

export interface Numbered<T> {
  readonly seq: number;
  readonly body: T;
}

/** All that is known of a printer after `checkpoint`. */
export interface PrinterEvidence {
  readonly printer: string;
  readonly devices: readonly { readonly device: string; readonly blocks: readonly ReadBlock[] }[];
  readonly manual: readonly Numbered<ManualRead>[];
  readonly decisions: readonly Numbered<DecisionEntry>[];
}

export interface HistoryRules {
  readonly sources: ReadonlyMap<number, Source>;
  /** Whether pages that are read under this name are on the bill in question. */
  readonly counts: (device: string) => boolean;
  readonly rated: number;
  /** In order. */
  readonly cuts: readonly WallTime[];
  /** Look at each read, also where first and last tell all. Needed for patterns within the week. */
  readonly everyRead?: boolean;
}

export interface History {
  readonly counters: ReadonlyMap<Meter, Counter>;
  /** Where it stood after the last read before each cut; absent where that is not settled. */
  readonly checkpoints: ReadonlyMap<WallTime, Checkpoint>;
  /** The last source that was read, and when. */
  readonly last?: { readonly source: Source; readonly at: WallTime };
  /** When the device under which it was read last was first read as another printer. */
  readonly replacedAt?: WallTime;
  /** Names under which it was read, with the times of the first and last such read. */
  readonly seen: ReadonlyMap<string, { readonly from: WallTime; readonly to: WallTime }>;
}

/** A person's reading has no place in a device's chain: it is named by its entry. */
export const MANUAL = 'manual';

export function fold(evidence: PrinterEvidence, rules: HistoryRules, from?: Checkpoint): History {
  const folder = new Folder(evidence, rules, from);
  for (const item of ordered(evidence, rules, folder)) folder.take(item);
  return folder.finish();
}

type Item =
  | { readonly device: string; readonly at: WallTime; readonly read: Read; readonly source: Source }
  | { readonly device: string; readonly at: WallTime; readonly manual: Numbered<ManualRead> };

class Folder {
  readonly #evidence: PrinterEvidence;
  readonly #rules: HistoryRules;
  readonly #counters = new Map<Meter, Counter>();
  readonly #decisions = new Map<string, Decision>();
  readonly #numbers: Record<string, number>;
  readonly #checkpoints = new Map<WallTime, Checkpoint>();
  readonly #cuts: WallTime[];
  readonly #seen = new Map<string, { from: WallTime; to: WallTime }>();
  readonly #places = new Map<Source, readonly (readonly [Meter, number, string, string])[]>();
  #last: { source: Source; at: WallTime } | undefined;

  constructor(evidence: PrinterEvidence, rules: HistoryRules, from: Checkpoint | undefined) {
    this.#evidence = evidence;
    this.#rules = rules;
    this.#cuts = [...rules.cuts];
    this.#numbers = { ...from?.numbers };
    // The later of two decisions about one read stands.
    for (const { body } of evidence.decisions) this.#decisions.set(decisionKey(refText(body.read), body.meter), body);
    for (const [meter, state] of Object.entries(from?.counters ?? {})) this.#counter(meter as Meter, state);
  }

  get settled(): boolean {
    return this.#counters.values().every(({ settled }) => settled);
  }

  take(item: Item): void {
    while (this.#cuts[0] !== undefined && item.at > this.#cuts[0]) this.#cut(this.#cuts.shift() as WallTime);
    if ('manual' in item) {
      const { seq, body } = item.manual;
      const counter = this.#counter(body.meter);
      const { oid = '', unit = '' } = counter.state ?? {};
      counter.take({ pages: body.pages, at: body.at, ref: { device: MANUAL, number: seq }, oid, unit, manual: true });
      this.#numbers[MANUAL] = Math.max(this.#numbers[MANUAL] ?? 0, seq);
      return;
    }
    const { device, read, source } = item;
    const ref = { device, number: read.number };
    const elsewhere = !this.#rules.counts(device);
    for (const [meter, place, oid, unit] of this.#placesOf(source)) {
      const pages = read.slots[place];
      if (pages === undefined) continue;
      const taken = { pages, at: read.at, ref, oid, unit };
      this.#counter(meter).take(elsewhere ? { ...taken, elsewhere } : taken);
    }
    this.#numbers[device] = Math.max(this.#numbers[device] ?? 0, read.number);
    this.#last = { source, at: read.at };
    const seen = this.#seen.get(device);
    if (seen) seen.to = read.at;
    else this.#seen.set(device, { from: read.at, to: read.at });
  }

  decided(device: string, first: number, last: number): boolean {
    return this.#evidence.decisions.some(
      ({ body: { read } }) => read.device === device && read.number >= first && read.number <= last,
    );
  }

  finish(): History {
    for (const cut of this.#cuts) this.#cut(cut);
    const replacedAt = this.#last && replacement(this.#evidence, this.#rules.sources, this.#last);
    return {
      counters: this.#counters,
      checkpoints: this.#checkpoints,
      seen: this.#seen,
      ...(this.#last && { last: this.#last }),
      ...(replacedAt !== undefined && { replacedAt }),
    };
  }

  #cut(cut: WallTime): void {
    if (!this.settled || this.#counters.size === 0) return;
    const counters: Partial<Record<Meter, CounterState>> = {};
    for (const [meter, { state }] of this.#counters) if (state) counters[meter] = state;
    this.#checkpoints.set(cut, { numbers: { ...this.#numbers }, counters });
  }

  #counter(meter: Meter, state?: CounterState): Counter {
    let counter = this.#counters.get(meter);
    if (!counter) {
      const decision = (read: { device: string; number: number }) =>
        this.#decisions.size === 0
          ? undefined
          : (this.#decisions.get(decisionKey(refText(read), meter)) ?? this.#decisions.get(refText(read)));
      counter = new Counter({ meter, rated: this.#rules.rated, decision }, state);
      this.#counters.set(meter, counter);
    }
    return counter;
  }

  #placesOf(source: Source): readonly (readonly [Meter, number, string, string])[] {
    let places = this.#places.get(source);
    if (!places) {
      const slots = slotPlaces(source);
      places = source.meters.map(({ meter, oid, unit }) => [meter, slots.get(meter) ?? 0, oid, unit] as const);
      this.#places.set(source, places);
    }
    return places;
  }
}

const decisionKey = (ref: string, meter: Meter | undefined): string => (meter === undefined ? ref : `${ref}/${meter}`);

/** What counts, by time. Where a block is plain and nothing hangs on its inside, only its first and last read. */
function* ordered(evidence: PrinterEvidence, rules: HistoryRules, folder: Folder): Generator<Item> {
  const [only, ...others] = evidence.devices;
  if (only && others.length === 0 && evidence.manual.length === 0) {
    for (const block of only.blocks) yield* ofBlock(only.device, block, evidence.printer, rules, folder);
    return;
  }
  const items: Item[] = evidence.devices.flatMap(({ device, blocks }) =>
    blocks.flatMap(({ reads }) => [...usable(device, reads, evidence.printer, rules.sources)]),
  );
  items.push(...evidence.manual.map((manual): Item => ({ device: MANUAL, at: manual.body.at, manual })));
  // Stable, so that reads of one device with a clock that went back stay among each other as they came.
  if (others.length > 0 || evidence.manual.length > 0) items.sort((a, b) => a.at - b.at);
  yield* items;
}

function* ofBlock(
  device: string,
  block: ReadBlock,
  printer: string,
  rules: HistoryRules,
  folder: Folder,
): Generator<Item> {
  const { sources, cuts } = rules;
  if (!isPlain(device, block, rules, folder)) {
    yield* usable(device, block.reads, printer, sources);
    return;
  }
  const { begin, end, from, to } = block.ends;
  // All of a plain block is of one source.
  if (!begin || !end || sources.get(begin.source)?.printer !== printer) return;
  yield* usable(device, [begin], printer, sources);
  if (begin.number === end.number) return;
  const within = cuts.filter((cut) => cut >= from && cut <= to);
  const rest =
    folder.settled && within.length === 0 ? [end] : block.reads.filter(({ number }) => number > begin.number);
  yield* usable(device, folder.settled ? around(rest, within) : rest, printer, sources);
}

/** Of good reads in order of time the last, and those on both sides of each cut: what the others say is between them. */
function around(reads: readonly Read[], cuts: readonly WallTime[]): Read[] {
  const good = reads.filter(({ step }) => step === 'ok');
  return good.filter(({ at }, index) => {
    const next = good[index + 1]?.at;
    const before = good[index - 1]?.at;
    return (
      next === undefined ||
      cuts.some((cut) => (at <= cut && next > cut) || (before !== undefined && before <= cut && at > cut))
    );
  });
}

/** Whether a few of its good reads tell all. */
function isPlain(
  device: string,
  block: ReadBlock,
  { rated, everyRead, sources }: HistoryRules,
  folder: Folder,
): boolean {
  if (everyRead || folder.decided(device, block.first, block.last)) return false;
  const { begin } = block.ends;
  const source = begin && sources.get(begin.source);
  // Open reads have not been measured yet.
  const fastest = block.fastest ?? (source && fastestOf(block.reads, source));
  return fastest !== undefined && fastest <= rated;
}

function* usable(
  device: string,
  reads: readonly Read[],
  printer: string,
  sources: ReadonlyMap<number, Source>,
): Generator<Item> {
  for (const read of reads) {
    if (read.step !== 'ok' || !read.clockTrusted) continue;
    const source = sources.get(read.source);
    if (source?.printer === printer) yield { device, at: read.at, read, source };
  }
}

function replacement(
  { printer, devices }: PrinterEvidence,
  sources: ReadonlyMap<number, Source>,
  last: { source: Source; at: WallTime },
): WallTime | undefined {
  const blocks = devices.find(({ device }) => device === last.source.device)?.blocks ?? [];
  for (const block of blocks) {
    // The good reads of such a block are in order of time.
    if (block.fastest !== undefined && (block.ends.end?.at ?? 0) <= last.at) continue;
    for (const { at, step, source } of block.reads) {
      if (at > last.at && step === 'ok' && sources.get(source)?.printer !== printer) return at;
    }
  }
  return undefined;
}
