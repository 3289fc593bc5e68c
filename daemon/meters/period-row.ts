/** A closed period as it is kept: of one printer under one contract, or of the contract as a whole. Plain data. */
import type { WallTime } from '#collectors/contract.ts';
import type { CutValue, ValueClass } from './curve.ts';
import type { Bill, Usage } from './money.ts';
import type { Meter } from './read.ts';
import type { CounterState, MeterEvent } from './segments.ts';
import type { Terms } from './terms.ts';

export interface MeterLine {
  readonly opening: CutValue;
  readonly closing: CutValue;
  /** Pages of the period, over all segments. Never below zero. */
  readonly used: number;
  /** That of the closing value. */
  readonly class: ValueClass;
}

/** Pages of an earlier period that are known better now. */
export interface Adjustment {
  readonly period: { readonly from: WallTime; readonly to: WallTime };
  readonly meter: Meter;
  /** May be below zero. */
  readonly pages: number;
  readonly reason: 'true-up' | 'correction';
}

/** Something about a line that a person should know, in pages where it is pages. */
export interface Flag {
  readonly code: string;
  readonly meter?: Meter;
  readonly pages?: number;
  readonly text: string;
}

export interface PrinterPeriod {
  readonly kind: 'printer';
  readonly contract: string | null;
  readonly from: WallTime;
  readonly to: WallTime;
  readonly printer: string;
  /** The name under which it was read last. */
  readonly device: string;
  readonly serial?: string;
  readonly vendor?: string;
  readonly model?: string;
  readonly meters: Readonly<Partial<Record<Meter, MeterLine>>>;
  readonly adjustments: readonly Adjustment[];
  readonly events: readonly MeterEvent[];
  readonly flags: readonly Flag[];
  /** Where the next period goes on from. Absent while something in it may still turn out otherwise. */
  readonly checkpoint?: Checkpoint;
  /** The last ledger entry that was known. */
  readonly knows: number;
}

export interface Checkpoint {
  /** The last read taken, by device. */
  readonly numbers: Readonly<Record<string, number>>;
  readonly counters: Readonly<Partial<Record<Meter, CounterState>>>;
}

/** An earlier period, rated anew with what is known now. */
export interface AmountAdjustment {
  readonly period: { readonly from: WallTime; readonly to: WallTime };
  readonly pages: readonly Usage[];
  /** May be below zero; null where the contract has no prices. */
  readonly amount: string | null;
}

export interface ContractPeriod {
  readonly kind: 'contract';
  readonly contract: string | null;
  readonly from: WallTime;
  readonly to: WallTime;
  readonly terms: Terms;
  readonly usages: readonly Usage[];
  readonly bill: Bill;
  readonly adjustments: readonly AmountAdjustment[];
  /** Bill and adjustments. */
  readonly total: string | null;
  readonly closedAt: WallTime;
  /** What it was made from: the last read of each device, and the last entry. */
  readonly read: { readonly heads: Readonly<Record<string, number>>; readonly entry: number };
}

export type PeriodRow = PrinterPeriod | ContractPeriod;
