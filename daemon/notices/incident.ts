import type { WallTime } from '#collectors/contract.ts';

export type IncidentKind = 'device' | 'sla' | 'printer' | 'siteward';
export type Severity = 'critical' | 'warning';

/** Something that somebody should know of, for as long as it lasts. */
export interface Condition {
  /** Equal for the same thing: `device:fw-1`. */
  readonly key: string;
  readonly kind: IncidentKind;
  readonly severity: Severity;
  /** One sentence: `fw-1 is down`. */
  readonly title: string;
  /** What else belongs to it, a line each: the devices behind it, what to do. */
  readonly lines: readonly string[];
  readonly since: WallTime;
  readonly device?: string;
}

/** A condition that was told to people. */
export interface Incident {
  readonly condition: Condition;
  readonly opened: WallTime;
  readonly reminded: WallTime;
  /** It came back soon after it was over: it is over only when it stays away. */
  readonly flapping: boolean;
}

export type NoticeStatus = 'opened' | 'reminder' | 'resolved';

/** What is sent to every channel. */
export interface Notice {
  readonly status: NoticeStatus;
  readonly condition: Condition;
  readonly flapping: boolean;
  readonly at: WallTime;
}
