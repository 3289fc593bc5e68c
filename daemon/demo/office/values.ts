/** Short words for the values that a MIB is made of. */
import type { Oid, Varbind } from '#collectors/snmp/agent.ts';
import type { ObjectEntry, ObjectValue } from '../object-tree.ts';

export const integer = (value: number): Varbind => ({ type: 'integer', value: Math.round(value) });
export const gauge = (value: number): Varbind => ({ type: 'gauge32', value: Math.max(0, Math.round(value)) });
/** A counter of 32 bits, which starts again at 0 behind the last of them. */
export const counter32 = (value: number): Varbind => ({ type: 'counter32', value: Math.floor(value) % 2 ** 32 });
export const counter64 = (value: number): Varbind => ({ type: 'counter64', value: BigInt(Math.floor(value)) });
/** Hundredths of a second, in 32 bits. */
export const ticks = (seconds: number): Varbind => ({ type: 'timeticks', value: Math.floor(seconds * 100) % 2 ** 32 });
export const text = (value: string): Varbind => ({ type: 'octet-string', value: new TextEncoder().encode(value) });
/** Octets given as hexadecimal digits, with or without colons between. */
export const octets = (hex: string): Varbind => ({
  type: 'octet-string',
  value: new Uint8Array(Buffer.from(hex.replaceAll(':', ''), 'hex')),
});
export const oid = (value: Oid): Varbind => ({ type: 'oid', value });

/** Columns of one row of a table: `entry.column.index`. */
export function row(entry: Oid, index: string | number, columns: Readonly<Record<number, ObjectValue>>): ObjectEntry[] {
  return Object.entries(columns).map(([column, value]) => [`${entry}.${column}.${index}`, value]);
}

/** Scalars below a common root: `root.key.0`. */
export function scalars(root: Oid, values: Readonly<Record<string, ObjectValue>>): ObjectEntry[] {
  return Object.entries(values).map(([key, value]) => [`${root}.${key}.0`, value]);
}
