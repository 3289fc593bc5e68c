/** Units and colours, one way for all boards. */

/** Grafana's names of the units that siteward's metrics come in. */
export type Unit =
  | 'none'
  | 'short'
  | 'percentunit'
  | 's'
  | 'bytes'
  | 'Bps'
  | 'bps'
  | 'pps'
  | 'cps'
  | 'celsius'
  | 'rotrpm'
  | 'volt'
  | 'amp'
  | 'watt'
  | 'hertz'
  | 'dateTimeAsIso'
  | 'dateTimeFromNow'
  | 'string'
  | 'locale';

export interface Step {
  /** Null is minus infinity: the first step of all. */
  readonly from: number | null;
  readonly color: string;
}

/** Good until `warn`, bad from `bad` on. */
export function rising(warn: number, bad: number): readonly Step[] {
  return [
    { from: null, color: 'green' },
    { from: warn, color: 'orange' },
    { from: bad, color: 'red' },
  ];
}

/** Bad below `bad`, doubtful below `warn`. */
export function falling(bad: number, warn: number): readonly Step[] {
  return [
    { from: null, color: 'red' },
    { from: bad, color: 'orange' },
    { from: warn, color: 'green' },
  ];
}

/** Good at nought, bad above. */
export const NONE_IS_GOOD: readonly Step[] = [
  { from: null, color: 'green' },
  { from: 1, color: 'red' },
];

export const UP_OR_DOWN = {
  0: { text: 'down', color: 'red' },
  1: { text: 'up', color: 'green' },
} as const;

export const GOOD_OR_BAD = {
  0: { text: 'failed', color: 'red' },
  1: { text: 'ok', color: 'green' },
} as const;

export const YES_OR_NO = {
  0: { text: 'no', color: 'green' },
  1: { text: 'yes', color: 'orange' },
} as const;

/** The five states as numbers, for state timelines: what is worse is larger. */
export const STATE_NUMBERS = { up: 0, maintenance: 1, unknown: 2, unreachable: 3, down: 4 } as const;

export const STATE_WORDS = {
  [STATE_NUMBERS.up]: { text: 'up', color: 'green' },
  [STATE_NUMBERS.maintenance]: { text: 'maintenance', color: 'blue' },
  [STATE_NUMBERS.unknown]: { text: 'unknown', color: 'text' },
  [STATE_NUMBERS.unreachable]: { text: 'unreachable', color: 'orange' },
  [STATE_NUMBERS.down]: { text: 'down', color: 'red' },
} as const;
