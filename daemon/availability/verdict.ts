import type { Evidence, WallTime } from '#collectors/contract.ts';

export const STATES = ['up', 'down', 'unreachable', 'maintenance', 'unknown'] as const;
export type State = (typeof STATES)[number];
/** What can be observed. Maintenance is an agreement, laid over what was observed. */
export type ObservedState = Exclude<State, 'maintenance'>;

/** The rule that decided, in words that a report prints. */
export type Rule =
  | 'no evidence yet'
  | 'answered'
  | 'silent, not yet long enough'
  | 'silent three rounds'
  | 'silent behind a parent that is down'
  | 'could not tell';

/** Raised with every change to the rules below: it stands beside each ledger entry that they decided. */
export const RULE_VERSION = 1;

/** Rounds without an answer after which a device is down. */
export const SILENT_ROUNDS = 3;

/** What is known of a device after its last round. */
export interface Standing {
  readonly state: ObservedState;
  /** When that state began, back-dated to the first silent round for outages. */
  readonly since: WallTime;
  readonly rule: Rule;
  /** Rounds in a row without an answer. */
  readonly silentRounds: number;
  readonly firstSilent?: WallTime;
}

/** The combined evidence of one round of checks. */
export interface Round {
  /** When the round began: an outage is dated to the beginning of the first silent round. */
  readonly at: WallTime;
  readonly evidence: Evidence;
}

export interface Surroundings {
  /** The state of the device through which this one is reached; absent where there is none. */
  readonly parent?: Pick<Standing, 'state' | 'silentRounds'>;
}

export function newStanding(at: WallTime): Standing {
  return { state: 'unknown', since: at, rule: 'no evidence yet', silentRounds: 0 };
}

/**
 * The state of a device after one more round: up from the first answered round; down after three silent ones, dated
 * back to the first of them; unreachable while its parent is down; unknown whenever the appliance itself could not
 * tell. After such a round silence is counted anew: nobody knows what happened meanwhile.
 */
export function judge(standing: Standing, round: Round, surroundings: Surroundings): Standing {
  switch (round.evidence.kind) {
    case 'answered':
      return { ...entered(standing, 'up', round.at, 'answered'), silentRounds: 0 };
    case 'could-not-tell':
      return { ...entered(standing, 'unknown', round.at, 'could not tell'), silentRounds: 0 };
    case 'silent':
      return silent(standing, round.at, surroundings);
    default:
      return round.evidence satisfies never;
  }
}

/** Drops `firstSilent`: only a run of silent rounds carries it on. */
function entered(standing: Standing, state: ObservedState, at: WallTime, rule: Rule): Omit<Standing, 'silentRounds'> {
  return { state, since: standing.state === state ? standing.since : at, rule };
}

function silent(standing: Standing, at: WallTime, { parent }: Surroundings): Standing {
  const firstSilent = standing.firstSilent ?? at;
  const silentRounds = standing.silentRounds + 1;
  const run = { silentRounds, firstSilent };
  if (parent && (parent.state === 'down' || parent.state === 'unreachable')) {
    return {
      ...entered(standing, 'unreachable', outageStart(standing, firstSilent), 'silent behind a parent that is down'),
      ...run,
    };
  }
  if (silentRounds < SILENT_ROUNDS) return { ...standing, rule: 'silent, not yet long enough', ...run };
  // A parent that fell silent in the same rounds is about to be down: then the fault is its, not this device's.
  if (parent && parent.silentRounds > 0 && silentRounds < SILENT_ROUNDS * 2)
    return { ...standing, rule: 'silent, not yet long enough', ...run };
  return { ...entered(standing, 'down', outageStart(standing, firstSilent), 'silent three rounds'), ...run };
}

/** An outage is never dated before the state it ends. */
function outageStart(standing: Standing, firstSilent: WallTime): WallTime {
  return Math.max(standing.since, firstSilent) as WallTime;
}

/**
 * What one round's checks say together: all must answer. A check that could not be made leaves the round open, unless
 * another was silent and so settles it.
 */
export function combine(evidence: readonly Evidence[]): Evidence {
  const silentOne = evidence.find(({ kind }) => kind === 'silent');
  if (silentOne) return silentOne;
  const openOne = evidence.find(({ kind }) => kind === 'could-not-tell');
  if (openOne) return openOne;
  return evidence.length > 0 ? { kind: 'answered' } : { kind: 'could-not-tell', reason: 'nothing was asked' };
}
