/** The transforms of a value, in the order in which `config/profile.ts` lists them. */
import type { Value } from '#config/profile.ts';
import { type Cell, numberOf, plainNumber, textOf } from './cell.ts';
import { decode, keyedValue, namedBits, packedRecord } from './decode.ts';

type Transform = (cell: Cell) => Cell | undefined;

/** Undefined where the value has no transforms. */
export function compileTransforms(value: Value): Transform | undefined {
  const steps: Transform[] = [];
  const { decode: decoder, record, key, pattern, replace, absent, bits, map, otherwise, range } = value;
  if (decoder !== undefined && decoder !== 'bits') steps.push((cell) => decode(cell, decoder));
  if (record) steps.push((cell) => packedRecord(cell, record.id, record.as));
  if (key !== undefined) {
    const keys = key.split('|');
    steps.push((cell) => keyedValue(cell, keys));
  }
  if (pattern !== undefined) {
    const expression = new RegExp(pattern, 'iu');
    steps.push((cell) => {
      const match = expression.exec(textOf(cell) ?? '');
      const text = match ? (match[1] ?? match[0]).trim() : '';
      return text === '' ? undefined : text;
    });
  }
  if (replace) {
    const rules = replace.map((rule) => ({ expression: new RegExp(rule.pattern, 'giu'), by: rule.by }));
    steps.push((cell) => {
      const text = textOf(cell);
      const replaced = rules.reduce((left, rule) => left?.replace(rule.expression, rule.by), text)?.trim();
      return replaced === '' ? undefined : replaced;
    });
  }
  if (absent) {
    const none = byText(absent.map((value) => [String(value), true]));
    steps.push((cell) => (none(cell) ? undefined : cell));
  }
  if (value.repair === 'unsigned32') steps.push(repaired);
  if (bits) {
    const names = Object.entries(bits).map(([bit, name]) => [Number(bit), name] as const);
    steps.push((cell) => namedBits(cell, names));
  }
  if (map) {
    const entries = byText(Object.entries(map));
    steps.push((cell) => entries(cell) ?? otherwise);
  }
  const { scale = 1, offset = 0 } = value;
  if (scale !== 1 || offset !== 0) steps.push((cell) => scaled(cell, scale, offset));
  if (range) {
    const [low, high] = range;
    steps.push((cell) => {
      const number = numberOf(cell);
      return number !== undefined && number >= low && number <= high ? number : undefined;
    });
  }
  if (value.case) {
    const upper = value.case === 'upper';
    steps.push((cell) => (upper ? textOf(cell)?.toUpperCase() : textOf(cell)?.toLowerCase()));
  }
  const [only] = steps;
  if (steps.length <= 1) return only;
  return (cell) => {
    let current: Cell | undefined = cell;
    for (const step of steps) {
      current = step(current);
      if (current === undefined) return undefined;
    }
    return current;
  };
}

/** What stands under the text of a cell. Numbers, the common case, are found without being made a text. */
function byText<T>(entries: readonly (readonly [string, T])[]): (cell: Cell) => T | undefined {
  const texts = new Map(entries);
  const numbers = new Map<number, T>();
  for (const [text, entry] of texts) if (String(Number(text)) === text) numbers.set(Number(text), entry);
  return (cell) => (typeof cell === 'number' ? numbers.get(cell) : texts.get(textOf(cell) ?? ''));
}

/** A 32-bit value that went past the sign: -1 is 2^32 - 1. */
function repaired(cell: Cell): Cell | undefined {
  const number = numberOf(cell);
  return typeof number === 'number' && number < 0 && number >= -(2 ** 31) ? number + 2 ** 32 : number;
}

function scaled(cell: Cell, scale: number, offset: number): number | bigint | undefined {
  const number = numberOf(cell);
  if (number === undefined) return undefined;
  if (typeof number === 'bigint' && Number.isSafeInteger(scale) && Number.isSafeInteger(offset))
    return plainNumber(number * BigInt(scale) + BigInt(offset));
  // By a tenth is by division through ten, whose result is rounded but once.
  const parts = Math.round(1 / scale);
  if (offset === 0 && parts > 1 && scale * parts === 1) return Number(number) / parts;
  const value = Number(number) * scale + offset;
  // 0.1 * 3 is not 0.3: the noise of the last bits has no business in a reading.
  const clean = Math.abs(value) < 1e9 ? Number(value.toPrecision(14)) : value;
  return Number.isFinite(clean) ? clean : undefined;
}
