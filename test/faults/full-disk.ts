import { spawnSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { systemClock } from '#daemon/clock.ts';
import { openInfluxSink } from '#daemon/sinks/influx.ts';
import { openSpool, type Spool } from '#daemon/spool/spool.ts';
import type { OutputStatus, SpooledOutput } from '#daemon/spool/spooled-sink.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import type { Database, Store } from '#daemon/store/store.ts';
import { temporaryFolder } from '../support/folder.ts';
import { observation, reading } from '../support/observations.ts';
import { influxSettings } from '../support/output-settings.ts';
import { type Receiver, type Reply, startReceiver } from '../support/receiver.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { missing } from '../support/spool.ts';
import { ledgerOptions } from './numbered-points.ts';

/** Whether this user may mount. */
export const canMount = process.getuid?.() === 0 && spawnSync('mount', ['--version']).status === 0;

/** A small disk of memory, which goes with the test. */
export async function smallDisk(megabytes: number): Promise<string> {
  const folder = await temporaryFolder();
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'siteward-test', folder]);
  if (status !== 0) throw new Error(`no small disk: ${stderr}`);
  onTestFinished(() => void spawnSync('umount', ['-l', folder]));
  return folder;
}

/** A stranger who takes everything that is free, to the last block. */
export class Stranger {
  readonly #path: string;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#path = join(folder, 'stranger');
  }

  async fill(): Promise<void> {
    const file = await open(this.#path, 'a');
    try {
      for (const size of [1_048_576, 4096]) {
        const block = new Uint8Array(size);
        while (statfsSync(this.#folder).bavail * 4096 >= size) {
          const { bytesWritten } = await file.write(block);
          if (bytesWritten === 0) break;
        }
      }
    } catch (thrown) {
      if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOSPC')) throw thrown;
    } finally {
      await file.close();
    }
  }

  async leave(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}

export interface Scene {
  readonly disk: string;
  readonly stranger: Stranger;
  readonly receiver: Receiver;
  /** What the receiver answers; away until a test says otherwise. */
  answer: Reply;
  store: Store;
  spool: Spool;
  sink: SpooledOutput;
  ledger: Database;
  points: number;
  entries: number;
}

export async function openScene(megabytes = 32): Promise<Scene> {
  const disk = await smallDisk(megabytes);
  const scene = { disk, stranger: new Stranger(disk), answer: { status: 503 } as Reply, points: 0, entries: 0 };
  const receiver = await startReceiver(() => scene.answer);
  const opened: Scene = Object.assign(scene, { receiver, ...(await start(disk, receiver.url)) });
  onTestFinished(() => stop(opened));
  return opened;
}

export async function start(disk: string, url: string): Promise<Pick<Scene, 'store' | 'spool' | 'sink' | 'ledger'>> {
  const log = recordingLogger();
  const clock = systemClock;
  const store = await openStore({ directory: disk, log });
  const { database: ledger } = await store.open('ledger', ledgerOptions);
  const spool = await openSpool({ store, directory: disk, freeFloor: 4_000_000, log, clock });
  const settings = influxSettings({ url, create_database: false });
  const sink = await openInfluxSink({ settings, site: { id: 'acme-hq', client: 'ACME' }, spool, log, clock });
  return { store, spool, sink, ledger };
}

export async function stop({ sink, spool, store }: Scene): Promise<void> {
  await sink.close();
  await spool.close();
  await store.close();
}

/** One round of points that do not compress well, on disk or told that it is not. */
export async function round(scene: Scene, points = 200): Promise<boolean> {
  const readings = Array.from({ length: points }, (_, index) =>
    reading('siteward_interface_receive_bytes_total', BigInt(Math.floor(Math.random() * 2 ** 50)), {
      interface: `if-${index}`,
    }),
  );
  scene.points += points;
  scene.sink.accept(observation('sw-1', Date.now(), readings));
  return await scene.sink.flush(AbortSignal.timeout(700)).then(
    () => true,
    () => false,
  );
}

export async function roundsUntil(scene: Scene, done: (status: OutputStatus) => boolean): Promise<void> {
  const told = async (): Promise<boolean> => {
    await round(scene, 2000);
    return done(scene.sink.status());
  };
  await expect.poll(told, { timeout: 40_000, interval: 1 }).toBe(true);
}

export async function book(scene: Scene): Promise<void> {
  scene.entries += 1;
  await scene.ledger.write([{ sql: 'INSERT INTO entry (number) VALUES (?)', params: [scene.entries] }]);
}

export async function booked({ ledger }: Scene): Promise<number> {
  return Number((await ledger.read('SELECT count(*) AS n FROM entry'))[0]?.['n']);
}

/** After the stranger has left: writes go on within ten seconds, all is delivered, nothing is unaccounted for. */
export async function recovers(scene: Scene): Promise<void> {
  await scene.stranger.leave();
  const left = performance.now();
  await expect.poll(() => round(scene), { timeout: 10_000 }).toBe(true);
  expect(performance.now() - left).toBeLessThan(10_000);
  scene.answer = { status: 204 };
  await expect.poll(() => scene.sink.status().pending, { timeout: 40_000, interval: 100 }).toBe(0);
  expect(missing(scene.sink)).toBe(0);
  const { produced, written } = scene.sink.status();
  expect(produced).toBe(scene.points);
  expect(new Set(scene.receiver.stored).size).toBe(written);
  expect(await scene.spool.read('PRAGMA integrity_check', [])).toEqual([{ integrity_check: 'ok' }]);
}
