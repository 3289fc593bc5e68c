/** Whatever happens to siteward and its clocks, the ledger's intervals touch and sum to the time that passed. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { fractionOf, isAtLeast, percentText } from '#daemon/availability/exact.ts';
import { readSlaReport } from '#daemon/availability/reading.ts';
import { evaluate } from '#daemon/availability/sla.ts';
import { intersect, subtract, total, union } from '#daemon/availability/spans.ts';
import type { Piece } from '#daemon/availability/timeline.ts';
import type { Span } from '#daemon/calendar.ts';
import { setClock } from '../../support/availability.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { type Action, DEVICES, holdsThroughLives, live, SITE, START } from '../../support/siteward-lives.ts';

describe('a ledger through rounds, steps of the clock, stalls, crashes and changes of the config', () => {
  test('has intervals that touch and sum to the time since each device was first watched', async () => {
    await holdsThroughLives(12);
  });

  test('is not changed by a report about it, whatever lies over it', async () => {
    const directory = await temporaryFolder();
    const clock = setClock(START);
    const silent = Array.from(
      { length: 8 },
      (): Action => ({
        kind: 'round',
        after: 4_000,
        heard: DEVICES.map((_, index) => (index === 2 ? 'silent' : 'answered')),
      }),
    );
    const running = await live(directory, silent, clock);
    const rows = () => running.read((database) => database.read('SELECT * FROM availability_entries ORDER BY seq'));

    const before = await rows();
    const report = await running.read((database) =>
      readSlaReport(database, '2026-10', { config: SITE.config, now: clock.wallNow() }),
    );
    const after = await rows();
    await running.close();

    expect(report?.results[0]?.subjects).toHaveLength(DEVICES.length);
    expect(after).toEqual(before);
  });
});

const span: fc.Arbitrary<Span> = fc
  .tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 60 }))
  .map(([from, length]) => ({ from: from as WallTime, to: (from + length) as WallTime }));
const spans = fc.array(span, { maxLength: 12 }).map(union);
const has = (set: readonly Span[], at: number): boolean => set.some(({ from, to }) => at >= from && at < to);

test('sets of time are united, cut and subtracted as their milliseconds are', () => {
  fc.assert(
    fc.property(spans, spans, (a, b) => {
      const results = { both: intersect(a, b), either: union([...a, ...b]), only: subtract(a, b) };
      for (let at = 0; at < 270; at += 1) {
        expect(has(results.both, at)).toBe(has(a, at) && has(b, at));
        expect(has(results.either, at)).toBe(has(a, at) || has(b, at));
        expect(has(results.only, at)).toBe(has(a, at) && !has(b, at));
      }
      expect(total(results.both) + total(results.only)).toBe(total(a));
    }),
  );
});

const [BASE] = Object.values(SITE.config.slas);

test('every millisecond of an outage counts or has one reason why not, and the sums of a contract hold', () => {
  const piece = fc.record({
    length: fc.integer({ min: 1, max: 40 }),
    state: fc.constantFrom('up', 'down', 'unreachable', 'unknown'),
  });
  const maintenance = fc.array(
    fc.record({ span, announcement: fc.constantFrom('in time', 'too late', 'after the fact') }),
    { maxLength: 4 },
  );
  const sla = fc.record({
    minimum_outage: fc.integer({ min: 0, max: 20 }),
    unreachable: fc.constantFrom('downtime', 'excluded'),
    exclude_parties: fc.constantFrom([], ['carrier']),
  });
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 20 }),
      spans,
      maintenance,
      sla,
      fc.option(span),
      (parts, agreed, windows, rules, carrier) => {
        let at = 0;
        const pieces = parts.map(({ length, state }): Piece => {
          const from = at as WallTime;
          at += length;
          return { from, to: at as WallTime, state, cause: '' };
        });
        const figures = evaluate({
          sla: Object.assign({}, BASE, rules),
          pieces,
          corrections: carrier
            ? [
                {
                  device: 'd',
                  from: carrier.from,
                  to: carrier.to,
                  party: 'carrier',
                  author: 'a',
                  reason: 'r',
                  recorded: 0 as WallTime,
                },
              ]
            : [],
          maintenance: windows.map(({ span: time, announcement }) => ({
            span: time,
            announcement,
            name: 'm',
            devices: ['d'],
            announced: 0 as WallTime,
          })),
          service: { agreed, holidays: [] },
          period: { from: 0 as WallTime, to: at as WallTime },
          until: at as WallTime,
        });

        for (const outage of figures.outages) {
          const excluded = outage.exclusions.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
          expect(outage.counted + excluded).toBe(outage.to - outage.from);
        }
        expect(figures.raw.up + figures.raw.down + figures.raw.unreachable + figures.raw.unknown).toBe(at);
        expect(figures.measured).toBe(figures.agreed - figures.excluded - figures.unknown);
        expect(figures.downtime).toBeLessThanOrEqual(figures.measured);
        expect(figures.downtime).toBe(figures.outages.reduce((sum, { counted }) => sum + counted, 0));
      },
    ),
    { numRuns: 2_000 },
  );
});

test('a percentage is never printed at or above a target that is missed', () => {
  const month = fc.integer({ min: 1, max: 31 * 86_400_000 });
  fc.assert(
    fc.property(
      month,
      fc.integer({ min: 0, max: 5_000_000 }),
      fc.constantFrom('99.9%', '99.95%', '99.999%', '0.995', '100%'),
      (whole, down, text) => {
        const part = Math.max(0, whole - down);
        const target = fractionOf({ text });
        const decimals = 4;
        const printed = fractionOf({ text: `${percentText(part, whole, decimals)}%` });
        const reaches = printed.numerator * target.denominator >= target.numerator * printed.denominator;

        if (reaches) expect(isAtLeast(part, whole, target)).toBe(true);
      },
    ),
    { numRuns: 5_000 },
  );
});
