import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CATALOGUE, type CatalogueEntry } from '#collectors/catalogue.ts';
import { run as poll } from '#daemon/cli/poll.ts';
import type { CliIo } from '#daemon/cli/verb.ts';
import { Fleet, SHARED } from '../bench/processes.ts';
import { parseExposition, samplesOf, sampleValue, seriesKey } from '../support/exposition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type Influxd, startInfluxd } from '../support/influxd.ts';
import { type Prometheus, startPrometheus } from '../support/prometheus.ts';
import { CREDENTIALS, type ExpectedReading, startRecordedSite } from '../support/recorded-site.ts';
import { type RunningDaemon, startDaemon } from '../support/siteward.ts';
import { freeUdpPort } from '../support/snmpd.ts';

const POLLING = { availability: '5s', metrics: '15s' };
const DEAD = 'nobody-there';
const PROMETHEUS_ACCEPTS = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

type DeviceSettings = Readonly<Record<string, unknown>> & { readonly name: string };

interface Site extends AsyncDisposable {
  readonly daemon: RunningDaemon;
  readonly influxd: Influxd;
  readonly prometheus: Prometheus;
}

/** The daemon over these devices and one that is dead, a real influxd behind it and a real Prometheus in front of it. */
async function openSite(devices: readonly DeviceSettings[]): Promise<Site> {
  const open = new AsyncDisposableStack();
  onTestFinished(() => open.disposeAsync());
  const influxd = await startInfluxd(await temporaryFolder());
  open.defer(() => influxd.stop('SIGKILL'));
  const dead = {
    name: DEAD,
    address: '127.0.0.1',
    port: await freeUdpPort(),
    credentials: ['office'],
    checks: ['snmp'],
  };
  const daemon = await startDaemon({
    credentials: CREDENTIALS,
    polling: POLLING,
    devices: [...devices, dead],
    outputs: { influx: [{ name: 'central', url: influxd.url }] },
  });
  open.use(daemon);
  await daemon.metrics(`a profile of each of ${devices.length} devices`, (samples) => {
    const known = samplesOf(samples, 'siteward_device_info').filter(({ labels }) => labels.profile !== '');
    return known.length === devices.length || undefined;
  });
  const plain = await startPlainTextView(daemon);
  open.defer(plain.close);
  const job = (name: string, url: string) =>
    `{job_name: ${name}, scrape_interval: 4s, static_configs: [{targets: ['${new URL(url).host}']}]}`;
  const config = `scrape_configs: [${job('openmetrics', daemon.url)}, ${job('text', plain.url)}]\n`;
  const prometheus = await startPrometheus(await temporaryFolder(), config);
  open.defer(() => prometheus.stop());
  return { daemon, influxd, prometheus, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/** Prometheus asks for OpenMetrics wherever it can be had; behind this it only sees the older text. */
async function startPlainTextView(daemon: RunningDaemon): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((_request, response) => {
    void daemon.get('/metrics', { accept: 'text/plain' }).then(
      (text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text),
      () => response.destroy(),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** `siteward poll NAME --json`: the verb itself, in this process, for twenty times the start of one would take long. */
async function polled(daemon: RunningDaemon, device: string): Promise<readonly ExpectedReading[]> {
  const said = { out: '', err: '' };
  const io: CliIo = {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    isTerminal: false,
    env: {},
    signal: new AbortController().signal,
  };
  const code = await poll(io, [device], { config: daemon.configFile, json: true });
  expect(said.err).toBe('');
  expect(code, said.out).toBe(0);
  return (JSON.parse(said.out) as { readings: readonly ExpectedReading[] }).readings;
}

/** Read from TimeTicks, which the farm of agents lets go on between the poll of the daemon and that of the command line. */
const MOVING = new Set(['siteward_device_uptime_seconds', 'siteward_ups_battery_runtime_seconds']);

function expectSame(metric: string, held: number | undefined, polledNow: number, what: string): void {
  if (held === undefined || !MOVING.has(metric)) {
    expect(held, what).toBe(polledNow);
    return;
  }
  expect(held, what).toBeLessThanOrEqual(polledNow);
  expect(held, what).toBeGreaterThan(polledNow - 120);
}

/** Values by what names them, the same for all three ends. */
type Values = ReadonlyMap<string, number>;

const keyOf = (metric: string, labels: Readonly<Record<string, string>>) =>
  seriesKey({ name: metric, labels: Object.fromEntries(Object.entries(labels).filter(([, text]) => text !== '')) });

/** What Prometheus holds of a device by one of its two ways of scraping. */
async function inPrometheus({ prometheus }: Site, job: string, device: string): Promise<Values> {
  const found = await prometheus.query(`last_over_time({device="${device}",job="${job}"}[2m])`, Date.now());
  return new Map(
    found.map(({ metric: { __name__ = '', job: _job, instance: _instance, ...labels }, value: [, text] }) => [
      keyOf(__name__, labels),
      Number(text),
    ]),
  );
}

/** What line protocol cannot carry is written otherwise; see the reference of the InfluxDB output. */
const asTag = (text: string) => text.replaceAll('\\', '/').replace(/\p{Cc}/gu, ' ');

/** The last value of every field of a device, by the names of the metrics. */
async function inInflux({ influxd }: Site, device: string, readings: readonly ExpectedReading[]): Promise<Values> {
  const values = new Map<string, number>();
  const entries = new Map(
    readings.map(({ metric }) => [metric, (CATALOGUE as Readonly<Record<string, CatalogueEntry>>)[metric]] as const),
  );
  for (const [metric, entry] of entries) {
    if (!entry) throw new Error(`${metric} is not in the catalogue`);
    const { measurement, field } = entry.influx;
    const rows = await influxd.query(
      `SELECT last("${field}") AS "value" FROM "${measurement}" WHERE "device"='${device}' GROUP BY *`,
    );
    for (const row of rows) {
      const tags = Object.fromEntries(['device', ...entry.labels].map((label) => [label, String(row[label] ?? '')]));
      values.set(keyOf(metric, tags), Number(row.value));
    }
  }
  return values;
}

/** @returns how many readings were compared */
async function expectSameEverywhere(site: Site, device: string): Promise<number> {
  const readings = await polled(site.daemon, device);

  for (const job of ['openmetrics', 'text']) {
    const held = await inPrometheus(site, job, device);
    for (const { metric, labels, value } of readings) {
      const key = keyOf(metric, { device, ...labels });
      expectSame(metric, held.get(key), Number(value), `${job} of ${device}: ${key}`);
    }
  }
  const written = await inInflux(site, device, readings);
  for (const { metric, labels, value } of readings) {
    const tags = Object.fromEntries(Object.entries({ device, ...labels }).map(([name, text]) => [name, asTag(text)]));
    expectSame(
      metric,
      written.get(keyOf(metric, tags)),
      Number(value),
      `influxd of ${device}: ${metric} ${JSON.stringify(labels)}`,
    );
  }
  return readings.length;
}

/** What `promtool check metrics` says of a text; nothing when it is content. */
async function promtool(text: string): Promise<string> {
  const child = spawn('promtool', ['check', 'metrics'], { stdio: 'pipe' });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      said += chunk;
    });
  }
  child.stdin.end(text);
  await once(child, 'close');
  return said;
}

async function expectSoundSite(site: Site, devices: readonly string[]): Promise<void> {
  const { daemon, prometheus, influxd } = site;
  await daemon.metrics(
    'that the dead device does not answer',
    (now) => sampleValue(now, 'siteward_probe_success', { device: DEAD, probe: 'snmp' }) === 0 || undefined,
  );
  const text = await daemon.get('/metrics');
  expect(await promtool(text)).toBe('');
  const negotiated = await fetch(`${daemon.url}/metrics`, { headers: { accept: PROMETHEUS_ACCEPTS } });
  expect(negotiated.headers.get('content-type')).toContain('application/openmetrics-text');
  expect(await negotiated.text()).toMatch(/\n# EOF\n$/);
  const samples = parseExposition(text);
  const keys = samples.map(seriesKey);
  expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
  expect(samples.filter(({ value }) => Number.isNaN(value))).toEqual([]);

  const end = performance.now() + 60_000;
  let scraped = 0;
  while (scraped < 2 && performance.now() < end) {
    const up = await prometheus.query('count(up == 1)', Date.now());
    scraped = Number(up[0]?.value[1] ?? 0);
  }
  expect(scraped).toBe(2);
  await daemon.metrics('all points at influxd', (now) => sampleValue(now, 'siteward_spool_points') === 0 || undefined);
  await expect(influxd.query('SHOW SERIES CARDINALITY')).resolves.not.toEqual([]);

  // A recording may hold no more than who the device is; twenty of them hold hundreds of values.
  let compared = 0;
  for (const device of devices) compared += await expectSameEverywhere(site, device);
  expect(compared).toBeGreaterThan(300);
  const dead = await prometheus.query(
    `siteward_probe_success{device="${DEAD}",probe="snmp",job="openmetrics"}`,
    Date.now(),
  );
  expect(dead.map(({ value }) => value[1])).toEqual(['0']);
}

test('twenty recorded devices have the same values in Prometheus, in InfluxDB and in poll, and those of their recordings', async () => {
  await using recorded = await startRecordedSite();
  const settings = recorded.settings as readonly DeviceSettings[];

  const site = await openSite(settings);

  await expectSoundSite(
    site,
    settings.map(({ name }) => name),
  );
  for (const { recording, expected } of recorded.devices) {
    const samples = samplesOf(await site.daemon.scrape(), 'siteward_device_info', { device: recording });
    const facts = Object.entries(expected.device).map(([name, text]) => [name, text ?? '']);
    expect(samples[0]?.labels).toMatchObject(Object.fromEntries(facts));
    const held = await inPrometheus(site, 'openmetrics', recording);
    for (const { metric, labels, value } of expected.readings) {
      expect(
        held.get(keyOf(metric, { device: recording, ...labels })),
        `${recording}: ${metric} ${JSON.stringify(labels)}`,
      ).toBe(Number(value));
    }
  }
}, 300_000);

const present = existsSync(join(SHARED, 'devices/recordings')) && existsSync(join(SHARED, 'bench/fleet.c'));
if (!present) {
  console.warn(`SKIPPED: ${SHARED} with its recorded devices is not there; twenty synthetic ones stand for them`);
}

describe.skipIf(!present)('over recordings of real devices', () => {
  test('twenty of them have the same values in Prometheus, in InfluxDB and in poll', async () => {
    const rows = readFileSync(join(SHARED, 'devices/INDEX.tsv'), 'utf8').trim().split('\n').slice(1);
    const whole = rows
      .map((row) => row.split('\t'))
      .flatMap(([name = '', category = '']) => (category.includes('fragment') ? [] : [{ name, category }]));
    const step = whole.length / 20;
    const chosen = Array.from({ length: 20 }, (_, index) => whole[Math.floor(index * step)]?.name ?? '');
    const port = await freeUdpPort();
    const address = (index: number) => `127.6.0.${index + 1}`;
    const fleet = new Fleet(
      port,
      chosen.map((name, index) => `${join(SHARED, 'devices/recordings', name)}.snmprec=${address(index)}`),
    );
    onTestFinished(() => fleet.stop());

    const settings = chosen.map((name, index) => ({
      name: name.slice(0, 60),
      address: address(index),
      port,
      credentials: ['office'],
      checks: ['snmp'],
    }));
    const site = await openSite(settings);

    await expectSoundSite(
      site,
      settings.map(({ name }) => name),
    );
  }, 300_000);
});
