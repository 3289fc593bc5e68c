import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { systemClock } from '#daemon/clock.ts';
import { MeterLedger } from '#daemon/meters/ledger.ts';
import type { Source } from '#daemon/meters/read.ts';
import { MeterService } from '#daemon/meters/service.ts';
import { verifyMeters } from '#daemon/meters/verify.ts';
import { openLedger } from '#daemon/store/ledger.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { VERIFIERS } from '#daemon/verifiers.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { HOUR } from './site.ts';

const START = Date.UTC(2026, 2, 1);

async function openService() {
  const directory = await temporaryFolder();
  const log = recordingLogger();
  const store = await openStore({ directory, log });
  onTestFinished(() => store.close());
  const { ledger } = await openLedger({ store, directory, clock: systemClock, log, verifiers: VERIFIERS });
  const service = await MeterService.open({
    file: ledger,
    clock: systemClock,
    log,
    publish: () => undefined,
    askAgain: () => undefined,
    profile: () => null,
  });
  return { directory, ledger, meters: service.ledger };
}
type Opened = Awaited<ReturnType<typeof openService>>;

const source = (device: string, serial = `SN-${device}`): Source => ({
  device,
  printer: `Acme:${serial}`,
  serial,
  vendor: 'Acme',
  profile: 'acme',
  profileVersion: '0123456789abcdef',
  meters: [{ meter: 'total', oid: '1.3.6.1.4.1.99999.1', unit: 'impressions', parts: 1 }],
});

/** One read an hour, from hour `from` on. */
async function reads({ meters }: Opened, device: string, from: number, count: number, serial?: string): Promise<void> {
  for (let hour = from; hour < from + count; hour += 1) await read(meters, device, hour, serial);
}

async function read(meters: Opened['meters'], device: string, hour: number, serial?: string): Promise<void> {
  const at = (START + hour * HOUR) as WallTime;
  const number = await meters.sourceNumber(source(device, serial), at);
  await meters.append(device, { at, clockTrusted: true, step: 'ok', source: number, slots: [1_000 + hour] });
}

/** Spoils the file, and its log, while it is open. */
async function damage({ directory }: Opened): Promise<void> {
  for (const name of ['ledger.db', 'ledger.db-wal']) {
    const path = join(directory, name);
    const { size } = await stat(path);
    const file = await open(path, 'r+');
    await file.write(new Uint8Array(size).fill(0xa5), 0, size, 0);
    await file.close();
  }
}

async function lastNumbers({ meters }: Opened): Promise<Record<string, number>> {
  return await meters.heads();
}

test('after a damaged ledger was restored while siteward runs, reads go on from what the copy holds', async () => {
  const site = await openService();
  await reads(site, 'copier-1', 0, 70);
  await site.ledger.copy();
  // Lost with the file: more reads, a printer of its own, and a source that the copy does not know.
  await reads(site, 'copier-1', 70, 20);
  await reads(site, 'copier-1', 90, 5, 'SN-after');
  await reads(site, 'copier-2', 0, 30);
  await damage(site);

  const restoration = await site.ledger.reopen();
  expect(await lastNumbers(site)).toEqual({ 'copier-1': 70 });
  await reads(site, 'copier-1', 95, 5, 'SN-after');
  await reads(site, 'copier-2', 95, 3);

  expect(restoration).toMatchObject({ setAside: expect.any(String), copy: expect.any(String) });
  expect(await lastNumbers(site)).toEqual({ 'copier-1': 75, 'copier-2': 3 });
  expect((await verifyMeters(site.ledger.database)).faults).toEqual([]);
});

test('reads that are under way while the ledger is opened anew are written once, or refused', async () => {
  const site = await openService();
  await reads(site, 'copier-1', 0, 10);
  await site.ledger.copy();
  await reads(site, 'copier-1', 10, 10);
  await damage(site);
  const { meters } = site;
  const outcomes: Promise<boolean>[] = [];
  const begin = (hour: number) => outcomes.push(isWritten(read(meters, `copier-${hour % 3}`, hour)));

  for (let hour = 20; hour < 60; hour += 1) begin(hour);
  const reopened = site.ledger.reopen();
  for (let hour = 60; hour < 100; hour += 1) begin(hour);
  await reopened;
  for (let hour = 100; hour < 110; hour += 1) begin(hour);
  const settled = await Promise.all(outcomes);

  const written = settled.filter((each) => each).length;
  const numbers = Object.values(await lastNumbers(site)).reduce((sum, number) => sum + number, 0);
  expect(written).toBeGreaterThanOrEqual(10);
  expect(numbers).toBe(10 + written);
  expect((await verifyMeters(site.ledger.database)).faults).toEqual([]);
});

test('what reached the disk although its commit failed is not written over', async () => {
  const site = await openService();
  await reads(site, 'copier-1', 0, 5);
  // As another handle would leave it: a read of which this one was never told.
  const { meters } = site;
  const other = await MeterLedger.open(site.ledger);
  await read(other, 'copier-1', 5);

  await expect(read(meters, 'copier-1', 6)).rejects.toThrow(/UNIQUE/);
  await site.ledger.reopen();
  await read(meters, 'copier-1', 6);

  expect(await lastNumbers(site)).toEqual({ 'copier-1': 7 });
  expect((await verifyMeters(site.ledger.database)).faults).toEqual([]);
});

async function isWritten(work: Promise<void>): Promise<boolean> {
  return await work.then(
    () => true,
    () => false,
  );
}
