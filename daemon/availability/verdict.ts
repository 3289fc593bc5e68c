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
  | 'nearly all fell silent at once'
  | 'could not tell'
  | 'siteward stood still'
  | 'the clock was set';

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
  readonly lastAnswered?: WallTime;
}

/** The combined evidence of one round of checks. */
export interface Round {
  /** When the round began: an outage is dated to the beginning of the first silent round. */
  readonly at: WallTime;
  readonly evidence: Evidence;
}

export interface Surroundings {
  /** The device through which this one is reached; absent where there is none. */
  readonly parent?: Pick<Standing, 'state' | 'silentRounds' | 'lastAnswered'>;
  /** Nearly every device that was up fell silent within one interval: then the fault is likelier near the appliance. */
  readonly massLoss?: boolean;
}

export function newStanding(at: WallTime): Standing {
  return { state: 'unknown', since: at, rule: 'no evidence yet', silentRounds: 0 };
}

/** A standing from which nothing follows: what was under way is forgotten, and the next rounds begin anew. */
export function interrupted(at: WallTime, rule: Rule): Standing {
  return { state: 'unknown', since: at, rule, silentRounds: 0 };
}

/**
 * The state of a device after one more round: up from the first answered round; down after three silent ones, dated
 * back to the first of them; unreachable while its parent is down, also when it fell silent before the parent did;
 * unknown whenever the appliance itself could not tell. After such a round silence is counted anew: nobody knows what
 * happened meanwhile.
 */
export function judge(standing: Standing, round: Round, surroundings: Surroundings): Standing {
  switch (round.evidence.kind) {
    case 'answered':
      return { ...entered(standing, 'up', round.at, 'answered'), silentRounds: 0, lastAnswered: round.at };
    case 'could-not-tell':
      return couldNotTell(standing, round.at);
    case 'silent':
      return silent(standing, round.at, surroundings);
    default:
      return round.evidence satisfies never;
  }
}

/** Drops `firstSilent`: only a run of silent rounds carries it on. */
function entered(standing: Standing, state: ObservedState, at: WallTime, rule: Rule): Omit<Standing, 'silentRounds'> {
  const { lastAnswered } = standing;
  return {
    state,
    since: standing.state === state ? standing.since : at,
    rule,
    ...(lastAnswered === undefined ? {} : { lastAnswered }),
  };
}

/** A silence that ends in a fault of our own was most likely that fault from its beginning. */
function couldNotTell(standing: Standing, at: WallTime): Standing {
  const from = standing.state === 'up' ? outageStart(standing, standing.firstSilent ?? at) : at;
  return { ...entered(standing, 'unknown', from, 'could not tell'), silentRounds: 0 };
}

function silent(standing: Standing, at: WallTime, { parent, massLoss = false }: Surroundings): Standing {
  const parentDown = parent?.state === 'down' || parent?.state === 'unreachable';
  const anew = excuseEnded(standing, parentDown, massLoss);
  const firstSilent = anew ? at : (standing.firstSilent ?? at);
  const silentRounds = anew ? 1 : standing.silentRounds + 1;
  const run = { silentRounds, firstSilent };
  if (parentDown) {
    // Down while the parent still answered: that is its own outage, and stays one.
    if (standing.state === 'down' && !fellWith(parent, firstSilent)) return { ...standing, ...run };
    const from = outageStart(standing, firstSilent);
    return { ...entered(standing, 'unreachable', from, 'silent behind a parent that is down'), ...run };
  }
  const waiting = { ...standing, rule: 'silent, not yet long enough', ...run } as const;
  if (silentRounds < SILENT_ROUNDS) return waiting;
  if (massLoss && standing.state !== 'down') {
    const from = outageStart(standing, firstSilent);
    return { ...entered(standing, 'unknown', from, 'nearly all fell silent at once'), ...run };
  }
  // A parent that fell silent in the same rounds is about to be down: then the fault is its, not this device's.
  if (parent && parent.silentRounds > 0 && silentRounds < SILENT_ROUNDS * 2) return waiting;
  return { ...entered(standing, 'down', outageStart(standing, firstSilent), 'silent three rounds'), ...run };
}

/** What explained the silence is over: from here on the silence is the device's own. */
function excuseEnded({ rule }: Standing, parentDown: boolean, massLoss: boolean): boolean {
  return (
    (rule === 'silent behind a parent that is down' && !parentDown) ||
    (rule === 'nearly all fell silent at once' && !massLoss)
  );
}

/** Whether the parent may have been down already when this device fell silent. */
function fellWith(parent: Surroundings['parent'], firstSilent: WallTime): boolean {
  return parent?.lastAnswered === undefined || firstSilent > parent.lastAnswered;
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
