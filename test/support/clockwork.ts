/** A real daemon whose clock a test sets, and what its ledger says of it. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { type Entry, entryOf } from '#daemon/availability/entries.ts';
import { type Piece, readExtract } from '#daemon/availability/timeline.ts';
import { systemClock } from '#daemon/clock.ts';
import { LEDGER_OPTIONS, verifyDatabase } from '#daemon/store/ledger.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { VERIFIERS } from '#daemon/verifiers.ts';
import { temporaryFolder } from './folder.ts';
import { recordingLogger } from './recording-logger.ts';
import { type LogLine, type RunningDaemon, startDaemon } from './siteward.ts';

export const HOUR = 3_600_000;
const EVERYTHING = { from: 0 as WallTime, to: 8e15 as WallTime };
const LIBRARIES = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu'].map((folder) =>
  join(folder, 'faketime/libfaketimeMT.so.1'),
);
export const DEVICES = Array.from({ length: 10 }, (_, index) => ({
  name: `d-${index}`,
  address: `127.0.1.${index + 1}`,
}));
export const CONFIG = { storage: { directory: 'store' }, polling: { availability: '5s' }, devices: DEVICES };

export interface Clockwork {
  readonly daemon: RunningDaemon;
  readonly folder: string;
  /** Sets its wall clock, as an offset to the machine's in milliseconds. */
  readonly set: (offset: number) => void;
}

/**
 * A daemon whose wall clock is off by `offset` milliseconds. The wall clock is libfaketime's, which reads the offset from a
 * file; the monotonic clock stays the machine's, as it does when somebody sets a clock.
 */
export async function clockwork(offset: number): Promise<Clockwork> {
  const library = LIBRARIES.find((path) => existsSync(path));
  if (library === undefined) throw new Error('install libfaketime');
  const folder = await temporaryFolder();
  const file = join(folder, 'offset');
  const set = (milliseconds: number): void => {
    writeFileSync(file, `${milliseconds < 0 ? '' : '+'}${(milliseconds / 1000).toFixed(3)}\n`);
  };
  set(offset);
  const env = {
    ...process.env,
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  return { daemon: await startDaemon(CONFIG, { folder, env }), folder, set };
}

export const isChange = (state: string) => (line: LogLine) =>
  line.message === 'a device changed state' && line['to'] === state;
/** Waits until all devices have entered `state` in what was logged from the line `after` on. */
export async function allEntered(daemon: RunningDaemon, state: string, after: number): Promise<void> {
  const count = (): number =>
    new Set(
      daemon.log
        .slice(after)
        .filter(isChange(state))
        .map((line) => line['device']),
    ).size;
  await daemon.logged(`all ${state}`, () => count() === DEVICES.length);
}

export async function ledgerOf(
  folder: string,
): Promise<{ entries: Entry[]; timelines: ReadonlyMap<string, readonly Piece[]> }> {
  const store = await openStore({ directory: join(folder, 'store'), log: recordingLogger(), readOnly: true });
  try {
    const { database } = await store.open('ledger', LEDGER_OPTIONS);
    expect((await verifyDatabase(database, VERIFIERS)).faults).toEqual([]);
    const rows = await database.read('SELECT * FROM availability_entries ORDER BY seq');
    const { timelines } = await readExtract(database, EVERYTHING, (systemClock.wallNow() + 2 * HOUR) as WallTime);
    return { entries: rows.map(entryOf), timelines };
  } finally {
    await store.close();
  }
}

/** The intervals of each device touch from the first to the last, none runs backwards, and none is down. */
export function expectWhole(timelines: ReadonlyMap<string, readonly Piece[]>): void {
  expect(timelines.size).toBe(DEVICES.length);
  for (const pieces of timelines.values()) {
    for (const [index, { from, to, state }] of pieces.entries()) {
      expect(to).toBeGreaterThan(from);
      expect(['up', 'unknown']).toContain(state);
      if (index > 0) expect(from).toBe(pieces[index - 1]?.to);
    }
  }
}

/** Each time at which the ledger says that the clock was set. */
export const steps = (entries: readonly Entry[]) =>
  entries.filter((entry) => entry.kind === 'segment' && entry.detail.why === 'clock set');
