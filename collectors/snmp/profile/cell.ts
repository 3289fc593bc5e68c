/** What a value of a profile can be while it is worked out, and how it becomes a number or a text. */
import type { Varbind } from '../agent.ts';
import { decodeText, tidy } from './text.ts';

/** Absent is `undefined`. Octets stay octets until something wants a text or a number of them. */
export type Cell = string | number | bigint | boolean | Uint8Array | readonly string[];

const SIGNED_NONE = -2_147_483_648;
const SIGNED_MAX = 2_147_483_647;
const UNSIGNED_MAX = 4_294_967_295;

/**
 * The value of a varbind. The ends of the 32-bit range mean "none" in gauges, integers and times (agents fill what they
 * do not know with them); counters may stand there.
 */
export function cellOf(varbind: Varbind): Cell | undefined {
  switch (varbind.type) {
    case 'integer':
    case 'gauge32':
    case 'timeticks':
      return varbind.value === SIGNED_NONE || varbind.value === SIGNED_MAX || varbind.value === UNSIGNED_MAX
        ? undefined
        : varbind.value;
    case 'oid':
      // A list of one: `0.0` and `1.3` are no numbers, though they look like some.
      return [varbind.value];
    default:
      return varbind.value;
  }
}

/** Text of a varbind as it came, for the record that an invoice is traced by. */
export function rawText(varbind: Varbind): string {
  if (!(varbind.value instanceof Uint8Array)) return String(varbind.value);
  const octets = varbind.value;
  const printable = octets.every((octet) => octet >= 0x20 && octet < 0x7f);
  return printable ? Buffer.from(octets).toString('latin1') : `0x${Buffer.from(octets).toString('hex')}`;
}

const NUMBER = /^[+-]?(\d+|\d*\.\d+|\d+\.)$/;

/**
 * A number. A text is one only when nothing but the number stands in it: `"12 %"` is no number until the profile says
 * `decode: number`, so that no unit is lost by accident.
 */
export function numberOf(cell: Cell | undefined): number | bigint | undefined {
  switch (typeof cell) {
    case 'number':
      return Number.isFinite(cell) ? cell : undefined;
    case 'bigint':
      return cell;
    case 'boolean':
      return cell ? 1 : 0;
    case 'string':
      return numberOfText(cell);
    default:
      return cell instanceof Uint8Array ? numberOfText(decodeText(cell)) : undefined;
  }
}

function numberOfText(text: string): number | bigint | undefined {
  const plain = text.trim();
  if (plain.length > 40 || !NUMBER.test(plain)) return undefined;
  const value = Number(plain);
  if (Number.isSafeInteger(value) || plain.includes('.')) return Number.isFinite(value) ? value : undefined;
  return BigInt(plain);
}

/** A text; numbers in decimal, lists joined by commas. */
export function textOf(cell: Cell | undefined): string | undefined {
  if (cell === undefined) return undefined;
  if (typeof cell === 'string') return tidy(cell);
  if (cell instanceof Uint8Array) return decodeText(cell);
  if (Array.isArray(cell)) return cell.join(', ');
  return String(cell);
}

/** Exact as long as every operand is whole. */
export function asExact(values: readonly (number | bigint)[]): readonly bigint[] | undefined {
  if (!values.some((value) => typeof value === 'bigint')) return undefined;
  if (!values.every((value) => typeof value === 'bigint' || Number.isSafeInteger(value))) return undefined;
  return values.map((value) => BigInt(value));
}

/** A bigint that a double holds exactly becomes a plain number. */
export function plainNumber(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}
