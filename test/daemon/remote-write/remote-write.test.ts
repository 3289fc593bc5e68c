import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { systemClock } from '#daemon/clock.ts';
import { remoteWriteVerdict } from '#daemon/remote-write/dialect.ts';
import { SERIES } from '#daemon/remote-write/format.ts';
import { double, encodeSeries } from '#daemon/remote-write/protobuf.ts';
import { SeriesEncoder } from '#daemon/remote-write/series-encoder.ts';
import { literalSnappy, snappy } from '#daemon/remote-write/snappy.ts';
import { openRemoteWriteSink } from '#daemon/sinks/remote-write.ts';
import type { SpooledOutput } from '#daemon/spool/spooled-sink.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { observation, reading } from '../../support/observations.ts';
import { remoteWriteSettings } from '../../support/output-settings.ts';
import { type Prometheus, startPrometheus } from '../../support/prometheus.ts';
import { hostileText, seededRandom } from '../../support/random.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { missing, startSpool } from '../../support/spool.ts';
import { startVictoriaMetrics } from '../../support/victoria-metrics.ts';

const SITE = { id: 'acme-hq', client: 'ACME Ltd' };

async function openSink(url: string): Promise<SpooledOutput> {
  const { spool } = await startSpool();
  const log = recordingLogger();
  const settings = remoteWriteSettings({ url: `${url}/api/v1/write` });
  const sink = await openRemoteWriteSink({ settings, site: SITE, spool, log, clock: systemClock });
  onTestFinished(() => sink.close());
  return sink;
}

async function delivered(sink: SpooledOutput): Promise<void> {
  await expect.poll(() => sink.status().pending + Math.abs(missing(sink)), { timeout: 20_000, interval: 50 }).toBe(0);
}

async function prometheus(): Promise<Prometheus> {
  const server = await startPrometheus(await temporaryFolder());
  onTestFinished(() => server.stop());
  return server;
}

describe('a real Prometheus', () => {
  test('holds the values of the readings under the names of /metrics, with client and site', async () => {
    const server = await prometheus();
    const sink = await openSink(server.url);
    const at = Date.now();

    sink.accept(
      observation('sw-1', at, [
        reading('siteward_interface_receive_bytes_total', 2n ** 53n - 1n, { interface: 'Gi0/1 "uplink"\n\\' }),
        reading('siteward_cpu_usage_ratio', 0.1 + 0.2, { cpu: '0' }),
      ]),
    );
    await delivered(sink);

    const series = await server.samples('{site="acme-hq"}', at + 1000);
    expect(series).toHaveLength(2);
    expect(series).toContainEqual({
      metric: {
        __name__: 'siteward_interface_receive_bytes_total',
        client: 'ACME Ltd',
        device: 'sw-1',
        interface: 'Gi0/1 "uplink"\n\\',
        site: 'acme-hq',
      },
      values: [[at / 1000, '9007199254740991']],
    });
    expect(series).toContainEqual(expect.objectContaining({ values: [[at / 1000, '0.30000000000000004']] }));
  });

  test('shows a series no more once its device is silent, but what lasts stays', async () => {
    const server = await prometheus();
    const sink = await openSink(server.url);
    const at = Date.now() - 60_000;

    sink.accept(
      observation('mfp-1', at, [
        reading('siteward_cpu_usage_ratio', 0.5, { cpu: '0' }),
        reading('siteward_printer_meter_pages_total', 100n, { meter: 'total' }),
      ]),
    );
    sink.accept(observation('mfp-1', at + 30_000, [], { groups: [], evidence: { kind: 'silent' } }));
    await delivered(sink);

    const shown = async (time: number) =>
      (await server.query('{device="mfp-1"}', time)).map(({ metric }) => metric['__name__']).sort();
    expect(await shown(at + 29_000)).toEqual(['siteward_cpu_usage_ratio', 'siteward_printer_meter_pages_total']);
    expect(await shown(at + 31_000)).toEqual(['siteward_printer_meter_pages_total']);
  });

  test('refuses one sample behind its series: it is dropped and counted, all beside it are stored', async () => {
    const server = await prometheus();
    const sink = await openSink(server.url);
    const at = Date.now() - 60_000;
    const pages = (device: string, time: number) =>
      observation(device, time, [reading('siteward_printer_meter_pages_total', 1n, { meter: 'total' })]);
    sink.accept(pages('mfp-1', at + 10_000));
    await delivered(sink);

    for (let index = 2; index < 50; index++) sink.accept(pages(`mfp-${index}`, at));
    sink.accept(pages('mfp-1', at));
    await delivered(sink);

    expect(await server.samples('siteward_printer_meter_pages_total', Date.now())).toHaveLength(49);
    expect(sink.status()).toMatchObject({ written: 49, dropped: { out_of_order: 1 }, quarantined: 0, rejected: 1 });
  });

  test('takes the framing that needs no package', async () => {
    const server = await prometheus();
    const at = Date.now();
    const long = 'x'.repeat(200_000);
    const record = encodeSeries({
      labels: [
        ['__name__', 'siteward_device_up'],
        ['device', long],
      ],
      value: double(1),
      timestamp: at,
    });

    const response = await fetch(`${server.url}/api/v1/write`, {
      method: 'POST',
      headers: { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' },
      body: Buffer.from(literalSnappy(record)),
    });

    expect(response.status).toBe(204);
    expect((await server.samples('siteward_device_up', at + 1000))[0]?.metric['device']).toBe(long);
  });

  test('and a real victoria-metrics read 10,000 hostile names as one series each', async () => {
    const server = await prometheus();
    const victoria = await startVictoriaMetrics(await temporaryFolder());
    onTestFinished(() => victoria.stop());
    const random = seededRandom(11);
    const at = Date.now();
    const names = Array.from({ length: 10_000 }, () => hostileText(random));
    const encoder = new SeriesEncoder({ client: 'ACME Ltd', site: 'acme-hq' });
    const records = names.flatMap(
      (name, index) =>
        encoder.encode(observation(`dev-${index}`, at, [reading('siteward_interface_up', index, { interface: name })]))
          .records,
    );
    const body = Buffer.from(await snappy(Buffer.concat(records.map(({ bytes }) => bytes))));

    for (const { url } of [server, victoria]) {
      const headers = { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' };
      const { status } = await fetch(`${url}/api/v1/write`, { method: 'POST', headers, body });
      expect(status).toBe(204);
    }

    const byDevice = new Map(
      (await server.samples('{site="acme-hq"}', at + 1000)).map((one) => [one.metric['device'], one]),
    );
    expect(byDevice.size).toBe(10_000);
    for (const [index, name] of names.entries()) {
      const series = byDevice.get(`dev-${index}`);
      expect(series?.values).toEqual([[at / 1000, String(index)]]);
      expect(series?.metric['interface'] ?? '').toBe(name.toWellFormed());
    }
    const stored = await victoria.export('{site="acme-hq"}', 10_000);
    expect(stored).toHaveLength(10_000);
    expect(stored.every(({ metric, values }) => metric['device'] === `dev-${values[0]}`)).toBe(true);
  });
});

describe('records', () => {
  test('are cut where they were joined', () => {
    const record = fc
      .record({
        labels: fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.string({ maxLength: 300 })), { maxLength: 5 }),
        value: fc.double(),
        timestamp: fc.integer({ min: 0, max: 4_000_000_000_000 }),
      })
      .map(({ value, ...series }) => Buffer.from(encodeSeries({ ...series, value: double(value) })));

    fc.assert(
      fc.property(fc.array(record), (records) => {
        expect(SERIES.split(Buffer.concat(records)).map((bytes) => Buffer.from(bytes))).toEqual(records);
      }),
    );
  });

  test('are told apart by their series, whatever their sample is', () => {
    const record = (device: string, value: number, timestamp: number) =>
      SERIES.seriesOf(
        encodeSeries({
          labels: [
            ['__name__', 'up'],
            ['device', device],
          ],
          value: double(value),
          timestamp,
        }),
      );

    expect(record('a', 1, 5)).toBe(record('a', -2.5, 1_790_000_000_000));
    expect(record('a', 1, 5)).not.toBe(record('b', 1, 5));
  });

  test('are told in the words of Prometheus', () => {
    const labels = [
      ['__name__', 'siteward_device_up'],
      ['device', 'fw "1"'],
    ] as const;

    const record = encodeSeries({ labels, value: double(1.5), timestamp: 1_790_000_000_123 });

    expect(SERIES.describe(record)).toBe('siteward_device_up{device="fw \\"1\\""} 1.5 1790000000123');
  });

  test('of a group that no longer has a series end it with a stale marker, also when the device is forgotten', () => {
    const encoder = new SeriesEncoder({ client: 'c', site: 's' });
    const up = (names: readonly string[], at: number) =>
      encoder
        .encode(
          observation(
            'sw-1',
            at,
            names.map((name) => reading('siteward_interface_up', 1, { interface: name })),
          ),
        )
        .records.map(({ bytes }) =>
          /interface="(\w+)".* (\S+) \d+$/.exec(SERIES.describe(bytes))?.slice(1, 3).join(' '),
        );

    expect(up(['a', 'b'], 1)).toEqual(['a 1', 'b 1']);
    expect(up(['b'], 2)).toEqual(['b 1', 'a NaN']);
    expect(up(['b'], 3)).toEqual(['b 1']);
    expect(encoder.forget('sw-1', 4 as WallTime)).toHaveLength(1);
    expect(encoder.forget('sw-1', 5 as WallTime)).toHaveLength(0);
  });
});

test.each([
  [200, '', 'written'],
  [202, '', 'written'],
  [200, '<html>', 'held'],
  [400, 'out of order sample', 'refused'],
  [409, 'store locally: duplicate sample for timestamp', 'refused'],
  [400, 'label name invalid', 'refused'],
  [404, 'not found', 'held'],
  [401, '', 'held'],
  [429, '', 'unavailable'],
  [413, '', 'too-large'],
  [500, '', 'unavailable'],
  [500, 'out of bounds', 'refused'],
] as const)('%i %j means %s', (status, body, kind) => {
  expect(remoteWriteVerdict({ status, body, headers: {} }, false, 0)).toMatchObject({ kind });
});

test('samples behind themselves after a lost answer are stored already', () => {
  expect(remoteWriteVerdict({ status: 400, body: 'out of order sample', headers: {} }, true, 0)).toEqual({
    kind: 'written',
  });
});
