/** What the daemon's thread and the store's thread say to each other. Plain data, copied between them. */

import type { StoreErrorCode } from './errors.ts';
import type { DatabaseOptions, Outcome, Row, SqlValue, Statement } from './store.ts';

export interface WorkerSettings {
  readonly directory: string;
  readonly readOnly: boolean;
}

export type Call =
  | { readonly op: 'open'; readonly name: string; readonly options: DatabaseOptions }
  | { readonly op: 'write'; readonly name: string; readonly writes: readonly (readonly Statement[])[] }
  | { readonly op: 'read'; readonly name: string; readonly sql: string; readonly params: readonly SqlValue[] }
  | { readonly op: 'size'; readonly name: string }
  | { readonly op: 'shrink'; readonly name: string; readonly pages: number }
  | { readonly op: 'copy'; readonly name: string; readonly path: string }
  | { readonly op: 'check'; readonly name: string }
  | { readonly op: 'readDamaged'; readonly path: string; readonly sql: string; readonly params: readonly SqlValue[] }
  | { readonly op: 'close' };

export interface Fault {
  readonly code: StoreErrorCode;
  readonly message: string;
}

/** One per queued write: a write that fails does not take along those that shared its commit. */
export type WriteResult =
  | { readonly ok: true; readonly outcomes: readonly Outcome[] }
  | { readonly ok: false; readonly fault: Fault };

export interface Answers {
  readonly open: { readonly setAside?: string };
  readonly write: readonly WriteResult[];
  readonly read: readonly Row[];
  readonly size: number;
  readonly shrink: undefined;
  readonly copy: undefined;
  readonly check: readonly string[];
  readonly readDamaged: readonly Row[];
  readonly close: undefined;
}

export interface Request {
  readonly id: number;
  readonly call: Call;
}

/** `id` 0 is the thread itself: ready, or unable to start. */
export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: Answers[keyof Answers] }
  | { readonly id: number; readonly ok: false; readonly fault: Fault };
