import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Milliseconds, WallTime } from '#collectors/contract.ts';
import { unaccounted } from '#daemon/spool/counts.ts';
import type { Block, OutputSpool, OutputSpoolSettings } from '#daemon/spool/output-spool.ts';
import { LINES } from '#daemon/spool/records.ts';
import { openSpool, SPOOL_OPTIONS } from '#daemon/spool/spool.ts';
import { verifySpool } from '#daemon/spool/verify.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { startSpool } from '../../support/spool.ts';
import { ManualClock } from '../../support/spool-model.ts';

const DAY = 86_400_000;
const SETTINGS: OutputSpoolSettings = { format: LINES, maxBytes: 1_000_000, maxAge: (30 * DAY) as Milliseconds };
const ALL = { points: 1e9, rawBytes: 1e9 };

async function openOutput(given: Partial<OutputSpoolSettings> & { freeFloor?: number } = {}) {
  const clock = new ManualClock();
  const { freeFloor = 0, ...settings } = given;
  const opened = await startSpool({ clock, freeFloor });
  return { ...opened, clock, output: await opened.spool.output('central', { ...SETTINGS, ...settings }) };
}

/** Lines with numbers that compress badly, as counters do. */
function block(clock: ManualClock, from: number, points: number, important = false): Block {
  const lines = Array.from(
    { length: points },
    (_, index) => `m,n=${from + index} v=${Math.sin(from + index)} ${clock.wall}\n`,
  );
  const at = clock.wall as WallTime;
  return { raw: Buffer.from(lines.join('')), points, important, firstAt: at, lastAt: at };
}

async function numbers(output: OutputSpool, end: 'oldest' | 'newest' = 'oldest'): Promise<number[]> {
  const claim = await output.claim(end, ALL);
  if (!claim) return [];
  output.release(claim);
  return LINES.split(claim.raw).map((line) => Number(/n=(\d+)/.exec(LINES.describe(line))?.[1]));
}

describe('caps', () => {
  test('by size: the oldest go first, counted to the point, and important ones last', async () => {
    const { clock, output } = await openOutput({ maxBytes: 6_000 });
    await output.append([block(clock, 0, 10, true)]);
    for (let from = 10; from < 300; from += 10) await output.append([block(clock, from, 10)]);

    const left = await numbers(output);

    const { counts } = output;
    expect(output.bytes).toBeLessThanOrEqual(6_000);
    expect(left.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(left.slice(10)).toEqual(
      Array.from({ length: left.length - 10 }, (_, index) => 300 - left.length + 10 + index),
    );
    expect(counts).toMatchObject({ produced: 300, pending: left.length, dropped: { size: 300 - left.length } });
    expect(unaccounted(counts)).toBe(0);
  });

  test('by size: the oldest go first, also while they are being merged', async () => {
    const { clock, output } = await openOutput({ maxBytes: 6_000, merged: { points: 100, rawBytes: 1e6 } });
    for (let from = 0; from < 200; from += 10) await output.append([block(clock, from, 10)]);

    const merging = output.merge();
    for (let from = 200; from < 240; from += 10) await output.append([block(clock, from, 10)]);
    await merging;

    // A merge puts the records of a series side by side.
    const left = (await numbers(output)).sort((a, b) => a - b);
    expect(left).toEqual(Array.from({ length: left.length }, (_, index) => 240 - left.length + index));
    expect(unaccounted(output.counts)).toBe(0);
  });

  test('by age: what is older goes, by the clock that cannot jump ahead', async () => {
    const { clock, output } = await openOutput({ maxAge: DAY as Milliseconds });
    await output.append([block(clock, 0, 10)]);
    clock.pass(DAY / 2);
    await output.append([block(clock, 10, 10)]);

    clock.wall += 1000 * DAY;
    await output.expire();
    expect(output.counts.pending).toBe(20);
    clock.wall -= 1000 * DAY;
    clock.pass(DAY / 2 + 1000);
    await output.expire();

    expect(await numbers(output)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    expect(output.counts).toMatchObject({ dropped: { age: 10 } });
  });

  test('by the floor of free space: it grows no further, and takes the place of its oldest', async () => {
    const { clock, output, log } = await openOutput({ freeFloor: Number.MAX_SAFE_INTEGER, maxBytes: 100_000_000 });

    for (let from = 0; from < 120_000; from += 2000) await output.append([block(clock, from, 2000)]);

    expect(output.bytes).toBeLessThanOrEqual(1_048_576);
    expect(output.counts.dropped.disk_full).toBeGreaterThan(0);
    expect((await numbers(output)).at(-1)).toBe(119_999);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  test('nothing that is being sent is thrown away', async () => {
    const { clock, output } = await openOutput({ maxBytes: 2_000 });
    await output.append([block(clock, 0, 10)]);
    const claim = await output.claim('oldest', { points: 10, rawBytes: 1e6 });
    for (let from = 10; from < 200; from += 10) await output.append([block(clock, from, 10)]);

    if (claim) await output.settle(claim, { written: 10, quarantined: [], dropped: [] });

    expect(output.counts.written).toBe(10);
    expect(unaccounted(output.counts)).toBe(0);
  });
});

describe('merging', () => {
  test('keeps every record byte by byte, and makes the batches few and small', async () => {
    const { clock, output } = await openOutput({ merged: { points: 200, rawBytes: 1e6 } });
    for (let from = 0; from < 400; from += 5) await output.append([block(clock, from, 5)]);
    const before = await output.claim('oldest', ALL);
    if (before) output.release(before);
    const [bytes, batches] = [output.bytes, output.batches];

    await output.merge();
    await output.merge();
    const after = await output.claim('oldest', ALL);

    const lines = (claim: typeof before) => LINES.split(claim?.raw ?? new Uint8Array()).map(LINES.describe);
    expect(lines(after).toSorted()).toEqual(lines(before).toSorted());
    expect([batches, output.batches]).toEqual([80, 2]);
    expect(output.bytes).toBeLessThan(bytes / 2);
  });
});

describe('after a restart', () => {
  test('all is as it was: batches, counts, quarantine, and what was claimed waits again', async () => {
    const { clock, output, store, directory } = await openOutput();
    await output.append([block(clock, 0, 10)]);
    await output.append([block(clock, 10, 10, true)]);
    const claim = await output.claim('oldest', { points: 10, rawBytes: 1e6 });
    if (!claim) throw new Error('nothing to claim');
    const [first = new Uint8Array()] = LINES.split(claim.raw);
    await output.settle(claim, {
      written: 9,
      quarantined: [{ raw: first, points: 1, status: 400, message: 'no' }],
      dropped: [],
    });
    await output.claim('oldest', ALL);
    const counts = output.counts;
    await store.close();

    const again = await startSpool({ directory, clock });
    const reopened = await again.spool.output('central', SETTINGS);

    expect(reopened.counts).toEqual(counts);
    expect(await numbers(reopened)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });

  test('an output of another format under the same name begins anew', async () => {
    const { clock, output, spool } = await openOutput();
    await output.append([block(clock, 0, 10)]);

    const other = await spool.output('central', { ...SETTINGS, format: { ...LINES, name: 'series' } });

    expect(other.counts).toMatchObject({ produced: 0, pending: 0 });
  });
});

describe('damage', () => {
  /** Opens the file behind the daemon's back, as a failing disk would. */
  function tamper(directory: string, sql: string): void {
    const file = new DatabaseSync(join(directory, 'spool.db'));
    file.exec(sql);
    file.close();
  }

  /** Overwrites a page in the middle of the bodies, of which the file's structure depends. */
  async function breakPage(directory: string): Promise<void> {
    const path = join(directory, 'spool.db');
    const database = new DatabaseSync(path);
    const pages = database
      .prepare("SELECT pageno FROM dbstat WHERE name = 'body' AND pagetype = 'leaf' ORDER BY path")
      .all();
    database.close();
    const page = Number(pages[Math.floor(pages.length / 2)]?.['pageno']);
    const file = await open(path, 'r+');
    await file.write(new Uint8Array(4096).fill(0x5a), 0, 4096, (page - 1) * 4096);
    await file.close();
  }

  test('of one body costs its batch, which is counted and told', async () => {
    const { clock, output, directory, log } = await openOutput();
    for (let from = 0; from < 30; from += 10) await output.append([block(clock, from, 10)]);
    tamper(directory, 'UPDATE body SET gzip = zeroblob(length(gzip)) WHERE id = 2');

    const left = await numbers(output);

    expect(left).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
    expect(output.counts).toMatchObject({ pending: 20, dropped: { damaged: 10 } });
    expect(log.lines).toMatchObject([{ level: 'error', fields: { points: 10 } }]);
  });

  test('of the file: what can still be read goes on, the rest is counted', async () => {
    const directory = await temporaryFolder();
    const clock = new ManualClock();
    const first = await openStore({ directory, log: recordingLogger() });
    const spool = await openSpool({ store: first, directory, freeFloor: 0, log: recordingLogger(), clock });
    const output = await spool.output('central', SETTINGS);
    for (let from = 0; from < 20_000; from += 1000) await output.append([block(clock, from, 1000)]);
    await first.close();
    await breakPage(directory);

    const log = recordingLogger();
    const second = await openStore({ directory, log });
    onTestFinished(() => second.close());
    const reopened = await (await openSpool({ store: second, directory, freeFloor: 0, log, clock })).output(
      'central',
      SETTINGS,
    );

    const { counts } = reopened;
    expect(counts.produced).toBe(20_000);
    expect(counts.pending).toBeGreaterThan(0);
    expect(counts.pending + counts.dropped.damaged).toBe(20_000);
    expect(log.lines.map(({ sentence }) => sentence)).toContain(
      'the spool was damaged, what could be read of it goes on',
    );
  });

  test('is found by verify', async () => {
    const { clock, output, directory, store } = await openOutput();
    for (let from = 0; from < 30; from += 10) await output.append([block(clock, from, 10)]);
    tamper(
      directory,
      `UPDATE body SET gzip = zeroblob(9) WHERE id = 1; DELETE FROM body WHERE id = 2;
       UPDATE tally SET points = points + 5 WHERE outcome = 'produced'`,
    );

    const { database } = await store.open('spool', SPOOL_OPTIONS);
    const { checked, faults } = await verifySpool(database);

    expect(checked).toEqual({ outputs: 1, batches: 3, points: 30 });
    expect(faults.map(({ what }) => what)).toEqual(['spool_batch', 'spool_batch', 'spool_conservation']);
  });
});
