/** One period of one printer under one contract: its lines, and what earlier periods turn out to have been. */
import type { WallTime } from '#collectors/contract.ts';
import { type CutValue, PATTERN_DAYS, valueAt } from './curve.ts';
import type { DecisionEntry, ManualRead } from './entries.ts';
import { fold, type History, MANUAL, type Numbered, type PrinterEvidence } from './history.ts';
import type { Adjustment, Checkpoint, Flag, MeterLine, PrinterPeriod } from './period-row.ts';
import { isEvidenceOnly, METERS, type Meter, type Source } from './read.ts';
import { reconcile } from './reconcile.ts';
import type { MeterEvent } from './segments.ts';
import type { Terms } from './terms.ts';

export interface EvaluateRequest {
  readonly terms: Terms;
  readonly printer: string;
  readonly from: WallTime;
  readonly to: WallTime;
  /** The latest closed periods of this printer under this contract, in order; usually one is enough. */
  readonly rows: readonly PrinterPeriod[];
  /** All of them, for when something long ago is known better. */
  readonly allRows: () => Promise<readonly PrinterPeriod[]>;
  readonly sources: ReadonlyMap<number, Source>;
  readonly counts: (device: string) => boolean;
  readonly manual: readonly Numbered<ManualRead>[];
  readonly decisions: readonly Numbered<DecisionEntry>[];
  /** The last ledger entry that is known. */
  readonly knows: number;
  /** Reads of the devices under which the printer was ever read, after those of a checkpoint. */
  readonly load: (after: Checkpoint['numbers']) => Promise<PrinterEvidence['devices']>;
}

const DAY = 86_400_000;
/** A printer that was not read for so long before a period is no more in it. */
const GONE_DAYS = 62;

/** Undefined when the printer has no part in the period. */
export async function evaluate(asked: EvaluateRequest): Promise<PrinterPeriod | undefined> {
  let request = asked;
  let base = baseOf(request, Number.POSITIVE_INFINITY);
  if (!base) {
    request = { ...asked, rows: await asked.allRows() };
    base = baseOf(request, Number.POSITIVE_INFINITY);
  }
  const history = await historyFrom(request, base, false);
  const silentSince = estimatedSince(request, history);
  if (silentSince === undefined) return periodOf(request, base, history);
  // A pattern needs each read of the weeks before the silence, from before the last closed period if need be.
  request = { ...asked, rows: await asked.allRows() };
  const earlier = baseOf(request, silentSince - PATTERN_DAYS * DAY);
  return periodOf(request, earlier, await historyFrom(request, earlier, true));
}

/** Where a look at a printer usually begins. Undefined: with its first read, or where only all closed periods tell. */
export function startOf(request: EvaluateRequest): Checkpoint | undefined {
  return baseOf(request, Number.POSITIVE_INFINITY)?.checkpoint;
}

/** The counters of a printer as they stand. */
export async function currentCounters(asked: EvaluateRequest): Promise<History['counters']> {
  let base = baseOf(asked, Number.POSITIVE_INFINITY);
  const request = base ? asked : { ...asked, rows: await asked.allRows() };
  base ??= baseOf(request, Number.POSITIVE_INFINITY);
  return (await historyFrom(request, base, false)).counters;
}

/** The latest closed period, ended by `latest`, from which nothing that became known since can change anything. */
function baseOf({ rows, decisions, manual }: EvaluateRequest, latest: number): PrinterPeriod | undefined {
  return rows.findLast((row) => {
    const { checkpoint, knows, to } = row;
    if (!checkpoint || to > latest) return false;
    const overtaken = decisions.some(
      ({ seq, body: { read } }) => seq > knows && read.number <= (checkpoint.numbers[read.device] ?? 0),
    );
    return !overtaken && !manual.some(({ seq, body }) => seq > knows && body.at <= to);
  });
}

async function historyFrom(
  request: EvaluateRequest,
  base: PrinterPeriod | undefined,
  everyRead: boolean,
): Promise<History> {
  const { printer, sources, counts, terms, manual, decisions, load } = request;
  const checkpoint = base?.checkpoint;
  const known = checkpoint?.numbers[MANUAL] ?? 0;
  const devices = await load(checkpoint?.numbers ?? {});
  const cuts = [...cutsSince(request, base), request.to];
  return fold(
    { printer, devices, decisions, manual: manual.filter(({ seq }) => seq > known) },
    { sources, counts, rated: terms.rated, cuts, everyRead },
    checkpoint,
  );
}

/** Ends of the closed periods after the base. */
function cutsSince({ rows, from }: EvaluateRequest, base: PrinterPeriod | undefined): WallTime[] {
  const cuts = rows.filter(({ to }) => base === undefined || to > base.to).map(({ to }) => to);
  return cuts.includes(from) || base?.to === from ? cuts : [...cuts, from].toSorted((a, b) => a - b);
}

function estimatedSince({ terms, to, from, rows }: EvaluateRequest, history: History): WallTime | undefined {
  if (history.replacedAt !== undefined) return undefined;
  const cuts = [...rows.map((row) => row.to), from, to];
  for (const [meter, { points }] of history.counters) {
    if (isEvidenceOnly(meter)) continue;
    const last = points.at(-1);
    if (last && cuts.some((cut) => cut - last.at > terms.tolerance)) return last.at;
  }
  return undefined;
}

function periodOf(
  request: EvaluateRequest,
  base: PrinterPeriod | undefined,
  history: History,
): PrinterPeriod | undefined {
  const { terms, printer, from, to, rows, knows, sources } = request;
  const meters: Partial<Record<Meter, MeterLine>> = {};
  const adjustments: Adjustment[] = [];
  for (const meter of METERS) {
    const at = (cut: WallTime) => cutValue(meter, cut, request, base, history);
    const opening = at(from);
    const closing = at(to);
    if (opening && closing) {
      meters[meter] = {
        opening,
        closing,
        used: Math.max(0, closing.cumulative - opening.cumulative),
        class: closing.class,
      };
    }
    adjustments.push(...adjustmentsOf(meter, rows, base, at));
  }
  if (!takesPart(request, history, base, meters, adjustments)) return undefined;
  const source = history.last?.source ?? lastSource(sources, printer);
  const events = [...history.counters.values()]
    .flatMap((counter) => counter.events)
    .filter((event) => event.at > from && event.at <= to)
    .toSorted((a, b) => a.at - b.at);
  const checkpoint = history.checkpoints.get(to);
  const known = billable(meters).every((line) => line.class !== 'estimated');
  return {
    kind: 'printer',
    contract: terms.contract,
    from,
    to,
    printer,
    device: source?.device ?? rows.at(-1)?.device ?? printer,
    ...(source?.serial !== undefined && { serial: source.serial }),
    ...(source?.vendor !== undefined && { vendor: source.vendor }),
    ...(source?.model !== undefined && { model: source.model }),
    meters,
    adjustments,
    events,
    flags: [...flagsOf(meters, events, history, from, to), ...reconcile(meters, source?.vendor)],
    ...(checkpoint && known && { checkpoint }),
    knows,
  };
}

/** What a meter stood at, as it is known now. */
function cutValue(
  meter: Meter,
  cut: WallTime,
  { terms }: EvaluateRequest,
  base: PrinterPeriod | undefined,
  history: History,
): CutValue | undefined {
  if (base && cut === base.to) return base.meters[meter]?.closing ?? firstValue(meter, cut, terms, history);
  const counter = history.counters.get(meter);
  if (!counter) return undefined;
  const last = counter.points.at(-1);
  if (last && history.replacedAt !== undefined && cut >= history.replacedAt) {
    // Another printer stands in its place: what it showed last is what it will ever have shown.
    const read = { ...last.ref, at: last.at, counter: last.counter };
    return { at: cut, class: 'actual', cumulative: last.cumulative, counter: last.counter, reads: [read] };
  }
  return valueAt(counter.points, cut, terms);
}

/** A meter that the printer had not had before. */
function firstValue(meter: Meter, cut: WallTime, terms: Terms, { counters }: History): CutValue | undefined {
  const points = counters.get(meter)?.points ?? [];
  return valueAt(points, cut, terms);
}

/** Closed periods since the base, as they are known now, less what they were billed as so far. */
function adjustmentsOf(
  meter: Meter,
  rows: readonly PrinterPeriod[],
  base: PrinterPeriod | undefined,
  at: (cut: WallTime) => CutValue | undefined,
): Adjustment[] {
  return rows
    .filter(({ to }) => base === undefined || to > base.to)
    .flatMap((row): Adjustment[] => {
      const line = row.meters[meter];
      const opening = at(row.from);
      const closing = at(row.to);
      if (!line || !opening || !closing) return [];
      const before = rows
        .flatMap(({ adjustments }) => adjustments)
        .filter((each) => each.meter === meter && each.period.to === row.to)
        .reduce((sum, { pages }) => sum + pages, 0);
      const pages = Math.max(0, closing.cumulative - opening.cumulative) - line.used - before;
      if (pages === 0) return [];
      const estimated = line.opening.class === 'estimated' || line.class === 'estimated';
      const period = { from: row.from, to: row.to };
      return [{ period, meter, pages, reason: estimated ? 'true-up' : 'correction' }];
    });
}

function takesPart(
  { from, counts, to }: EvaluateRequest,
  history: History,
  base: PrinterPeriod | undefined,
  meters: PrinterPeriod['meters'],
  adjustments: readonly Adjustment[],
): boolean {
  const lines = Object.values(meters);
  if (lines.length === 0) return adjustments.length > 0;
  if (adjustments.length > 0 || lines.some(({ used }) => used > 0)) return true;
  const device = history.last?.source.device ?? base?.device;
  if (device === undefined || !counts(device)) return false;
  const reads = lines.flatMap(({ closing }) => closing.reads);
  const last = Math.max(...reads.map(({ at }) => at));
  if (reads.every(({ at }) => at > to)) return false;
  if (history.replacedAt !== undefined && history.replacedAt <= from) return false;
  return last > from - GONE_DAYS * DAY;
}

function lastSource(sources: ReadonlyMap<number, Source>, printer: string): Source | undefined {
  return [...sources.values()].findLast((source) => source.printer === printer);
}

function billable(meters: PrinterPeriod['meters']): MeterLine[] {
  return Object.entries(meters).flatMap(([meter, line]) => (isEvidenceOnly(meter as Meter) ? [] : [line]));
}

function* flagsOf(
  meters: PrinterPeriod['meters'],
  events: readonly MeterEvent[],
  history: History,
  from: WallTime,
  to: WallTime,
): Generator<Flag> {
  const classes = new Set(billable(meters).map((line) => line.class));
  if (billable(meters).some(({ opening }) => opening.began)) {
    yield { code: 'first-read', text: 'it was read for the first time in this period' };
  }
  if (classes.has('estimated'))
    yield { code: 'estimated', text: 'closing values are estimated and trued up next period' };
  if (classes.has('interpolated')) yield { code: 'interpolated', text: 'closing values lie between two reads' };
  if (classes.has('manual')) yield { code: 'manual', text: 'closing values were read from the panel by a person' };
  if (history.replacedAt !== undefined && history.replacedAt <= to && history.replacedAt > from) {
    yield { code: 'replaced', text: 'another printer stands in its place' };
  }
  if (history.seen.size > 1) {
    yield { code: 'moved', text: `it was read as ${[...history.seen.keys()].join(' and ')}` };
  }
  const warmUps = events.filter(({ kind }) => kind === 'warm-up');
  for (const { kind, meter, withheld, billed, evidence, status } of events) {
    if (kind === 'warm-up') continue;
    yield {
      code: withheld > 0 ? 'withheld' : kind,
      meter,
      ...(withheld > 0 ? { pages: withheld } : { pages: billed }),
      text: withheld > 0 ? `${withheld} pages are held back: ${evidence}` : `${kind} (${status}): ${evidence}`,
    };
  }
  if (warmUps.length > 0)
    yield { code: 'warm-up', text: `it showed 0 in ${warmUps.length} reads, which were passed over` };
}
