import { copyFile, cp, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Milliseconds, WallTime } from '#collectors/contract.ts';
import { systemClock } from '#daemon/clock.ts';
import { total, unaccounted } from '#daemon/spool/counts.ts';
import { LINES } from '#daemon/spool/records.ts';
import { openSpool } from '#daemon/spool/spool.ts';
import { StoreError } from '#daemon/store/errors.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { openTestSpool } from '../support/spool.ts';
import { ledgerOptions } from './numbered-points.ts';

const SETTINGS = { format: LINES, maxBytes: 100_000_000, maxAge: 2_592_000_000 as Milliseconds };
export const POINTS = 4_000;

/** A line that follows from its number, so that a changed one is known. */
function line(number: number, at: number): string {
  return `m,n=${number} v=${Math.round(Math.sin(number) * 1e9)}i ${at + number}`;
}

export interface Original {
  readonly folder: string;
  readonly lines: ReadonlySet<string>;
}

/** The folder of a daemon that was killed: batches, a quarantine, and a log that no checkpoint has taken over yet. */
export async function originalFolder(parent: string): Promise<Original> {
  const live = join(parent, 'live');
  const folder = join(parent, 'original');
  await mkdir(live);
  const { spool, store } = await openTestSpool({ directory: live });
  const { database: ledger } = await store.open('ledger', ledgerOptions);
  const output = await spool.output('central', SETTINGS);
  const at = Date.now() as WallTime;
  const lines: string[] = [];
  for (let from = 0; from < POINTS; from += 100) {
    const batch = Array.from({ length: 100 }, (_, index) => line(from + index, at));
    lines.push(...batch);
    const raw = Buffer.from(batch.map((text) => `${text}\n`).join(''));
    await output.append([{ raw, points: 100, important: from % 300 === 0, firstAt: at, lastAt: at }]);
    await ledger.write([{ sql: 'INSERT INTO entry (number) VALUES (?)', params: [from] }]);
  }
  const claim = await output.claim('oldest', { points: 100, rawBytes: 1e6 });
  if (claim) {
    const records = LINES.split(claim.raw);
    const quarantined = records.slice(0, 5).map((raw) => ({ raw, points: 1, status: 400, message: 'no' }));
    await output.settle(claim, { written: 95, quarantined, dropped: [] });
  }
  await cp(live, folder, { recursive: true });
  await spool.close();
  await store.close();
  return { folder, lines: new Set(lines) };
}

type Mutation = (folder: string, random: () => number) => Promise<void>;

const FILES = ['spool.db', 'spool.db-wal', 'spool.db-shm'];

async function change(path: string, at: number, bytes: (old: Buffer) => Uint8Array, length = 1): Promise<void> {
  const file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, at);
  await file.write(bytes(buffer), 0, length, at);
  await file.close();
}

async function someFile(folder: string, random: () => number): Promise<{ path: string; size: number }> {
  const path = join(folder, FILES[Math.floor(random() ** 2 * FILES.length)] ?? 'spool.db');
  return { path, size: (await stat(path)).size };
}

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'a flipped bit': async (folder, random) => {
    const { path, size } = await someFile(folder, random);
    await change(path, Math.floor(random() * size), (old) =>
      Uint8Array.of((old[0] ?? 0) ^ (1 << Math.floor(random() * 8))),
    );
  },
  'a flipped bit in the first pages': async (folder, random) => {
    const at = Math.floor(random() * 8192);
    await change(join(folder, 'spool.db'), at, (old) => Uint8Array.of((old[0] ?? 0) ^ (1 << Math.floor(random() * 8))));
  },
  'a zeroed page': async (folder, random) => {
    const { path, size } = await someFile(folder, random);
    const at = Math.floor((random() * size) / 4096) * 4096;
    await change(path, at, (old) => new Uint8Array(old.length), Math.min(4096, size - at));
  },
  'a page of noise': async (folder, random) => {
    const { path, size } = await someFile(folder, random);
    const at = Math.floor((random() * size) / 4096) * 4096;
    await change(path, at, (old) => old.map(() => Math.floor(random() * 256)), Math.min(4096, size - at));
  },
  'a cut': async (folder, random) => {
    const { path, size } = await someFile(folder, random);
    const file = await open(path, 'r+');
    await file.truncate(Math.floor(random() * size));
    await file.close();
  },
  'a missing log': async (folder) => {
    await rm(join(folder, 'spool.db-wal'));
  },
  'a missing file beside its log': async (folder) => {
    await rm(join(folder, 'spool.db'));
  },
  'the log of another database': async (folder) => {
    await copyFile(join(folder, 'ledger.db-wal'), join(folder, 'spool.db-wal'));
    await rm(join(folder, 'spool.db-shm'));
  },
  'another database under its name': async (folder) => {
    for (const suffix of ['', '-wal', '-shm'])
      await copyFile(join(folder, `ledger.db${suffix}`), join(folder, `spool.db${suffix}`));
  },
  'an empty file': async (folder) => {
    for (const suffix of ['-wal', '-shm']) await rm(join(folder, `spool.db${suffix}`));
    await (await open(join(folder, 'spool.db'), 'w')).close();
  },
  'a folder under its name': async (folder) => {
    for (const suffix of ['-wal', '-shm']) await rm(join(folder, `spool.db${suffix}`));
    await rename(join(folder, 'spool.db'), join(folder, 'old.db'));
    await mkdir(join(folder, 'spool.db'));
  },
  'a damaged lock': async (folder, random) => {
    await change(join(folder, 'siteward.lock'), 0, (old) => old.map(() => Math.floor(random() * 256)), 4096);
  },
};

export interface Survival {
  /** The code with which it refused to start. */
  readonly refused?: string;
  readonly setAside: boolean;
  readonly delivered: number;
  readonly lost: number;
}

/**
 * Starts on a damaged copy and empties its spool. It starts or says why not; the ledger goes on; what it delivers is what
 * was produced, bit by bit; what it does not deliver is counted.
 */
export async function survive(
  original: Original,
  copy: string,
  mutate: Mutation,
  random: () => number,
): Promise<Survival> {
  await cp(original.folder, copy, { recursive: true });
  await mutate(copy, random);
  const log = recordingLogger();
  let store: Awaited<ReturnType<typeof openStore>> | undefined;
  try {
    store = await openStore({ directory: copy, log });
    const { database: ledger } = await store.open('ledger', ledgerOptions);
    await ledger.write([{ sql: 'INSERT INTO entry (number) VALUES (?)', params: [-1] }]);
    expect(Number((await ledger.read('SELECT count(*) AS n FROM entry'))[0]?.['n'])).toBe(POINTS / 100 + 1);
    const spool = await openSpool({ store, directory: copy, freeFloor: 0, log, clock: systemClock });
    const output = await spool.output('central', SETTINGS);
    expect(unaccounted(output.counts)).toBe(0);
    let delivered = 0;
    while (true) {
      const claim = await output.claim('oldest', { points: 1000, rawBytes: 1e6 });
      if (!claim) break;
      const lines = LINES.split(claim.raw).map(LINES.describe);
      const strange = lines.filter((text) => !original.lines.has(text));
      expect(strange, 'delivered what nobody produced').toEqual([]);
      delivered += lines.length;
      await output.settle(claim, { written: claim.points, quarantined: [], dropped: [] });
    }
    expect(unaccounted(output.counts)).toBe(0);
    const setAside = (await readdir(copy)).some((name) => name.includes('.damaged-'));
    const lost = total(output.counts.dropped);
    await spool.close();
    return { setAside, delivered, lost };
  } catch (thrown) {
    if (thrown instanceof StoreError) return { refused: thrown.code, setAside: false, delivered: 0, lost: 0 };
    throw thrown;
  } finally {
    await store?.close();
    await rm(copy, { recursive: true, force: true });
  }
}
