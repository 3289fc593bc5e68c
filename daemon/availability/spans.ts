/** Sets of time as sorted spans that neither overlap nor touch. Pure. */
import type { WallTime } from '#collectors/contract.ts';
import type { Span } from '../calendar.ts';

/** Any spans as a set: sorted, joined where they overlap or touch, empty ones left out. */
export function union(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const span of spans.filter(({ from, to }) => to > from).toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last && span.from <= last.to)
      result[result.length - 1] = { from: last.from, to: Math.max(last.to, span.to) as WallTime };
    else result.push({ from: span.from, to: span.to });
  }
  return result;
}

/** What is in both sets. */
export function intersect(a: readonly Span[], b: readonly Span[]): Span[] {
  const result: Span[] = [];
  let j = firstReaching(b, a[0]?.from);
  for (const { from, to } of a) {
    while ((b[j]?.to ?? Number.POSITIVE_INFINITY) <= from) j += 1;
    for (let at = j; (b[at]?.from ?? Number.POSITIVE_INFINITY) < to; at += 1) {
      const other = b[at];
      if (!other) break;
      const span = { from: Math.max(from, other.from) as WallTime, to: Math.min(to, other.to) as WallTime };
      if (span.to > span.from) result.push(span);
    }
  }
  return result;
}

/** What is in `a` and not in `b`. */
export function subtract(a: readonly Span[], b: readonly Span[]): Span[] {
  const result: Span[] = [];
  let j = firstReaching(b, a[0]?.from);
  for (const { from, to } of a) {
    let begin = from;
    while ((b[j]?.to ?? Number.POSITIVE_INFINITY) <= from) j += 1;
    for (let at = j; (b[at]?.from ?? Number.POSITIVE_INFINITY) < to; at += 1) {
      const hole = b[at];
      if (!hole) break;
      if (hole.from > begin) result.push({ from: begin, to: hole.from });
      begin = Math.max(begin, hole.to) as WallTime;
    }
    if (begin < to) result.push({ from: begin, to });
  }
  return result;
}

/** Place of the first span that ends after `at`: an outage of minutes is cut from the service hours of a year. */
function firstReaching(spans: readonly Span[], at: number | undefined): number {
  if (at === undefined) return 0;
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.to ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Milliseconds in a set. */
export function total(spans: readonly Span[]): number {
  return spans.reduce((sum, { from, to }) => sum + (to - from), 0);
}
