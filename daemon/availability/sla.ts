/** One device or group under one contract. Pure: everything it counts comes in, and milliseconds come out. */
import type { WallTime } from '#collectors/contract.ts';
import type { SlaSettings } from '#config/schema.ts';
import type { Span } from '../calendar.ts';
import type { Party } from './entries.ts';
import { allowance, fractionOf, isAtLeast } from './exact.ts';
import { corrected, type JudgedPiece, type MaintenanceTime, partyOf } from './overlays.ts';
import type { ServiceTime } from './service-calendar.ts';
import { intersect, subtract, total, union } from './spans.ts';
import type { Piece, StoredCorrection } from './timeline.ts';
import type { ObservedState } from './verdict.ts';

/** Why a part of an outage does not count, in words that a report prints. */
export interface Exclusion {
  readonly by: string;
  readonly milliseconds: number;
}

/** A run of time in which a device was not there, and what the contract makes of it. */
export interface Outage extends Span {
  readonly state: 'down' | 'unreachable';
  /** It goes on: `to` is only as far as the ledger knows. */
  readonly running: boolean;
  readonly cause: string;
  readonly party?: Party;
  readonly correction?: JudgedPiece['correction'];
  /** Milliseconds that count as downtime. */
  readonly counted: number;
  readonly exclusions: readonly Exclusion[];
  /** Maintenance that was meant to excuse it and does not. */
  readonly refused: readonly string[];
}

/** Milliseconds by what was observed, all day and every day, before any contract. */
export type RawSums = Readonly<Record<ObservedState, number>>;

export interface SlaFigures {
  /** The time that was looked at: from the period's beginning, or when the device was first watched, to now or its end. */
  readonly watched: readonly Span[];
  readonly raw: RawSums;
  /** Service time without holidays and maintenance, within what was watched. */
  readonly agreed: number;
  readonly maintenance: number;
  /** Service time that a contract leaves out because of who answers for it. */
  readonly excluded: number;
  readonly unknown: number;
  /** `agreed` without `excluded` and `unknown`: what the percentage is of. */
  readonly measured: number;
  readonly downtime: number;
  readonly outages: readonly Outage[];
  /** Outages of which some part counts. */
  readonly counted: number;
  /** Known service time is enough for a figure. */
  readonly covered: boolean;
  /** Undefined while there is no figure. */
  readonly met: boolean | undefined;
  /** Downtime that the target allows in the whole period, and what is left of it; below zero when missed. */
  readonly budget: number;
  readonly remaining: number;
  /** How fast the budget is spent: 1 just keeps the target. Undefined without a figure, or where nothing is allowed. */
  readonly burn: number | undefined;
}

export interface SlaInput {
  readonly sla: SlaSettings;
  /** Of the ledger, within the period. */
  readonly pieces: readonly Piece[];
  readonly corrections: readonly StoredCorrection[];
  /** Of this device. */
  readonly maintenance: readonly MaintenanceTime[];
  /** Over the whole period. */
  readonly service: ServiceTime;
  readonly period: Span;
  /** How far the ledger knows: an outage that reaches it goes on. */
  readonly until: WallTime;
}

/** Counts one device or group. */
export function evaluate(input: SlaInput): SlaFigures {
  const { sla, service, maintenance, period, until } = input;
  const pieces = corrected(input.pieces, input.corrections);
  const watched = union(pieces);
  const effective = union(maintenance.filter(({ announcement }) => announcement === 'in time').map(({ span }) => span));
  const hours = intersect(service.agreed, watched);
  const agreed = subtract(hours, effective);
  const outages = outagesOf(pieces, input, agreed);
  const downtime = outages.reduce((sum, { counted }) => sum + counted, 0);
  const left = outages.flatMap(({ spans, partyExcluded }) => (partyExcluded ? spans : []));
  const behindParent = sla.unreachable === 'excluded' ? pieces.filter(({ state }) => state === 'unreachable') : [];
  const excluded = intersect(agreed, union([...left, ...behindParent]));
  const unknown = intersect(agreed, union(pieces.filter(({ state }) => state === 'unknown')));
  const measured = total(agreed) - total(excluded) - total(unknown);
  const ahead =
    watched.at(-1)?.to === until
      ? subtract(intersect(service.agreed, [{ from: until, to: period.to }]), effective)
      : [];
  const target = fractionOf(sla.target);
  const budget = allowance(measured + total(ahead), target);
  const allowed = allowance(measured, target);
  const counted = outages.filter((outage) => outage.counted > 0).length;
  const covered =
    measured > 0 && isAtLeast(total(agreed) - total(unknown), total(agreed), fractionOf(sla.coverage_floor));
  const fewEnough = sla.maximum_outages === undefined || counted <= sla.maximum_outages;
  return {
    watched,
    raw: rawSums(input.pieces),
    agreed: total(agreed),
    maintenance: total(intersect(hours, effective)),
    excluded: total(excluded),
    unknown: total(unknown),
    measured,
    downtime,
    outages: outages.map(({ spans: _, partyExcluded: __, ...outage }) => outage),
    counted,
    covered,
    met: covered ? isAtLeast(measured - downtime, measured, target) && fewEnough : undefined,
    budget,
    remaining: budget - downtime,
    burn: covered && allowed > 0 ? downtime / allowed : undefined,
  };
}

export function rawSums(pieces: readonly Piece[]): RawSums {
  const sums = { up: 0, down: 0, unreachable: 0, unknown: 0 };
  for (const { from, to, state } of pieces) sums[state] += to - from;
  return sums;
}

interface CountedOutage extends Outage {
  readonly spans: readonly Span[];
  readonly partyExcluded: boolean;
}

/** Runs of down and unreachable, each with what of it counts. Unknown time ends a run: nobody knows whether it went on. */
function outagesOf(pieces: readonly JudgedPiece[], input: SlaInput, agreed: readonly Span[]): CountedOutage[] {
  const runs: JudgedPiece[][] = [];
  for (const piece of pieces) {
    if (piece.state !== 'down' && piece.state !== 'unreachable') continue;
    const last = runs.at(-1);
    if (last?.at(-1)?.to === piece.from) last.push(piece);
    else runs.push([piece]);
  }
  return runs.map((run) => count(run, input, agreed));
}

function count(run: readonly JudgedPiece[], input: SlaInput, agreed: readonly Span[]): CountedOutage {
  const { sla, corrections, maintenance, service, until } = input;
  const whole = { from: run[0]?.from ?? until, to: run.at(-1)?.to ?? until };
  const party = partyOf(whole, run, corrections);
  const tooShort = whole.to - whole.from < sla.minimum_outage;
  const partyExcluded = !tooShort && party !== undefined && sla.exclude_parties.includes(party);
  const behindParent = sla.unreachable === 'excluded' ? run.filter(({ state }) => state === 'unreachable') : [];
  const spans = union(run);
  const counting = tooShort || partyExcluded ? [] : subtract(intersect(spans, agreed), union(behindParent));
  const correction = run.find((piece) => piece.correction)?.correction;
  const decisive = run.find(({ state }) => state === 'down') ?? run[0];
  return {
    ...whole,
    state: decisive?.state === 'down' ? 'down' : 'unreachable',
    running: whole.to === until,
    cause: causeOf(decisive),
    ...(party === undefined ? {} : { party }),
    ...(correction ? { correction } : {}),
    counted: total(counting),
    exclusions: exclusions(spans, { tooShort, partyExcluded, party, behindParent, maintenance, service }),
    refused: maintenance
      .filter(({ announcement, span }) => announcement !== 'in time' && intersect(spans, [span]).length > 0)
      .map(({ name, announcement }) => `${name} was announced ${announcement}`),
    spans,
    partyExcluded,
  };
}

function causeOf(piece: JudgedPiece | undefined): string {
  if (!piece) return '';
  const { cause, detail } = piece;
  const behind = detail?.parent === undefined ? '' : ` (${detail.parent})`;
  const power = detail?.on_battery ? `, ${detail.on_battery.join(' and ')} on battery` : '';
  return `${cause}${behind}${power}`;
}

/** Every millisecond of the outage that does not count, by the first reason that applies to it. */
function exclusions(
  spans: readonly Span[],
  why: {
    readonly tooShort: boolean;
    readonly partyExcluded: boolean;
    readonly party: Party | undefined;
    readonly behindParent: readonly Span[];
    readonly maintenance: readonly MaintenanceTime[];
    readonly service: ServiceTime;
  },
): Exclusion[] {
  if (why.tooShort) return [{ by: 'shorter than an outage must be', milliseconds: total(spans) }];
  if (why.partyExcluded) return [{ by: `responsible: ${why.party}`, milliseconds: total(spans) }];
  const found: Exclusion[] = [];
  let left = spans;
  const take = (by: string, reason: readonly Span[]) => {
    const part = intersect(left, reason);
    if (part.length > 0) found.push({ by, milliseconds: total(part) });
    left = subtract(left, reason);
  };
  for (const { span, name } of why.service.holidays) take(`holiday: ${name}`, [span]);
  take('outside service hours', subtract(spans, why.service.agreed));
  for (const { span, name, announcement } of why.maintenance)
    if (announcement === 'in time') take(`maintenance: ${name}`, [span]);
  take('behind a parent that is down', union(why.behindParent));
  return merged(found);
}

/** Parts with the same reason as one. */
function merged(found: readonly Exclusion[]): Exclusion[] {
  const sums = new Map<string, number>();
  for (const { by, milliseconds } of found) sums.set(by, (sums.get(by) ?? 0) + milliseconds);
  return [...sums].map(([by, milliseconds]) => ({ by, milliseconds }));
}
