/** T1, short: the long proof kills 40 times at random and at each of the first 100 syncs. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { verifySpoolFolder } from '#daemon/spool/inspect.ts';
import { KillTrial, NOWHERE } from '../../faults/kill-trial.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startInfluxd } from '../../support/influxd.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

test('killed while it spools, while it sends and while it backs up: every acknowledged point comes, once and as it was', async () => {
  const influxd = await startInfluxd(await temporaryFolder());
  onTestFinished(() => influxd.stop('SIGKILL'));
  await influxd.query('CREATE DATABASE siteward');
  const folder = join(await temporaryFolder(), 'data');
  await mkdir(folder);
  const trial = new KillTrial(folder);

  for (const [url, rounds, flags] of [
    [NOWHERE, 30, []],
    [influxd.url, 40, []],
    [NOWHERE, 20, ['backup']],
  ] as const) {
    let acknowledged = 0;
    await trial.run(url, flags, (line, end) => {
      if (line.startsWith('ack ') && ++acknowledged === rounds) end('SIGKILL');
    });
  }
  await trial.drain(influxd.url);

  const signal = AbortSignal.timeout(30_000);
  expect((await verifySpoolFolder({ directory: folder, log: recordingLogger(), signal })).faults).toEqual([]);
  await trial.judge(influxd);
  expect(trial.acknowledged).toBeGreaterThanOrEqual(90 * 50);
});
