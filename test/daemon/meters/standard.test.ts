import { expect, onTestFinished, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { configOf } from '#config/load.ts';
import { MeterArchive } from '#daemon/meters/archive.ts';
import { meterReport } from '#daemon/meters/report.ts';
import { meterDocument } from '#daemon/meters/report-document.ts';
import { renderReport } from '#daemon/reports/render.ts';
import { type Counts, DAY, openSite, type Site, termsFor } from './site.ts';

const MARCH = Date.UTC(2026, 2, 1) as WallTime;
const APRIL = Date.UTC(2026, 3, 1) as WallTime;
const AFTER = (APRIL + 2 * DAY) as WallTime;
const terms = termsFor('acme-print', {
  meters: [{ meter: 'total', as: 'Page', price: '0.01', included: 0, tiers: [] }],
});

/** A day's pages of a month, and one read at each midnight. */
async function month(site: Site, vendor: string, read: (day: number) => Counts): Promise<void> {
  for (let day = 0; day <= 31; day += 1)
    await site.read(
      { device: `prn-${vendor}`, serial: `SN-${vendor}`, vendor },
      (MARCH + day * DAY) as WallTime,
      read(day),
    );
}

async function site(): Promise<Site> {
  const opened = await openSite();
  onTestFinished(() => opened.remove());
  return opened;
}

const gapsOf = async (opened: Site) => {
  const { printers } = await opened.period([terms], terms, MARCH, APRIL, AFTER);
  return printers.map(({ vendor, flags }) => [
    vendor,
    flags.flatMap(({ code, pages, text }) => (code === 'standard-gap' ? [[pages, text]] : [])),
  ]);
};

test("a maker's total that does not rise as the standard counter does is flagged in pages, with what is known of the maker", async () => {
  const opened = await site();
  await month(opened, 'Kyocera', (day) => ({ total: 70_000 + 100 * day, engine: 71_000 + 102 * day }));
  await month(opened, 'HP', (day) => ({ total: 5_000 + 40 * day, engine: 5_000 + 40 * day }));
  await month(opened, 'Sharp', (day) => ({ total: 900 + 10 * day, engine: 950 + 10 * day - (day > 20 ? 4 : 0) }));
  await month(opened, 'Acme', (day) => ({ total: 100 + 3 * day, engine: 100 + 4 * day }));

  const closed = await opened.close([terms], AFTER);

  expect(closed).toMatchObject([{ contract: 'acme-print', printers: 4 }]);
  expect(await gapsOf(opened)).toEqual([
    ['Acme', [[-31, 'total rose by 93, the standard prtMarkerLifeCount by 124']]],
    ['HP', []],
    [
      'Kyocera',
      [
        [
          -62,
          'total rose by 3100, the standard prtMarkerLifeCount by 3162: its engine counts its own work too, one to two per cent more than is printed',
        ],
      ],
    ],
    [
      'Sharp',
      [
        [
          4,
          'total rose by 310, the standard prtMarkerLifeCount by 306: on this make the two are the same wherever both were seen: look at the printer',
        ],
      ],
    ],
  ]);
});

test('the standard counter is evidence: where it goes missing the bill is closed in time and estimates nothing', async () => {
  const opened = await site();
  await month(opened, 'Kyocera', (day) => ({
    total: 70_000 + 100 * day,
    ...(day < 10 && { engine: 71_000 + 102 * day }),
  }));

  // One hour after the cut: nothing that is billed is in doubt.
  const closed = await opened.close([terms], (APRIL + 3_600_000) as WallTime);
  const { printers, contract } = await opened.period([terms], terms, MARCH, APRIL, AFTER);

  expect(closed).toHaveLength(1);
  expect(printers[0]?.meters.total).toMatchObject({ used: 3_100, class: 'actual' });
  expect(printers[0]?.flags.map(({ code }) => code)).not.toContain('estimated');
  expect(await gapsOf(opened)).toEqual([['Kyocera', []]]);
  expect(contract.total).toBe('31.00');
});

test('it stands in the JSON with both its reads, and on the bill only as a flag', async () => {
  const opened = await site();
  await month(opened, 'Kyocera', (day) => ({ total: 70_000 + 100 * day, engine: 71_000 + 102 * day }));
  const { config } = configOf(
    {
      site: { id: 's', client: 'ACME', timezone: 'UTC' },
      contracts: { 'acme-print': { devices: ['*'], meters: { total: { price: '0.01' } } } },
    },
    '/',
  );

  const report = await meterReport({
    archive: new MeterArchive({ database: opened.database }),
    config,
    period: { from: MARCH, to: APRIL },
    now: AFTER,
  });
  const document = meterDocument(report);
  const csv = Buffer.from(await renderReport(document, 'csv')).toString('utf8');

  expect(document.json).toMatchObject({
    contracts: [
      { devices: [{ meters: { total: { used: 3_100 }, engine: { opening: 71_000, closing: 74_162, used: 3_162 } } }] },
    ],
  });
  expect(csv.split('\r\n').filter((line) => line.startsWith('meters,'))).toHaveLength(1);
  expect(csv).toMatch(/standard-gap,-62,/);
});
