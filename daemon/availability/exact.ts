/** Shares compared and printed by integers: a float at the edge of a target decides about money by accident. Pure. */
import type { Ratio } from '#config/fields.ts';

export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** The share that a contract says, by its own digits: `99.9%` is 999/1000. */
export function fractionOf({ text }: Pick<Ratio, 'text'>): Fraction {
  const percent = text.endsWith('%');
  const [whole = '0', decimals = ''] = text.replace('%', '').trim().split('.');
  return {
    numerator: BigInt(whole + decimals),
    denominator: 10n ** BigInt(decimals.length + (percent ? 2 : 0)),
  };
}

/** Whether `part` of `whole` milliseconds is at least a share. Of nothing, every share is. */
export function isAtLeast(part: number, whole: number, { numerator, denominator }: Fraction): boolean {
  return BigInt(part) * denominator >= BigInt(whole) * numerator;
}

/** The most milliseconds of `whole` that may be missing with the share still kept. */
export function allowance(whole: number, { numerator, denominator }: Fraction): number {
  return Number((BigInt(whole) * (denominator - numerator)) / denominator);
}

/** How many decimals of a percentage are printed: four, or as many as the contract has. */
export function decimalsFor({ text }: Pick<Ratio, 'text'>): number {
  const decimals = text.replace('%', '').split('.')[1]?.length ?? 0;
  return Math.max(4, text.endsWith('%') ? decimals : decimals - 2);
}

/** `part` of `whole` as a percentage with `decimals`, cut off and never rounded up: `99.8999`. Undefined of nothing. */
export function percentText(part: number, whole: number, decimals = 4): string | undefined {
  if (whole <= 0) return undefined;
  const scaled = (BigInt(part) * 100n * 10n ** BigInt(decimals)) / BigInt(whole);
  const digits = scaled.toString().padStart(decimals + 1, '0');
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** The same figure as a ratio, 0 to 1, with two decimals more: `0.998999`. */
export function ratioNumber(part: number, whole: number, decimals = 4): number | null {
  const percent = percentText(part, whole, decimals);
  if (percent === undefined) return null;
  const digits = percent.replace('.', '').padStart(decimals + 3, '0');
  return Number(`${digits.slice(0, -(decimals + 2))}.${digits.slice(-(decimals + 2))}`);
}
