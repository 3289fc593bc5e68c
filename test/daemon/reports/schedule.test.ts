import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { configOf } from '#config/load.ts';
import { lastDue, ReportSchedule } from '#daemon/reports/schedule.ts';
import { setClock } from '../../support/availability.ts';
import { startMailServer } from '../../support/mail-server.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { at, enterMonth, workedMonth } from '../../support/worked-month.ts';

test('a report is due on its day and time in the zone of the site, also across a clock change', () => {
  const monthly = { day: 1, at: '06:00' };

  expect(lastDue(monthly, at('2026-11-01T06:00'), 'Europe/Berlin')).toBe(at('2026-11-01T06:00'));
  expect(lastDue(monthly, at('2026-11-01T05:59'), 'Europe/Berlin')).toBe(at('2026-10-01T06:00'));
  expect(lastDue({ day: 28, at: '06:00' }, at('2026-03-15T06:00'), 'Europe/Berlin')).toBe(at('2026-02-28T06:00'));
});

test('it is written once, mailed once with its files, and made again only when the mail was not taken', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'siteward-reports-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const server = await startMailServer({ refuses: true });
  const { port, mails } = server;
  const month = workedMonth();
  const book = await enterMonth(join(folder, 'store'), month);
  onTestFinished(() => book.close());
  const { config } = month.loaded;
  const loaded = configOf(
    {
      site: config.site,
      storage: { directory: 'store' },
      devices: config.devices.map(({ name, address: host, sla }) => ({ name, address: host, sla })),
      slas: { 'always-on': { target: '99.9%' }, office: { target: '99.5%' } },
      smtp: { host: '127.0.0.1', port, from: 'siteward@muster.example' },
      reports: { scheduled: [{ report: 'sla', formats: ['csv', 'pdf'], mail_to: ['client@muster.example'] }] },
    },
    folder,
  );
  const clock = setClock(at('2026-11-01T07:00'));
  const schedule = new ReportSchedule({
    clock,
    log: recordingLogger(),
    database: () => book.ledger.database,
    loaded: () => loaded,
  });

  await schedule.look();
  expect(mails).toHaveLength(0);
  server.refuses = false;
  clock.advance(20 * 60_000);
  await schedule.look();
  clock.advance(20 * 60_000);
  await schedule.look();
  await new ReportSchedule({
    clock,
    log: recordingLogger(),
    database: () => book.ledger.database,
    loaded: () => loaded,
  }).look();

  const made = readdirSync(join(folder, 'store', 'reports')).filter((name) => !name.startsWith('.'));
  expect(made.toSorted()).toEqual(['berlin-office-sla-2026-10.csv', 'berlin-office-sla-2026-10.pdf']);
  expect(readFileSync(join(folder, 'store', 'reports', 'berlin-office-sla-2026-10.csv'), 'utf8')).toContain('srv-1');
  expect(existsSync(join(folder, 'store', 'reports', 'berlin-office-sla-2026-10.pdf.new'))).toBe(false);
  expect(mails).toHaveLength(1);
  expect(mails[0]).toContain('Subject: Availability, Muster GmbH berlin-office, 2026-10');
  expect(mails[0]).toContain('filename=berlin-office-sla-2026-10.pdf');
});
