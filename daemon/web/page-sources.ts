/** What pages show beside devices and readings. Each source is there once its part of the daemon runs. */
import type { WallTime } from '#collectors/contract.ts';
import type { Span } from '../calendar.ts';
import type { OutputStatus } from '../exposition/self.ts';
import type { ReportDocument } from '../reports/document.ts';
import type { StatePiece } from './strip.ts';

/** The JSON of `siteward report sla`. */
export interface SlaJson {
  readonly period: { readonly from: string; readonly to: string };
  readonly slas: readonly {
    readonly sla: string;
    readonly target_ratio: number;
    readonly devices: readonly {
      readonly device: string;
      readonly availability_ratio: number | null;
      readonly raw_availability_ratio: number | null;
      readonly coverage_ratio: number;
      readonly downtime_seconds: number;
      readonly met: boolean | null;
    }[];
  }[];
}

/** The JSON of `siteward report meters`. */
export interface MetersJson {
  readonly period: { readonly from: string; readonly to: string };
  readonly contracts: readonly {
    readonly contract: string;
    readonly devices: readonly {
      readonly device: string;
      readonly serial: string | null;
      readonly meters: Readonly<
        Record<
          string,
          {
            readonly opening: number | string | null;
            readonly closing: number | string | null;
            readonly used: number | string | null;
            readonly class: string | null;
          }
        >
      >;
    }[];
  }[];
}

export interface WindowView {
  /** By which it is ended; the same for all times of a window that repeats. */
  readonly key: string;
  /** By a person, who may end it; else it stands in the config. */
  readonly entered: boolean;
  readonly author?: string;
  readonly name: string;
  readonly devices: readonly string[];
  readonly from: WallTime;
  readonly to: WallTime;
}

export interface NewWindow {
  /** Names or patterns. */
  readonly devices: readonly string[];
  readonly from: WallTime;
  readonly to: WallTime;
  readonly reason: string;
  readonly by: string;
}

export interface PageSources {
  /** States of every device in a span, from the ledger. */
  readonly timelines?: (span: Span) => Promise<ReadonlyMap<string, readonly StatePiece[]>>;
  /** A report of a period as people write it; undefined when there is no such report or period. */
  readonly report?: (kind: string, period: string) => Promise<ReportDocument | undefined>;
  readonly windows?: (now: WallTime) => readonly WindowView[];
  /** Gives the key of the window. */
  readonly enterWindow?: (window: NewWindow) => Promise<string>;
  /** @throws SitewardError `NO_SUCH_MAINTENANCE`, `NOT_ENTERED` */
  readonly endWindow?: (key: string, by: string, reason: string) => Promise<void>;
  readonly outputs?: () => readonly OutputStatus[];
}
