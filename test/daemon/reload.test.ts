/** Reading the config again takes a while, and more may be asked of the daemon meanwhile. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configOf, type LoadedConfig } from '#config/load.ts';
import { systemClock } from '#daemon/clock.ts';
import { type Daemon, startDaemon } from '#daemon/daemon.ts';
import { temporaryFolder } from '../support/folder.ts';
import { recordingLogger } from '../support/recording-logger.ts';

let folder: string;
let daemon: Daemon;
/** Readings of the config that are under way, in the order in which they began. */
let readings: ((read: LoadedConfig) => void)[];
const log = recordingLogger();

const configFor = (client: string) =>
  configOf({ site: { id: 'hq', client }, http: { listen: '127.0.0.1:0' }, storage: { directory: folder } }, folder);
const client = async (): Promise<unknown> =>
  ((await (await fetch(`${daemon.url}/api/v1/site`)).json()) as { client: unknown }).client;

async function begun(count: number): Promise<void> {
  await expect.poll(() => readings.length).toBe(count);
}

beforeEach(async () => {
  folder = await temporaryFolder();
  readings = [];
  log.lines.length = 0;
  daemon = await startDaemon({
    loaded: configFor('at the start'),
    reread: () => new Promise((resolve) => readings.push(resolve)),
    clock: systemClock,
    log: Object.assign(log, { level: 'info' as const }),
    demo: false,
  });
});

afterEach(() => daemon.stop());

test('of two reloads the later one is in force, however long the earlier one reads', async () => {
  const earlier = daemon.reload();
  const later = daemon.reload();

  await begun(1);
  readings[0]?.(configFor('earlier'));
  await earlier;
  expect(await client()).toBe('earlier');
  await begun(2);
  readings[1]?.(configFor('later'));

  expect(await Promise.all([earlier, later])).toEqual([[], []]);
  expect(await client()).toBe('later');
});

test('a daemon that is told to stop while it reads takes nothing on any more', async () => {
  const reload = daemon.reload();
  await begun(1);

  await daemon.stop();
  readings[0]?.(configFor('too late'));

  expect(await reload).toEqual(['siteward is stopping']);
  expect(log.lines.filter(({ sentence }) => sentence === 'the config was read again')).toEqual([]);
});
