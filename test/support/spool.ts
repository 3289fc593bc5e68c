import { onTestFinished } from 'vitest';
import type { Clock } from '#collectors/contract.ts';
import { systemClock } from '#daemon/clock.ts';
import type { Logger } from '#daemon/log.ts';
import { unaccounted } from '#daemon/spool/counts.ts';
import { openSpool, type Spool } from '#daemon/spool/spool.ts';
import type { SpooledOutput } from '#daemon/spool/spooled-sink.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import type { Store } from '#daemon/store/store.ts';
import { temporaryFolder } from './folder.ts';
import { type RecordedLine, recordingLogger } from './recording-logger.ts';

export interface TestSpool {
  readonly spool: Spool;
  readonly store: Store;
  readonly directory: string;
  readonly log: Logger & { readonly lines: readonly RecordedLine[] };
}

export interface TestSpoolSettings {
  readonly directory: string;
  readonly clock?: Clock;
  readonly freeFloor?: number;
}

export async function openTestSpool({
  directory,
  clock = systemClock,
  freeFloor = 0,
}: TestSpoolSettings): Promise<TestSpool> {
  const log = recordingLogger();
  const store = await openStore({ directory, log });
  return { spool: await openSpool({ store, directory, freeFloor, log, clock }), store, directory, log };
}

/** A spool in a folder of its own, closed with the test. */
export async function startSpool(given: Partial<TestSpoolSettings> = {}): Promise<TestSpool> {
  const opened = await openTestSpool({ ...given, directory: given.directory ?? (await temporaryFolder()) });
  onTestFinished(async () => {
    await opened.spool.close();
    await opened.store.close();
  });
  return opened;
}

/** Every point that was produced is written, waiting, quarantined or dropped; where this is not zero, one is not. */
export function missing(sink: SpooledOutput): number {
  return unaccounted(sink.status());
}
