import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { Counter, type CounterRead, type Decision } from '#daemon/meters/segments.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 5) as WallTime;
const SOURCE = { oid: '1.3.6.1.2.1.43.10.2.1.4.1.1', unit: 'impressions' };

type Step = number | { readonly pages: number; readonly oid?: string; readonly after?: number };

function counterOf(values: readonly Step[], decisions: Readonly<Record<number, Decision>> = {}): Counter {
  const counter = new Counter({ meter: 'total', rated: 60, decision: ({ number }) => decisions[number] });
  let at = START as number;
  for (const [index, value] of values.entries()) {
    const step = typeof value === 'number' ? { pages: value } : value;
    at += index === 0 ? 0 : ('after' in step && step.after !== undefined ? step.after : 1) * HOUR;
    counter.take(readOf(step, index + 1, at as WallTime));
  }
  return counter;
}

function readOf(step: { pages: number; oid?: string }, number: number, at: WallTime): CounterRead {
  return { ...SOURCE, ...(step.oid && { oid: step.oid }), pages: step.pages, at, ref: { device: 'copier', number } };
}

const billed = (counter: Counter) => counter.state?.cumulative;
const kinds = (counter: Counter) => counter.events.map(({ kind }) => kind);
const by = { author: 'kim', reason: 'told by the technician' };

describe('a counter that falls', () => {
  test('a reset begins at 0, and what was printed since is billed', () => {
    const counter = counterOf([400_000, 400_120, 30, 45, 60]);

    expect(billed(counter)).toBe(120 + 60);
    expect(counter.events).toMatchObject([{ kind: 'reset', from: 400_120, to: 30, billed: 30 }]);
    expect(counter.segments.map(({ reason, start }) => [reason, start])).toEqual([
      ['first', 400_000],
      ['reset', 0],
    ]);
  });

  test('a board from another machine begins at its first read', () => {
    const counter = counterOf([400_000, 400_120, 81_000, 81_010, 81_025]);

    expect(billed(counter)).toBe(120 + 25);
    expect(kinds(counter)).toEqual(['board-swap']);
  });

  test('a 32-bit counter wraps without a page lost', () => {
    const counter = counterOf([2 ** 32 - 50, 2 ** 32 - 10, 25, 30, 40]);

    expect(billed(counter)).toBe(90);
    expect(kinds(counter)).toEqual(['wrap']);
  });

  test.each([1_000_000, 2 ** 31, 2 ** 32])('a wrap at %i is one from its very last value to 0 and on', (wrap) => {
    const counter = counterOf([wrap - 2, wrap - 1, 1, 2, 3]);

    expect(billed(counter)).toBe(5);
    expect(kinds(counter)).toEqual(['wrap']);
  });

  test('four pages back, as on a Xerox, bills nothing twice and starts nothing', () => {
    const counter = counterOf([5_000, 5_010, 5_006, 5_012]);

    expect(billed(counter)).toBe(12);
    expect(kinds(counter)).toEqual(['small-fall']);
    expect(counter.segments).toHaveLength(1);
  });

  test('0 at warm-up is passed over, also twice', () => {
    const counter = counterOf([5_000, 0, 0, 5_003]);

    expect(billed(counter)).toBe(3);
    expect(kinds(counter)).toEqual(['warm-up', 'warm-up']);
    expect(counter.segments).toHaveLength(1);
  });

  test('one garbled low value is taken back when the counter is where it was', () => {
    const counter = counterOf([90_000, 90_010, 17, 90_020, 90_025]);

    expect(billed(counter)).toBe(25);
    expect(counter.events).toMatchObject([{ kind: 'garbled', status: 'undone', billed: 0 }]);
    expect(counter.segments).toHaveLength(1);
  });

  test('a person may join what fell: nothing is billed again until it is past where it had been', () => {
    const counter = counterOf([10_000, 10_100, 9_500, 10_050, 10_130], { 3: { action: 'join', ...by } });

    expect(billed(counter)).toBe(130);
  });

  test('a person may say where the new board began', () => {
    const counter = counterOf([10_000, 10_100, 5_200, 5_210], {
      3: { action: 'confirm', as: 'board-swap', start: 5_000, ...by },
    });

    expect(billed(counter)).toBe(100 + 210);
    expect(counter.events[0]).toMatchObject({ status: 'confirmed', decidedBy: by });
  });
});

describe('a counter that jumps', () => {
  test('a million pages in an hour are held back, and what is printed afterwards is billed', () => {
    const counter = counterOf([5_000, 5_010, 1_005_010, 1_005_020, 1_005_030, 1_005_040]);

    expect(billed(counter)).toBe(10 + 30);
    expect(counter.events).toMatchObject([{ kind: 'jump', billed: 0, withheld: 1_000_000 }]);
  });

  test('a jump that a low rated speed may explain is billed once two more reads confirm it', () => {
    const values = [5_000, 5_010, 13_010, 13_020];

    expect(billed(counterOf(values))).toBe(10 + 10);
    expect(billed(counterOf([...values, 13_030]))).toBe(8_030);
    expect(counterOf([...values, 13_030]).events).toMatchObject([
      { kind: 'jump', billed: 8_000, withheld: 0, status: 'confirmed-by-reads' },
    ]);
  });

  test('pages of a confirmed jump count from when it was seen', () => {
    const counter = counterOf([5_000, 5_010, 13_010, 13_020, 13_030]);

    expect(counter.points.map(({ cumulative }) => cumulative)).toEqual([0, 10, 8_010, 8_020, 8_030]);
  });

  test('one garbled high value is taken back', () => {
    const counter = counterOf([5_000, 5_010, 90_005_010, 5_020, 5_030]);

    expect(billed(counter)).toBe(30);
    expect(counter.points.map(({ counter: value }) => value)).toEqual([5_000, 5_010, 5_020, 5_030]);
  });

  test('a person confirms a jump, or rejects the read', () => {
    const values = [5_000, 5_010, 1_005_010, 1_005_020];

    expect(billed(counterOf(values, { 3: { action: 'confirm', ...by } }))).toBe(1_000_020);
    expect(billed(counterOf([...values.slice(0, 3), 5_020], { 3: { action: 'reject', ...by } }))).toBe(20);
  });

  test('a person splits where a board with a higher counter looked like pages', () => {
    const values = [5_000, 5_010, 6_010, 6_020];

    expect(billed(counterOf(values))).toBe(1_020);
    expect(billed(counterOf(values, { 3: { action: 'split', ...by } }))).toBe(20);
  });
});

describe('what it is read from', () => {
  const other = (pages: number) => ({ pages, oid: '1.3.6.1.4.1.11.2.3.9.4.2.1.4.1.2.5.0' });

  test('another object for a poll or two is no read of this meter', () => {
    const counter = counterOf([5_000, 5_010, other(76_000), other(76_002), 5_030]);

    expect(billed(counter)).toBe(30);
    expect(counter.segments).toHaveLength(1);
  });

  test('another object for good starts a segment and freezes nothing', () => {
    const counter = counterOf([5_000, 5_010, other(76_000), other(76_002), other(76_009), other(76_020)]);

    expect(billed(counter)).toBe(10 + 20);
    expect(kinds(counter)).toEqual(['source-change']);
  });

  test('where a person says that it is the same count, nothing between is lost', () => {
    const counter = counterOf([5_000, 5_010, other(5_014), other(5_020)], { 3: { action: 'join', ...by } });

    expect(billed(counter)).toBe(20);
  });
});

describe('whatever a counter does', () => {
  const values = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ by: fc.integer({ min: 0, max: 300 }) }) },
      { weight: 1, arbitrary: fc.record({ to: fc.integer({ min: 0, max: 2_000_000 }) }) },
      { weight: 1, arbitrary: fc.record({ by: fc.integer({ min: -20, max: -1 }) }) },
    ),
    { minLength: 1, maxLength: 60 },
  );
  const played = (steps: readonly ({ by: number } | { to: number })[]) => {
    let pages = 50_000;
    return steps.map((step) => {
      pages = Math.max(0, 'to' in step ? step.to : pages + step.by);
      return pages;
    });
  };

  test('the bill never goes down and is the sum over segments of last less start', () => {
    fc.assert(
      fc.property(values, (steps) => {
        const counter = counterOf(played(steps));

        const cumulative = counter.points.map((point) => point.cumulative);
        expect(cumulative.every((pages, index) => pages >= (cumulative[index - 1] ?? 0))).toBe(true);
        expect(billed(counter)).toBe(sumOverSegments(counter));
      }),
      { numRuns: 500 },
    );
  });

  test('stopped anywhere and gone on from its state, it says the same', () => {
    fc.assert(
      fc.property(values, fc.nat(), (steps, cut) => {
        const pages = played(steps);
        const whole = counterOf(pages);
        const reads = pages.map((value, index) =>
          readOf({ pages: value }, index + 1, (START + index * HOUR) as WallTime),
        );
        const rules = { meter: 'total' as const, rated: 60, decision: () => undefined };
        const first = new Counter(rules);
        let kept = 0;
        for (const [index, read] of reads.slice(0, cut % (reads.length + 1)).entries()) {
          first.take(read);
          if (first.settled) kept = index + 1;
        }
        const before = new Counter(rules);
        for (const read of reads.slice(0, kept)) before.take(read);
        const second = new Counter(rules, JSON.parse(JSON.stringify(before.state ?? null)) ?? undefined);
        for (const read of reads.slice(kept)) second.take(read);

        expect(second.state?.cumulative).toBe(whole.state?.cumulative);
        expect(second.points.at(-1)).toEqual(whole.points.at(-1));
      }),
      { numRuns: 300 },
    );
  });
});

/** Σ (end − start): the end of a segment is the highest value in it, or where it wrapped. */
function sumOverSegments(counter: Counter): number {
  const events = counter.events.filter(({ status }) => status !== 'undone');
  return counter.segments.reduce((sum, segment, index) => {
    const next = counter.segments[index + 1];
    const event = next && events.find(({ read }) => read.number === next.read.number);
    const highest = event ? event.from : (counter.state?.level ?? 0);
    const wrapped = next?.reason === 'wrap' && event ? event.billed - event.to : 0;
    const confirmed = event?.kind === 'jump' ? event.billed : 0;
    return sum + highest - segment.start + wrapped + confirmed;
  }, 0);
}
