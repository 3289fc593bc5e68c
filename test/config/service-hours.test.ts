import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '#config/errors.ts';
import { describeFault } from '#config/faults.ts';
import { publicHolidays } from '#config/holidays.ts';
import { parseConfig } from '#config/load.ts';
import { parseServiceHours, serviceHours } from '#config/service-hours.ts';

const MONDAY = 0;
const FRIDAY = 4;
const SATURDAY = 5;

function faultsOf(sla: string, rest = ''): string[] {
  try {
    parseConfig(`site: {id: hq, client: ACME}\nslas:\n  gold: ${sla}\n${rest}`, 'siteward.yaml');
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(describeFault);
    throw error;
  }
  return [];
}

describe('service hours', () => {
  test('days and hours are read as a contract writes them', () => {
    const { days } = serviceHours('Mon-Fri 08:00-18:00, Sat 09:00-13:00');

    expect(days[MONDAY]).toEqual([{ from: 480, to: 1080 }]);
    expect(days[SATURDAY]).toEqual([{ from: 540, to: 780 }]);
    expect(days[6]).toEqual([]);
  });

  test.each([
    ['always', 'always'],
    [' 24x7 ', 'always'],
  ])('%j is all of the time', (text, expected) => {
    expect(serviceHours(text).days).toBe(expected);
  });

  test.each([
    ['Mon,Wed 08:00-12:00', [1, 0, 1, 0, 0, 0, 0]],
    ['Mon-Fri 08:00-12:00 13:00-17:00', [2, 2, 2, 2, 2, 0, 0]],
    ['Mon-Fri 08:00-12:00, 13:00-17:00', [2, 2, 2, 2, 2, 0, 0]],
    ['Sat-Mon 08:00-12:00', [1, 0, 0, 0, 0, 1, 1]],
    ['08:00-18:00', [1, 1, 1, 1, 1, 1, 1]],
    ['daily 00:00-24:00', [1, 1, 1, 1, 1, 1, 1]],
    ['monday - friday 8:00 - 18:00; Sunday 10:00-11:00', [1, 1, 1, 1, 1, 0, 1]],
  ])('%j has hours on the days that it names', (text, expected) => {
    const { days } = serviceHours(text);

    expect(days === 'always' ? days : days.map((hours) => hours.length)).toEqual(expected);
  });

  test('hours past midnight run into the next day', () => {
    expect(serviceHours('Fri 22:00-06:00').days[FRIDAY]).toEqual([{ from: 1320, to: 1800 }]);
  });

  test.each([
    [
      'Mon-Fri 25:00',
      '"25:00" is not a time of day, hours need a beginning and an end (write 08:00-18:00 instead of "25:00")',
    ],
    ['Mon-Fri 08:00-25:00', '"25:00" is not a time of day (write 00:00 to 24:00, such as 08:00-18:00)'],
    ['Mon-Fri 08:00', 'hours need a beginning and an end (write 08:00-18:00 instead of "08:00")'],
    ['Mo-Fr 08:00-18:00', '"Mo" is not a day (write Mon, Tue, Wed, Thu, Fri, Sat or Sun, or Mon-Fri)'],
    ['Mon-Fri', 'says no hours for Mon-Fri (write Mon-Fri 08:00-18:00)'],
    ['Mon 08:00-08:00', '"08:00-08:00" has no length (write 00:00-24:00 for a whole day)'],
    ['Mon 24:00-06:00', '"24:00" ends a day and begins none (write 00:00 of the next day)'],
    ['', 'is empty (write always, or days and hours such as "Mon-Fri 08:00-18:00, Sat 09:00-13:00")'],
  ])('%j is told what to write instead', (text, message) => {
    expect(parseServiceHours(text)).toEqual({ ok: false, message });
  });

  test('no text makes the reader throw, and what it takes has hours within two days', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: fc.constantFrom('Mon', 'Fri', '-', ',', ' ', '08:00', '24:00', '18:00', 'x') }),
        ),
        (text) => {
          const result = parseServiceHours(text);
          if (!result.ok || result.hours.days === 'always') return;
          for (const { from, to } of result.hours.days.flat()) {
            expect(from).toBeGreaterThanOrEqual(0);
            expect(to).toBeGreaterThan(from);
            expect(to).toBeLessThan(2880);
          }
        },
      ),
    );
  });

  test('the config names line and column of hours, holidays and dates that cannot be', () => {
    const sla =
      '{target: 99.9%, service_hours: Mon-Fri 25:00, holidays: {country: DE, region: XX, dates: ["2026-02-30"]}}';
    const maintenance = 'maintenance: [{name: m, devices: [a], starts: "2026-12-05T24:30", duration: 1h}]\n';

    expect(faultsOf(sla, maintenance)).toEqual([
      'siteward.yaml:3:40: slas.gold.service_hours: "Mon-Fri 25:00": "25:00" is not a time of day, hours need a beginning and an end (write 08:00-18:00 instead of "25:00")',
      expect.stringMatching(
        /^siteward\.yaml:3:87: slas\.gold\.holidays\.region: "XX" is no region of DE \(write one of BB, /,
      ),
      'siteward.yaml:3:99: slas.gold.holidays.dates[0]: "2026-02-30" is on no calendar or clock (write a real one, such as 2026-12-05)',
      'siteward.yaml:4:47: maintenance[0].starts: "2026-12-05T24:30" is on no calendar or clock (write a real one, such as 2026-12-05T22:00)',
    ]);
  });
});

test('public holidays are those of the region, by their dates', () => {
  const dates = publicHolidays('DE', 'BY', 2026).map(({ date }) => date);

  expect(dates).toEqual(expect.arrayContaining(['2026-01-06', '2026-04-03', '2026-10-03', '2026-12-25']));
  expect(publicHolidays('DE', 'BE', 2026).map(({ date }) => date)).not.toContain('2026-01-06');
});
