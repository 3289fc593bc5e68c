import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '#daemon/clock.ts';
import { authorization, influxVerdict, writePath } from '#daemon/influx/dialects.ts';
import { openInfluxSink } from '#daemon/sinks/influx.ts';
import type { SpooledOutput } from '#daemon/spool/spooled-sink.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startInflux2, startInflux3 } from '../../support/influx-fakes.ts';
import { startInfluxd } from '../../support/influxd.ts';
import { observation, reading } from '../../support/observations.ts';
import { influxSettings } from '../../support/output-settings.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { missing, startSpool } from '../../support/spool.ts';
import { startVictoriaMetrics } from '../../support/victoria-metrics.ts';

/** A busy machine takes its time. */
const SOON = { timeout: 15_000 };

const AT = Date.now();

async function openSink(settings: { url: string } & Record<string, unknown>): Promise<SpooledOutput> {
  const { spool } = await startSpool();
  const sink = await openInfluxSink({
    settings: influxSettings(settings),
    site: { id: 'acme-hq', client: 'ACME Ltd' },
    spool,
    log: recordingLogger(),
    clock: systemClock,
  });
  onTestFinished(() => sink.close());
  return sink;
}

async function delivered(sink: SpooledOutput): Promise<void> {
  await expect.poll(() => sink.status().pending + Math.abs(missing(sink)), { timeout: 20_000, interval: 20 }).toBe(0);
}

const switchAt = (at: number) =>
  observation('sw-1', at, [
    reading('siteward_interface_receive_bytes_total', 9_007_199_254_740_993n, { interface: 'Gi0/1, "x" = \\' }),
    reading('siteward_cpu_usage_ratio', 0.1 + 0.2, { cpu: '0' }),
  ]);

describe('where and how each is written to', () => {
  const url = 'http://influx.example:8086';

  test.each([
    [{ retention_policy: 'year' }, '/write?db=siteward&rp=year&precision=ms'],
    [{ precision: 's' }, '/write?db=siteward&precision=s'],
    [{ dialect: 'influx2', organization: 'a b' }, '/api/v2/write?org=a+b&bucket=siteward&precision=ms'],
    [{ dialect: 'influx3' }, '/api/v3/write_lp?db=siteward&precision=millisecond&accept_partial=true&no_sync=false'],
    [
      { dialect: 'influx3', precision: 's' },
      '/api/v3/write_lp?db=siteward&precision=second&accept_partial=true&no_sync=false',
    ],
    [{ dialect: 'victoriametrics' }, '/write?db=siteward&precision=ms'],
    [{ dialect: 'victoriametrics', tenant: '12:3' }, '/insert/12%3A3/influx/write?db=siteward&precision=ms'],
  ])('%j', (settings, path) => {
    expect(writePath(influxSettings({ url, ...settings }))).toBe(path);
  });

  test.each([
    [{}, undefined],
    [{ user: 'u', password: 'p' }, 'Basic dTpw'],
    [{ token: 't' }, 'Token t'],
    [{ dialect: 'influx2', token: 't' }, 'Token t'],
    [{ dialect: 'influx3', token: 't' }, 'Bearer t'],
    [{ dialect: 'victoriametrics', token: 't' }, 'Bearer t'],
  ])('%j is told by %s', (settings, header) => {
    expect(authorization(influxSettings({ url, ...settings }))['authorization']).toBe(header);
  });

  test('a path before them is kept', async () => {
    const influxd = await startInfluxd(await temporaryFolder());
    onTestFinished(() => influxd.stop('SIGKILL'));
    const sink = await openSink({ url: `${influxd.url}/` });

    sink.accept(switchAt(AT));
    await delivered(sink);

    expect(await influxd.query('SELECT count(receive_bytes) FROM "interface"')).toMatchObject([{ count: 1 }]);
  });
});

describe('strict fakes, made from what is documented', () => {
  test('InfluxDB 2 takes what siteward writes, and loses nothing beside a line of another type', async () => {
    const fake = await startInflux2('acme', 'siteward', 'secret');
    const sink = await openSink({ url: fake.url, dialect: 'influx2', organization: 'acme', token: 'secret' });
    const response = await fetch(`${fake.url}/api/v2/write?org=acme&bucket=siteward&precision=ms`, {
      method: 'POST',
      headers: { authorization: 'Token secret', 'content-encoding': 'gzip', 'content-type': 'text/plain' },
      body: await gzipped(`cpu,cpu=x usage_ratio=1i ${AT}\n`),
    });

    sink.accept(switchAt(AT));
    await delivered(sink);

    expect(response.status).toBe(204);
    expect([...fake.points.values()]).toContain(9_007_199_254_740_993n);
    expect(sink.status()).toMatchObject({ written: 1, quarantined: 1 });
  });

  test('InfluxDB 3 takes what siteward writes, and lists what it does not', async () => {
    const fake = await startInflux3('siteward', 'secret');
    const sink = await openSink({ url: fake.url, dialect: 'influx3', token: 'secret' });

    sink.accept(switchAt(AT));
    await delivered(sink);

    expect([...fake.points.entries()]).toEqual([
      [
        `interface client=ACME Ltd device=sw-1 interface=Gi0/1, "x" = / site=acme-hq ${AT} receive_bytes`,
        9_007_199_254_740_993n,
      ],
      [`cpu client=ACME Ltd cpu=0 device=sw-1 site=acme-hq ${AT} usage_ratio`, 0.1 + 0.2],
    ]);
    expect(sink.status()).toMatchObject({ written: 2, quarantined: 0 });
  });

  test('a wrong token is held by both', async () => {
    const [two, three] = [await startInflux2('acme', 'siteward', 'secret'), await startInflux3('siteward', 'secret')];
    const sinks = await Promise.all([
      openSink({ url: two.url, dialect: 'influx2', organization: 'acme', token: 'wrong' }),
      openSink({ url: three.url, dialect: 'influx3', token: 'wrong' }),
    ]);

    for (const sink of sinks) sink.accept(switchAt(AT));

    for (const sink of sinks) await expect.poll(() => sink.status().delivery.kind, SOON).toBe('held');
    expect(sinks.map((sink) => sink.status().pending)).toEqual([2, 2]);
  });
});

async function gzipped(text: string): Promise<Buffer> {
  const { gzipSync } = await import('node:zlib');
  return gzipSync(text);
}

describe('real receivers', () => {
  test('a real influxd refuses a field of another type, and keeps all others', async () => {
    const influxd = await startInfluxd(await temporaryFolder());
    onTestFinished(() => influxd.stop('SIGKILL'));
    await influxd.query('CREATE DATABASE siteward');
    await fetch(`${influxd.url}/write?db=siteward&precision=ms`, {
      method: 'POST',
      body: `cpu,cpu=0 usage_ratio=1i ${AT}`,
    });
    const sink = await openSink({ url: influxd.url });

    sink.accept(switchAt(AT));
    await delivered(sink);

    expect(sink.status()).toMatchObject({ written: 1, quarantined: 1, rejected: 1 });
    expect(await influxd.query('SELECT count(receive_bytes) FROM "interface"')).toMatchObject([{ count: 1 }]);
  });

  test('a real influxd drops what is beyond its retention, which is counted', async () => {
    const influxd = await startInfluxd(await temporaryFolder());
    onTestFinished(() => influxd.stop('SIGKILL'));
    await influxd.query('CREATE DATABASE siteward WITH DURATION 2h');
    const sink = await openSink({ url: influxd.url });

    sink.accept(switchAt(AT - 86_400_000));
    sink.accept(switchAt(AT));
    await delivered(sink);

    expect(sink.status()).toMatchObject({ written: 2, rejected: 2, dropped: { beyond_retention: 2 }, quarantined: 0 });
  });

  test('a real influxd without the retention policy holds the output; it is made where siteward may', async () => {
    const influxd = await startInfluxd(await temporaryFolder());
    onTestFinished(() => influxd.stop('SIGKILL'));
    await influxd.query('CREATE DATABASE siteward');
    const held = await openSink({ url: influxd.url, retention_policy: 'year', create_database: false });
    held.accept(switchAt(AT));
    await expect
      .poll(() => held.status().delivery, SOON)
      .toMatchObject({ kind: 'held', message: /retention policy not found/ });

    const sink = await openSink({ url: influxd.url, retention_policy: 'year', retention: '365d' });
    sink.accept(switchAt(AT));
    await delivered(sink);

    expect(await influxd.query('SHOW RETENTION POLICIES')).toContainEqual(
      expect.objectContaining({ name: 'year', duration: '8760h0m0s', default: false }),
    );
  });

  test('a whole spool sent twice counts once on influxd, and once on VictoriaMetrics that deduplicates', async () => {
    const influxd = await startInfluxd(await temporaryFolder());
    const victoria = await startVictoriaMetrics(await temporaryFolder(), ['-dedup.minScrapeInterval=1ms']);
    onTestFinished(() => influxd.stop('SIGKILL'));
    onTestFinished(() => victoria.stop('SIGKILL'));
    const sinks = await Promise.all([
      openSink({ url: influxd.url }),
      openSink({ url: influxd.url }),
      openSink({ url: victoria.url, dialect: 'victoriametrics' }),
      openSink({ url: victoria.url, dialect: 'victoriametrics' }),
    ]);

    for (let minute = 0; minute < 5; minute++) for (const sink of sinks) sink.accept(switchAt(AT - minute * 60_000));
    for (const sink of sinks) await delivered(sink);

    expect(await influxd.query('SELECT count(receive_bytes) FROM "interface"')).toMatchObject([{ count: 5 }]);
    const count = new URLSearchParams({
      query: 'count_over_time(interface_receive_bytes[1h])',
      time: String(AT / 1000 + 1),
    });
    await victoria.flush(5);
    const answer = await (await fetch(`${victoria.url}/api/v1/query?${count}`)).json();
    expect(answer).toMatchObject({ data: { result: [{ value: [expect.anything(), '5'] }] } });
  });
});

test.each([
  [204, '', 'written'],
  [200, '', 'held'],
  [200, '<html>', 'held'],
  [400, '{"error":"engine: partial write"}', 'refused'],
  [401, '', 'held'],
  [404, '{"error":"database not found: \\"x\\""}', 'held'],
  [413, '', 'too-large'],
  [415, '', 'uncompressed'],
  [418, '', 'refused'],
  [500, '{"error":"retention policy not found: x"}', 'held'],
  [500, '{"error":"timeout"}', 'unavailable'],
  [503, '', 'unavailable'],
  [301, '', 'held'],
] as const)('InfluxDB 1 with %i %s means %s', (status, body, kind) => {
  expect(influxVerdict('influx1', { status, body, headers: {} }, [], 0)).toMatchObject({ kind });
});
