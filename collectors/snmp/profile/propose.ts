/**
 * Which objects of a recording hold what a printer's panel shows: the first step from a new model to its profile. A match
 * is a hint and no proof, so everything that matches is shown, the likelier first.
 */
import type { Oid, Varbind } from '../agent.ts';
import { cellOf, numberOf } from './cell.ts';
import { packedRecord } from './decode.ts';

export interface Proposal {
  /** What the panel calls it: `total`, `color`, … */
  readonly name: string;
  readonly value: number;
  readonly candidates: readonly Candidate[];
}

export interface Candidate {
  /** One object, or several whose sum it is. */
  readonly oids: readonly Oid[];
  /** How it is written in a profile: `1.3.6.1…`, or `{oid: …, record: {id: 0}}`. */
  readonly yaml: string;
  /** Why it may be right, or may not. */
  readonly remarks: readonly string[];
}

interface Figure {
  readonly oid: Oid;
  readonly value: number;
  readonly type: Varbind['type'] | 'packed';
  readonly yaml: string;
}

const MARKER_LIFE = '1.3.6.1.2.1.43.10.2.1.4.';
/** Counts so small stand in many objects that mean something else. */
const TELLING = 100;
const MOST_CANDIDATES = 10;
const MOST_SUMMANDS = 400;

/** @param panel what the panel shows, by any names. */
export function propose(
  varbinds: ReadonlyMap<Oid, Varbind>,
  panel: Readonly<Record<string, number>>,
): readonly Proposal[] {
  const numbers = numbersIn(varbinds);
  const direct = Object.entries(panel).map(([name, value]) => ({
    name,
    value,
    found: numbers.filter((number) => number.value === value),
  }));
  return direct.map(({ name, value, found }) => {
    const relatives = direct.filter((other) => other.name !== name).flatMap((other) => other.found);
    const ranked = found.toSorted((a, b) => weight(b, relatives) - weight(a, relatives));
    const candidates = ranked.slice(0, MOST_CANDIDATES).map((number) => candidateOf(number, relatives));
    return { name, value, candidates: candidates.length > 0 ? candidates : sums(numbers, value) };
  });
}

function numbersIn(varbinds: ReadonlyMap<Oid, Varbind>): readonly Figure[] {
  const numbers: Figure[] = [];
  for (const [oid, varbind] of varbinds) {
    if (oid.startsWith('1.3.6.1.2.1.2.') || oid.startsWith('1.3.6.1.2.1.31.')) continue;
    const cell = cellOf(varbind);
    const number = numberOf(cell);
    if (number !== undefined && Number(number) >= 0 && Number.isSafeInteger(Number(number))) {
      numbers.push({ oid, value: Number(number), type: varbind.type, yaml: oid });
    } else if (cell instanceof Uint8Array && cell.length >= 7) {
      for (let id = 0; id <= 255; id += 1) {
        const value = packedRecord(cell, id, 'count');
        if (value !== undefined)
          numbers.push({ oid, value, type: 'packed', yaml: `{oid: ${oid}, record: {id: ${id}}}` });
      }
    }
  }
  return numbers;
}

/** Counters before gauges, and before all what stands beside another value of the panel. */
function weight(number: Figure, relatives: readonly Figure[]): number {
  const near = Math.max(0, ...relatives.map((other) => sharedNumbers(number.oid, other.oid)));
  const kind = number.type === 'counter32' || number.type === 'counter64' || number.type === 'packed' ? 3 : 1;
  return near * 2 + kind + (number.oid.startsWith('1.3.6.1.4.1.') ? 1 : 0);
}

function sharedNumbers(a: Oid, b: Oid): number {
  const left = a.split('.');
  const right = b.split('.');
  const at = left.findIndex((part, position) => part !== right[position]);
  return at < 0 ? left.length : at;
}

function candidateOf({ oid, yaml, type, value }: Figure, relatives: readonly Figure[]): Candidate {
  const remarks: string[] = [];
  if (oid.startsWith(MARKER_LIFE))
    remarks.push('prtMarkerLifeCount: the work of the engine, which may differ from what is billed');
  if (type === 'packed') remarks.push('a record of packed octets');
  if (type === 'octet-string') remarks.push('a text of digits');
  const beside = relatives.find((other) => sharedNumbers(oid, other.oid) >= oid.split('.').length - 2);
  if (beside) remarks.push(`stands beside ${beside.oid}, which matches too`);
  if (value < TELLING) remarks.push('a small number, which may stand there by chance');
  return { oids: [oid], yaml, remarks };
}

/** Two or three objects of one column whose sum it is: some makers count by paper size or by colour mode. */
function sums(numbers: readonly Figure[], wanted: number): readonly Candidate[] {
  if (wanted < TELLING) return [];
  const columns = Map.groupBy(
    numbers.filter(({ value, type }) => value > 0 && value < wanted && type !== 'packed'),
    ({ oid }) => oid.split('.').slice(0, -1).join('.'),
  );
  const found: Candidate[] = [];
  for (const rows of columns.values()) {
    if (rows.length < 2 || rows.length > MOST_SUMMANDS) continue;
    for (const parts of [...pairs(rows, wanted), ...(rows.length <= 60 ? triples(rows, wanted) : [])]) {
      const oids = parts.map(({ oid }) => oid);
      found.push({ oids, yaml: `{sum: [${oids.join(', ')}]}`, remarks: ['a sum, which may come out so by chance'] });
      if (found.length >= MOST_CANDIDATES) return found;
    }
  }
  return found;
}

function* pairs(rows: readonly Figure[], wanted: number): Generator<readonly Figure[]> {
  for (const [position, a] of rows.entries()) {
    for (const b of rows.slice(position + 1)) if (a.value + b.value === wanted) yield [a, b];
  }
}

function* triples(rows: readonly Figure[], wanted: number): Generator<readonly Figure[]> {
  for (const [position, a] of rows.entries()) {
    for (const pair of pairs(rows.slice(position + 1), wanted - a.value)) yield [a, ...pair];
  }
}
