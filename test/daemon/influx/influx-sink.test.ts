import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '#daemon/clock.ts';
import { openInfluxSink } from '#daemon/sinks/influx.ts';
import { openSpool, type Spool } from '#daemon/spool/spool.ts';
import type { SpooledOutput } from '#daemon/spool/spooled-sink.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startInfluxd } from '../../support/influxd.ts';
import { observation, reading } from '../../support/observations.ts';
import { influxSettings } from '../../support/output-settings.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

const SITE = { id: 'acme-hq', client: 'ACME Ltd' };

async function startSpool(): Promise<Spool> {
  const directory = await temporaryFolder();
  const log = recordingLogger();
  const store = await openStore({ directory, log });
  onTestFinished(() => store.close());
  return await openSpool({ store, directory, freeFloor: 0, log, clock: systemClock });
}

async function delivered(sink: SpooledOutput): Promise<void> {
  await expect.poll(() => sink.status().pending, { timeout: 20_000, interval: 50 }).toBe(0);
}

test('readings come to a real influxd digit by digit, in a database that siteward makes', async () => {
  const influxd = await startInfluxd(await temporaryFolder());
  onTestFinished(() => influxd.stop());
  const sink = await openInfluxSink({
    settings: influxSettings({ url: influxd.url, retention: '720h' }),
    site: SITE,
    spool: await startSpool(),
    log: recordingLogger(),
    clock: systemClock,
  });
  onTestFinished(() => sink.close());
  const at = Date.now();

  sink.accept(
    observation('sw-1', at, [
      reading('siteward_interface_receive_bytes_total', 9_007_199_254_740_993n, {
        interface: 'Gi0/1, uplink = "a b"\\',
      }),
      reading('siteward_interface_transmit_bytes_total', 2n ** 64n - 1n, { interface: 'Gi0/1, uplink = "a b"\\' }),
      reading('siteward_cpu_usage_ratio', 0.1 + 0.2, { cpu: '0' }),
    ]),
  );
  await sink.flush(AbortSignal.timeout(5000));
  await delivered(sink);

  expect(await influxd.query('SELECT * FROM interface')).toEqual([
    {
      time: at,
      client: 'ACME Ltd',
      device: 'sw-1',
      interface: 'Gi0/1, uplink = "a b"/',
      receive_bytes: 9_007_199_254_740_993n,
      site: 'acme-hq',
      transmit_bytes: 2n ** 63n - 1n,
    },
  ]);
  expect(await influxd.query('SELECT * FROM cpu')).toMatchObject([{ usage_ratio: 0.1 + 0.2 }]);
  expect(await influxd.query('SHOW RETENTION POLICIES')).toContainEqual(
    expect.objectContaining({ name: 'siteward', duration: '720h0m0s', default: true }),
  );
  expect(sink.status()).toMatchObject({ produced: 2, written: 2, pending: 0, quarantined: 0 });
});
