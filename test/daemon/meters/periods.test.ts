import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { MeterBooks } from '#daemon/meters/books.ts';
import type { PeriodRow } from '#daemon/meters/period-row.ts';
import { Counter } from '#daemon/meters/segments.ts';
import type { Terms } from '#daemon/meters/terms.ts';
import { cutAfter, cutBefore } from '#daemon/meters/terms.ts';
import { DAY, HOUR, openSite, type Site, termsFor } from './site.ts';

const JAN = Date.UTC(2026, 0, 1) as WallTime;
const MONTHS = [0, 1, 2, 3, 4, 5].map((month) => Date.UTC(2026, month, 1) as WallTime);
const terms = termsFor('acme-print', {
  meters: [{ meter: 'total', as: 'total', price: '0.0125', included: 0, tiers: [] }],
});
const COPIER = { device: 'copier', serial: 'SN1' };

/** What happens every twelve hours: pages printed, nothing read, or a counter that is another one. */
type Happening = { readonly pages: number } | 'silent' | { readonly counter: number };

const life = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ pages: fc.integer({ min: 0, max: 900 }) }) },
    { weight: 3, arbitrary: fc.constant('silent' as const) },
    { weight: 1, arbitrary: fc.record({ counter: fc.integer({ min: 0, max: 400_000 }) }) },
  ),
  { minLength: 20, maxLength: 240 },
);

interface Told {
  readonly at: WallTime;
  readonly pages: number;
}

function told(happenings: readonly Happening[]): Told[] {
  let pages = 120_000;
  const reads: Told[] = [];
  for (const [index, happening] of happenings.entries()) {
    if (happening !== 'silent') pages = 'counter' in happening ? happening.counter : pages + happening.pages;
    else pages += 100;
    if (happening !== 'silent') reads.push({ at: (JAN + 3 * DAY + index * 12 * HOUR) as WallTime, pages });
  }
  return reads;
}

function wholeBill(reads: readonly Told[]): number {
  const counter = new Counter({ meter: 'total', rated: 60, decision: () => undefined });
  for (const [index, { at, pages }] of reads.entries())
    counter.take({ pages, at, ref: { device: 'copier', number: index + 1 }, oid: 'o', unit: 'u' });
  return counter.state?.cumulative ?? 0;
}

/** Everything that was ever billed, with what the open period stands at. */
async function billedInAll(site: Site, all: readonly Terms[], now: WallTime): Promise<number> {
  const books = new MeterBooks(site.ledger, all);
  let sum = 0;
  for (const own of all) {
    const closed = await site.ledger.periods(own.contract);
    const from = closed.at(-1)?.to ?? cutBefore(own, JAN);
    const open = await books.standing(own, { from, to: cutAfter(own, now) }, now);
    const results = [...(await Promise.all(closed.map((period) => books.period(own, period, now)))), open];
    for (const { printers } of results) {
      for (const { meters, adjustments } of printers) {
        expect(meters.total?.used ?? 0).toBeGreaterThanOrEqual(0);
        sum += meters.total?.used ?? 0;
        for (const { meter, pages } of adjustments) if (meter === 'total') sum += pages;
      }
    }
  }
  return sum;
}

test('what periods and their corrections add up to is the sum over segments, whenever they were closed', async () => {
  await fc.assert(
    fc.asyncProperty(life, fc.array(fc.boolean(), { minLength: 240, maxLength: 240 }), async (happenings, looks) => {
      const reads = told(happenings);
      const site = await openSite();
      try {
        for (const [index, { at, pages }] of reads.entries()) {
          await site.read(COPIER, at, { total: pages });
          if (looks[index]) await site.close([terms], (at + HOUR) as WallTime);
        }
        const end = ((reads.at(-1)?.at ?? JAN) + HOUR) as WallTime;

        // Far from its last read the open period is estimated; at the read it is known.
        expect(await billedInAll(site, [terms], end)).toBe(wholeBill(reads));
      } finally {
        await site.remove();
      }
    }),
    { numRuns: 12 },
  );
});

test('a closed period never changes, whatever is read later', async () => {
  await fc.assert(
    fc.asyncProperty(life, async (happenings) => {
      const site = await openSite();
      const kept = new Map<WallTime, readonly PeriodRow[]>();
      try {
        for (const { at, pages } of told(happenings)) {
          await site.read(COPIER, at, { total: pages });
          for (const { to } of await site.close([terms], at))
            kept.set(to, await site.ledger.periodRows('acme-print', to));
        }

        for (const [to, rows] of kept) expect(await site.ledger.periodRows('acme-print', to)).toEqual(rows);
      } finally {
        await site.remove();
      }
    }),
    { numRuns: 10 },
  );
});

test('killed and started again anywhere, the bill is the same', async () => {
  await fc.assert(
    fc.asyncProperty(life, fc.array(fc.boolean(), { minLength: 240, maxLength: 240 }), async (happenings, kills) => {
      const reads = told(happenings);
      const steady = await openSite();
      let shaken = await openSite();
      try {
        for (const [index, { at, pages }] of reads.entries()) {
          await steady.read(COPIER, at, { total: pages });
          await steady.close([terms], at);
          await shaken.read(COPIER, at, { total: pages });
          await shaken.close([terms], at);
          if (kills[index] && index % 8 === 0) {
            await shaken.end();
            shaken = await openSite(shaken.directory);
          }
        }

        for (const { to } of await steady.ledger.periods('acme-print')) {
          const without = (rows: readonly PeriodRow[]) => rows.map((row) => ({ ...row, knows: 0 }));
          expect(without(await shaken.ledger.periodRows('acme-print', to))).toEqual(
            without(await steady.ledger.periodRows('acme-print', to)),
          );
        }
      } finally {
        await steady.remove();
        await shaken.remove();
      }
    }),
    { numRuns: 3 },
  );
});

test('an estimate is trued up in the next period by a line of its own, below zero if need be', async () => {
  const site = await openSite();
  const [jan, feb, mar, apr] = MONTHS as [WallTime, WallTime, WallTime, WallTime];
  try {
    // Two hundred pages a day until 18 February, then silence over the cut, and fewer pages than estimated.
    for (let day = 0; jan + day * DAY <= feb + 17 * DAY; day += 1) {
      await site.read(COPIER, (jan + day * DAY) as WallTime, { total: 10_000 + 200 * day });
    }
    await site.close([terms], (feb + 2 * DAY) as WallTime);
    await site.close([terms], (mar + 2 * DAY) as WallTime);
    await site.read(COPIER, (mar + 6 * DAY) as WallTime, { total: 10_000 + 200 * 48 + 340 });
    for (let day = 7; mar + day * DAY <= apr; day += 1) {
      await site.read(COPIER, (mar + day * DAY) as WallTime, { total: 10_000 + 200 * 48 + 340 + 100 * (day - 6) });
    }
    await site.close([terms], (apr + 2 * DAY) as WallTime);

    const february = await site.period([terms], terms, feb, mar, apr);
    const march = await site.period([terms], terms, mar, apr, apr);
    expect(february.printers[0]?.meters.total).toMatchObject({ class: 'estimated', used: 28 * 200 });
    // 340 pages in 17 days: 220 of them in the 11 that belong to February, where 2,200 were estimated.
    expect(march.printers[0]?.adjustments).toEqual([
      { period: { from: feb, to: mar }, meter: 'total', pages: 220 - 2_200, reason: 'true-up' },
    ]);
    expect(march.printers[0]?.meters.total).toMatchObject({ class: 'actual', used: 120 + 2_500 });
    expect(march.contract.adjustments).toMatchObject([{ amount: '-24.75' }]);
    expect(march.contract.total).toBe('8.00');
    expect(await billedInAll(site, [terms], apr)).toBe(200 * 48 + 340 + 2_500);
  } finally {
    await site.remove();
  }
});
