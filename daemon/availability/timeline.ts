/** What the ledger says of a time: per device, intervals that touch end to end. Pure but for `readTimelines`. */
import type { WallTime } from '#collectors/contract.ts';
import type { Span } from '../calendar.ts';
import type { Database, Row } from '../store/store.ts';
import {
  type AnnouncedMaintenance,
  type Correction,
  type Entry,
  entryOf,
  type Interruption,
  type StateDetail,
} from './entries.ts';
import { union } from './spans.ts';
import type { ObservedState, Rule } from './verdict.ts';

/** A time in which siteward watched without a break. */
export interface StoredSegment {
  readonly id: number;
  readonly from: WallTime;
  readonly to: WallTime;
  readonly endedBy: Interruption | 'running';
}

/** A stretch of one state. */
export interface Piece {
  readonly from: WallTime;
  readonly to: WallTime;
  readonly state: ObservedState;
  /** The rule that decided, or why nothing is known, in words. */
  readonly cause: string;
  readonly detail?: StateDetail;
}

const GAPS: Readonly<Record<Interruption | 'running', string>> = {
  started: 'siteward did not run',
  stopped: 'siteward was stopped',
  crashed: 'siteward was cut off',
  stalled: 'siteward stood still',
  'clock set': 'the clock was set',
  restored: 'the ledger was lost and restored from a copy',
  running: 'siteward did not run',
};
const NOT_ASKED = 'not asked yet';
const CONTRADICTION = 'the clock passed this time twice, and what was seen differs';

/**
 * The segments of the ledger. One that was never ended lasts as far as the heartbeat proves.
 * `entries`: those of kind `segment` and `end`, in order.
 */
export function segmentsOf(
  entries: readonly Entry[],
  heartbeat: { readonly segment: number; readonly at: number } | undefined,
): StoredSegment[] {
  const begun = new Map<number, WallTime>();
  const ended = new Map<number, { at: WallTime; why: Interruption }>();
  for (const entry of entries) {
    if (entry.kind === 'segment') begun.set(entry.segment, entry.at);
    if (entry.kind === 'end') ended.set(entry.segment, { at: entry.at, why: entry.detail.why });
  }
  return [...begun].map(([id, from]) => {
    const end = ended.get(id);
    if (end) return { id, from, to: end.at, endedBy: end.why };
    const lived = heartbeat?.segment === id ? heartbeat.at : from;
    return { id, from, to: Math.max(from, lived) as WallTime, endedBy: 'running' };
  });
}

/** What a timeline is made from. */
type SeenState = Pick<
  Extract<Entry, { kind: 'state' }>,
  'seq' | 'device' | 'segment' | 'at' | 'state' | 'rule' | 'detail'
>;
interface Watching {
  readonly from: WallTime;
  readonly to: WallTime | undefined;
}

interface DeviceEntries {
  readonly watching: Watching[];
  /** In the order in which they were entered. */
  readonly bySegment: Map<number, SeenState[]>;
}

/** Gathers entries in their order, and lays out what they say. */
export class TimelineBuilder {
  readonly #devices = new Map<string, DeviceEntries>();

  add(entry: Entry): void {
    if (entry.kind === 'state') this.addState(entry);
    if (entry.kind !== 'watched' && entry.kind !== 'unwatched') return;
    const known = this.#device(entry.device);
    const last = known.watching.at(-1);
    const open = last !== undefined && last.to === undefined;
    if (entry.kind === 'watched' && !open) known.watching.push({ from: entry.at, to: undefined });
    if (entry.kind === 'unwatched' && last) known.watching[known.watching.length - 1] = { ...last, to: entry.at };
  }

  addState(state: SeenState): void {
    const { bySegment } = this.#device(state.device);
    const list = bySegment.get(state.segment);
    if (list) list.push(state);
    else bySegment.set(state.segment, [state]);
  }

  #device(name: string): DeviceEntries {
    let known = this.#devices.get(name);
    if (!known) {
      known = { watching: [], bySegment: new Map() };
      this.#devices.set(name, known);
    }
    return known;
  }

  devices(): string[] {
    return [...this.#devices.keys()];
  }

  /** States that were dated to before their segment: nobody watched then. */
  *early(segments: readonly StoredSegment[]): Generator<{ seq: number; device: string; at: WallTime; from: WallTime }> {
    const begins = new Map(segments.map(({ id, from }) => [id, from]));
    for (const { bySegment } of this.#devices.values()) {
      for (const { seq, device, at, segment } of [...bySegment.values()].flat()) {
        const from = begins.get(segment);
        if (from !== undefined && at < from) yield { seq, device, at, from };
      }
    }
  }

  /** The times in which a device was watched: from when it was first, without those in which the config had it not. */
  watched(device: string, segments: readonly StoredSegment[], now = 0): Span[] {
    const end = segments.reduce<number>((latest, segment) => Math.max(latest, segment.to), now) as WallTime;
    const { watching = [] } = this.#devices.get(device) ?? {};
    // A clock that was put back between a device's leaving and its return makes them overlap.
    return union(watching.map(({ from, to }) => ({ from, to: Math.min(to ?? end, end) as WallTime })));
  }

  /** Intervals that touch end to end over all the time that the device was watched, as far as the ledger knows, or `now`. */
  timeline(device: string, segments: readonly StoredSegment[], now = 0): Piece[] {
    const known = this.#devices.get(device);
    if (!known) return [];
    let seen: Piece[] = [];
    for (const segment of segments) seen = overlay(seen, piecesOf(known.bySegment.get(segment.id) ?? [], segment));
    return merged(this.watched(device, segments, now).flatMap((span) => filled(seen, span)));
  }
}

/** What one segment says of one device. A later entry replaces what was said from its time on: outages are back-dated. */
function piecesOf(entries: readonly SeenState[], { from, to, endedBy }: StoredSegment): Piece[] {
  const standing: SeenState[] = [];
  for (const entry of entries) {
    while ((standing.at(-1)?.at ?? Number.NEGATIVE_INFINITY) >= entry.at) standing.pop();
    standing.push(entry);
  }
  const first = standing[0];
  const pieces: Piece[] = [];
  if (from < Math.min(first?.at ?? to, to))
    pieces.push({ from, to: Math.min(first?.at ?? to, to) as WallTime, state: 'unknown', cause: NOT_ASKED });
  for (const [index, { at, state, rule, detail }] of standing.entries()) {
    const begin = Math.max(at, from) as WallTime;
    const end = Math.min(standing[index + 1]?.at ?? to, to) as WallTime;
    if (end > begin) pieces.push({ from: begin, to: end, state, cause: rule, detail });
  }
  if (to > from) pieces.push({ from: to, to, state: 'unknown', cause: GAPS[endedBy] });
  return pieces;
}

/**
 * Adds the pieces of a later segment. Where the clock was set back a time comes twice: what both passes agree on stands,
 * the rest is unknown. May change and return `base`. A piece without length says why nothing is known after it.
 */
function overlay(base: Piece[], added: readonly Piece[]): Piece[] {
  const last = base.at(-1);
  const first = added[0];
  if (!last || !first || first.from >= last.to) {
    base.push(...added);
    return base;
  }
  const edges = [...new Set([...base, ...added].flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  const solid = (pieces: readonly Piece[]) => pieces.filter(({ from, to }) => to > from);
  const before = cursor(solid(base));
  const after = cursor(solid(added));
  const result: Piece[] = [];
  for (const [index, from] of edges.entries()) {
    const to = edges[index + 1];
    if (to === undefined) break;
    const old = before(from);
    const fresh = after(from);
    const piece = old && fresh && old.state !== fresh.state ? undefined : (old ?? fresh);
    if (piece) result.push({ ...piece, from, to });
    else if (old) result.push({ from, to, state: 'unknown', cause: CONTRADICTION });
  }
  const reasons = [...base, ...added].filter(({ from, to }) => from === to);
  return [...result, ...reasons].sort((a, b) => a.from - b.from || a.to - b.to);
}

/** Gives the piece that holds at a time; times must be asked in order. */
function cursor(pieces: readonly Piece[]): (at: number) => Piece | undefined {
  let index = 0;
  return (at) => {
    while ((pieces[index]?.to ?? Number.POSITIVE_INFINITY) <= at) index += 1;
    const piece = pieces[index];
    return piece && piece.from <= at ? piece : undefined;
  };
}

/** The pieces within a span, with what lies between them as unknown. */
function filled(pieces: readonly Piece[], { from, to }: Span): Piece[] {
  const result: Piece[] = [];
  let at = from;
  let cause = GAPS.started;
  for (const piece of pieces) {
    if (piece.from >= to && piece.to > piece.from) break;
    if (piece.from === piece.to) {
      if (piece.from <= at) cause = piece.cause;
      continue;
    }
    if (piece.to <= at) continue;
    if (piece.from > at) result.push({ from: at, to: piece.from, state: 'unknown', cause });
    const begin = Math.max(piece.from, at) as WallTime;
    const end = Math.min(piece.to, to) as WallTime;
    if (end > begin) result.push({ ...piece, from: begin, to: end });
    at = Math.max(at, end) as WallTime;
    cause = GAPS.started;
  }
  if (at < to) result.push({ from: at, to, state: 'unknown', cause });
  return result;
}

/** Neighbours that say the same become one. */
function merged(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    const same = last && last.to === piece.from && last.state === piece.state && last.cause === piece.cause;
    if (same) result[result.length - 1] = { ...last, to: piece.to };
    else result.push(piece);
  }
  return result;
}

/** A person's word on a device. */
export interface StoredCorrection extends Correction {
  readonly device: string;
  readonly from: WallTime;
  readonly recorded: WallTime;
}

/** A maintenance window, when siteward first read of it, and when it was taken back. */
export interface StoredMaintenance extends AnnouncedMaintenance {
  readonly entered: WallTime;
  readonly removed?: WallTime;
}

/** Everything that a report about a span needs from the ledger. */
export interface LedgerExtract {
  /** How far the ledger knows. */
  readonly until: WallTime;
  readonly timelines: ReadonlyMap<string, readonly Piece[]>;
  /** The SLA of each device that the ledger knows, as it was last watched. */
  readonly slas: ReadonlyMap<string, string | undefined>;
  readonly corrections: readonly StoredCorrection[];
  readonly maintenance: readonly StoredMaintenance[];
}

const BY_KIND = `SELECT * FROM availability_entries WHERE kind IN (SELECT value FROM json_each(?)) ORDER BY seq`;
/**
 * Per device and segment one JSON list, of what a timeline needs and no more: a year has hundreds of thousands of states,
 * and as rows most of the time would go into handing them from thread to thread.
 */
const STATES_IN = `SELECT device, segment, json_group_array(json_array(seq, at, state, rule, json(detail)) ORDER BY seq) AS states
  FROM availability_entries WHERE kind = 'state' AND segment IN (SELECT value FROM json_each(?))
  AND ((at >= ? AND at < ?) OR seq IN (SELECT max(seq) FROM availability_entries WHERE kind = 'state'
    AND segment IN (SELECT value FROM json_each(?)) AND at < ? GROUP BY device, segment))
  GROUP BY device, segment ORDER BY segment, device`;
type StateTuple = [seq: number, at: WallTime, state: ObservedState, rule: Rule, detail: StateDetail];

function statesOf(row: Row): SeenState[] {
  const device = String(row['device']);
  const segment = Number(row['segment']);
  const tuples = JSON.parse(String(row['states'])) as StateTuple[];
  return tuples.map(([seq, at, state, rule, detail]) => ({ seq, device, segment, at, state, rule, detail }));
}

/** A heartbeat that is younger is that of a daemon that runs. */
const FRESH = 60_000;

/** What holds is taken to hold until `now` while the daemon lives; after its last heartbeat nothing is known. */
function reachingNow(segments: readonly StoredSegment[], now: WallTime): StoredSegment[] {
  return segments.map((segment, index) => {
    const lives = index === segments.length - 1 && segment.endedBy === 'running' && Math.abs(now - segment.to) < FRESH;
    return lives ? { ...segment, to: Math.max(now, segment.to) as WallTime } : segment;
  });
}

/** Reads what the ledger says of a span, as far as `now`; timelines reach no further out than it. */
export async function readExtract(database: Database, { from, to }: Span, now: WallTime): Promise<LedgerExtract> {
  const read = async (...kinds: Entry['kind'][]) =>
    (await database.read(BY_KIND, [JSON.stringify(kinds)])).map(entryOf);
  const bounds = await read('segment', 'end');
  const [beat] = await database.read('SELECT segment, at FROM availability_heartbeat');
  const stored = segmentsOf(bounds, beat ? { segment: Number(beat['segment']), at: Number(beat['at']) } : undefined);
  const all = reachingNow(stored, now);
  const touching = JSON.stringify(all.filter((segment) => segment.from < to && segment.to > from).map(({ id }) => id));
  const builder = new TimelineBuilder();
  const slas = new Map<string, string | undefined>();
  for (const entry of await read('watched', 'unwatched')) {
    builder.add(entry);
    if (entry.kind === 'watched') slas.set(entry.device, entry.detail.sla);
  }
  for (const row of await database.read(STATES_IN, [touching, from, to, touching, from]))
    for (const state of statesOf(row)) builder.addState(state);
  const timelines = new Map<string, readonly Piece[]>();
  for (const device of builder.devices()) {
    const pieces = clipped(builder.timeline(device, all, now), { from, to });
    if (pieces.length > 0) timelines.set(device, pieces);
  }
  const until = all.reduce<number>((latest, segment) => Math.max(latest, segment.to), now) as WallTime;
  return {
    until,
    timelines,
    slas,
    corrections: correctionsOf(await read('correction')),
    maintenance: maintenanceOf(await read('maintenance', 'maintenance-removed')),
  };
}

/** The parts of pieces that lie within a span. */
export function clipped(pieces: readonly Piece[], { from, to }: Span): Piece[] {
  return pieces.flatMap((piece) => {
    const begin = Math.max(piece.from, from) as WallTime;
    const end = Math.min(piece.to, to) as WallTime;
    return end > begin ? [{ ...piece, from: begin, to: end }] : [];
  });
}

function correctionsOf(entries: readonly Entry[]): StoredCorrection[] {
  return entries.flatMap((entry) =>
    entry.kind === 'correction'
      ? [{ ...entry.detail, device: entry.device, from: entry.at, recorded: entry.recorded }]
      : [],
  );
}

function maintenanceOf(entries: readonly Entry[]): StoredMaintenance[] {
  const windows: StoredMaintenance[] = [];
  for (const entry of entries) {
    if (entry.kind === 'maintenance') windows.push({ ...entry.detail, entered: entry.recorded });
    if (entry.kind !== 'maintenance-removed') continue;
    const index = windows.findLastIndex(({ key, removed }) => key === entry.detail.key && removed === undefined);
    const window = windows[index];
    if (window) windows[index] = { ...window, removed: entry.recorded };
  }
  return windows;
}
