/** What InfluxDB says about lines that it does not take, read as far as it can be trusted; halving does the rest. */
import type { Verdict } from '#daemon/spool/dialect.ts';

type Named = Extract<Verdict, { kind: 'named' }>;

/**
 * InfluxDB 1 and 2. "partial write" means that all other lines are stored. A line that cannot be parsed is quoted; of a
 * field of the wrong type only measurement, field and the number of points are told; of points that are too old, only
 * their number.
 */
export function influxOneRefusal(message: string, records: readonly Uint8Array[]): Verdict {
  const partial = /partial write/i.test(message);
  const refused: Verdict = { kind: 'refused', message };
  if (/unable to parse/i.test(message)) return quoted(message, records, partial) ?? refused;
  const dropped = Number(/dropped=(\d+)/.exec(message)?.[1] ?? Number.NaN);
  if (isBeyondRetention(message)) {
    if (partial && dropped > 0) return { kind: 'thinned', points: dropped, reason: 'beyond_retention' };
    return { ...refused, unwanted: 'beyond_retention' };
  }
  if (partial && dropped > 0) return conflicting(message, records, dropped) ?? refused;
  return refused;
}

/** InfluxDB 3 with `accept_partial` stores the good lines and lists the others by number, counted from 1. */
export function influxThreeRefusal(body: string, message: string, records: readonly Uint8Array[]): Verdict {
  const faults = lineFaults(body).filter(({ line }) => line >= 1 && line <= records.length);
  if (faults.length === 0) return { kind: 'refused', message, ...unwantedOf(message) };
  const named = new Map(faults.map((fault) => [fault.line - 1, fault.message]));
  return { kind: 'named', records: named, others: /partial write/i.test(message) ? 'written' : 'unwritten' };
}

function isBeyondRetention(message: string): boolean {
  return /beyond retention|outside.*retention/i.test(message);
}

function unwantedOf(message: string): { unwanted?: 'beyond_retention' } {
  return isBeyondRetention(message) ? { unwanted: 'beyond_retention' } : {};
}

/** Undefined unless every quoted line is one that was sent: then its words are about something else. */
function quoted(message: string, records: readonly Uint8Array[], partial: boolean): Named | undefined {
  const faults = Array.from(message.matchAll(/unable to parse '((?:[^\n])*?)': ([^\n]*)/g), (match) => ({
    text: match[1] ?? '',
    reason: match[0],
  }));
  const places = new Map(records.map((record, index) => [text(record), index]));
  const named = new Map<number, string>();
  for (const fault of faults) {
    const place = places.get(fault.text);
    if (place === undefined) return undefined;
    named.set(place, fault.reason);
  }
  if (named.size === 0) return undefined;
  return { kind: 'named', records: named, others: partial ? 'written' : 'unwritten' };
}

/** Undefined unless exactly as many lines have that measurement and field as were dropped. */
function conflicting(message: string, records: readonly Uint8Array[], dropped: number): Named | undefined {
  const match = /input field "([^"]+)" on measurement "([^"]+)"/.exec(message);
  if (!match) return undefined;
  const [, field, measurement] = match;
  const named = new Map<number, string>();
  for (const [index, record] of records.entries()) {
    const line = text(record);
    const fields = line.slice(endOfSeries(line) + 1);
    const hasField = fields.startsWith(`${field}=`) || fields.includes(`,${field}=`);
    if (hasField && line.startsWith(`${measurement},`)) named.set(index, message);
  }
  return named.size === dropped ? { kind: 'named', records: named, others: 'written' } : undefined;
}

/** The first space that is not escaped. */
function endOfSeries(line: string): number {
  for (let index = line.indexOf(' '); index >= 0; index = line.indexOf(' ', index + 1)) {
    if (line[index - 1] !== '\\') return index;
  }
  return line.length;
}

function text(record: Uint8Array): string {
  return new TextDecoder().decode(record).trimEnd();
}

function lineFaults(body: string): readonly { readonly line: number; readonly message: string }[] {
  let data: unknown;
  try {
    const parsed: unknown = JSON.parse(body);
    data = typeof parsed === 'object' && parsed !== null && 'data' in parsed ? parsed.data : undefined;
  } catch {
    return [];
  }
  return (Array.isArray(data) ? data : [data]).flatMap((item: unknown) => {
    if (typeof item !== 'object' || item === null || !('line_number' in item)) return [];
    if (typeof item.line_number !== 'number') return [];
    const message = 'error_message' in item ? String(item.error_message) : 'refused';
    return [{ line: item.line_number, message }];
  });
}
