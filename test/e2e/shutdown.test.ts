import { existsSync, readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CATALOGUE } from '#collectors/catalogue.ts';
import { parseRecording } from '#collectors/snmp/recording.ts';
import { type Sample, samplesOf, sampleValue } from '../support/exposition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { everGrowing } from '../support/hostile-agent.ts';
import { startInfluxd } from '../support/influxd.ts';
import { parseLine } from '../support/line-parser.ts';
import { startMibAgent } from '../support/mib-agent.ts';
import { freePort } from '../support/process.ts';
import { processesWith, zombies } from '../support/process-list.ts';
import { COMMUNITY, CREDENTIALS, startRecordedSite } from '../support/recorded-site.ts';
import { ROOT, startDaemon } from '../support/siteward.ts';
import { SYS } from '../support/snmp.ts';
import { freeUdpPort } from '../support/snmpd.ts';
import { listenBefore } from '../support/tap.ts';

const outcome = (samples: readonly Sample[], what: string) =>
  sampleValue(samples, 'siteward_output_points_total', { output: 'central', outcome: what }) ?? 0;

test('SIGTERM under load ends it within 10 s, and after a restart every point that it had taken is in InfluxDB, once', async () => {
  await using site = await startRecordedSite();
  // A walk without an end and ten devices that nobody answers for: polls that are under way whenever the signal comes.
  const endless = await startMibAgent({
    community: COMMUNITY,
    varbinds: new Map([[SYS.objectId, { type: 'oid', value: '1.3.6.1.4.1.8072.3.2.10' }]]),
    behave: everGrowing('1.3.6.1.2.1.2.2.1.2', 200),
  });
  onTestFinished(() => endless.stop());
  const dead = await freeUdpPort();
  const extra = { credentials: ['office'], checks: ['snmp'] };
  // InfluxDB is away at first: all points have to be on disk.
  const http = await freePort();
  const config = {
    credentials: CREDENTIALS,
    polling: { availability: '5s', metrics: '15s', inventory: '1m' },
    devices: [
      ...site.settings,
      { ...extra, name: 'endless', address: endless.address, port: endless.port },
      ...Array.from({ length: 10 }, (_, n) => ({
        ...extra,
        name: `dead-${n}`,
        address: `127.0.9.${n + 1}`,
        port: dead,
      })),
    ],
    outputs: { influx: [{ name: 'central', url: `http://127.0.0.1:${http}` }] },
  };
  const folder = await temporaryFolder();
  await using first = await startDaemon(config, { folder });
  const before = await first.metrics('points of twenty devices in the spool', (samples) => {
    const read = samplesOf(samples, 'siteward_device_info').filter(({ labels }) => labels.profile !== '');
    const kept = sampleValue(samples, 'siteward_spool_points', { output: 'central' }) ?? 0;
    return read.length >= 20 && kept >= 500 ? samples : undefined;
  });
  const acknowledged = sampleValue(before, 'siteward_spool_points', { output: 'central' }) ?? 0;

  const ended = await first.stop('SIGTERM');

  expect(ended).toMatchObject({ code: 0, signal: null });
  expect(ended.seconds).toBeLessThan(10);
  expect(first.log.at(-1)?.message).toBe('siteward has stopped');

  const influxd = await startInfluxd(await temporaryFolder());
  onTestFinished(() => influxd.stop('SIGKILL'));
  const lines = await listenBefore(influxd.url, http);
  // Nobody is asked any more, so that the count stands still: what comes now is what was kept.
  await using second = await startDaemon({ ...config, devices: [] }, { folder });
  const after = await second.metrics(
    'an empty spool',
    (samples) =>
      sampleValue(samples, 'siteward_spool_points', { output: 'central' }) === 0 &&
      outcome(samples, 'written') >= acknowledged
        ? samples
        : undefined,
    60_000,
  );
  expect(outcome(after, 'dropped')).toBe(0);
  expect(outcome(after, 'rejected')).toBe(0);

  // A row is one series at one time: what a printer counts and what of it is billed are two lines and one row of two
  // fields. No field is there twice.
  const points = new Set<string>();
  const fields: string[] = [];
  for (const { measurement, tags, timestamp, fields: values } of lines.map(parseLine)) {
    const sorted = Object.entries(tags).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const point = JSON.stringify([measurement, sorted, String(timestamp)]);
    points.add(point);
    fields.push(...Object.keys(values).map((field) => `${point} ${field}`));
  }
  expect(fields.filter((field, index) => fields.indexOf(field) !== index)).toEqual([]);
  let rows = 0;
  for (const measurement of new Set(Object.values(CATALOGUE).map(({ influx }) => influx.measurement)))
    rows += (await influxd.query(`SELECT * FROM "${measurement}" GROUP BY *`)).length;
  expect(lines.length).toBeGreaterThanOrEqual(outcome(after, 'written'));
  expect(rows).toBe(points.size);
}, 300_000);

// What nmap is at its worst: deaf to TERM, and not alone.
const DEAF = `#!/bin/sh
trap '' TERM INT HUP
while :; do sleep 1; done &
while :; do sleep 1; done
`;

test.each([
  ['the real nmap', undefined],
  ['an nmap that is deaf to SIGTERM and has a child', DEAF],
])(
  'SIGTERM amid a scan by %s, a poll and a delivery: it ends within 10 s, nothing runs on, and nothing is lost',
  async (_, standIn) => {
    const path = await temporaryFolder();
    if (standIn) {
      await writeFile(join(path, 'nmap'), standIn);
      await chmod(join(path, 'nmap'), 0o755);
    }
    // In one range a printer that is adopted; in the other sixty addresses that nmap is asked about.
    const { varbinds } = parseRecording(readFileSync(join(ROOT, 'test/profiles/recordings/ricoh.snmprec'), 'utf8'));
    await using printer = await startMibAgent({ community: COMMUNITY, varbinds, address: '127.44.1.1' });
    await using endless = await startMibAgent({
      community: COMMUNITY,
      varbinds: new Map([[SYS.objectId, { type: 'oid', value: '1.3.6.1.4.1.8072.3.2.10' }]]),
      behave: everGrowing('1.3.6.1.2.1.2.2.1.2', 200),
    });
    // Takes the connection, and never answers: a delivery is under way from the first batch on.
    const mute = createServer().listen(0, '127.0.0.1');
    const delivered = new Promise((resolve) => void mute.once('connection', resolve));
    onTestFinished(() => void mute.close());
    await new Promise((resolve) => void mute.once('listening', resolve));
    const http = (mute.address() as { port: number }).port;
    const range = { credentials: ['office'], adopt: 'yes', port: printer.port };
    const config = {
      credentials: CREDENTIALS,
      polling: { availability: '5s', metrics: '15s', inventory: '1m' },
      devices: [
        { name: 'endless', address: endless.address, port: endless.port, credentials: ['office'], checks: ['snmp'] },
      ],
      discovery: {
        ranges: [
          { ...range, range: '127.44.1.0/30' },
          { ...range, range: '127.44.2.0/26', nmap: true, max_packets_per_second: 100 },
        ],
      },
      outputs: { influx: [{ name: 'central', url: `http://127.0.0.1:${http}` }] },
    };
    const folder = await temporaryFolder();
    await using first = await startDaemon(config, {
      folder,
      env: { ...process.env, PATH: `${path}:${process.env['PATH']}` },
    });
    const before = await first.metrics('readings of the printer in the spool', (samples) => {
      const found = samplesOf(samples, 'siteward_device_info').find(({ labels }) => labels.class === 'printer');
      const kept = sampleValue(samples, 'siteward_spool_points', { output: 'central' }) ?? 0;
      return found && kept > 20 ? { name: found.labels.device, kept } : undefined;
    });
    await delivered;
    // Other tests may have an nmap of their own.
    const scanning = '127.44.2.1 127.44.2.2 ';
    await expect.poll(() => processesWith(scanning), { timeout: 60_000 }).not.toEqual([]);
    const children = readFileSync(`/proc/${first.pid}/task/${first.pid}/children`, 'utf8').trim().split(' ');

    const ended = await first.stop('SIGTERM');

    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(ended.seconds).toBeLessThan(10);
    expect(first.log.at(-1)?.message).toBe('siteward has stopped');
    expect(children).not.toEqual(['']);
    expect(children.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    for (const left of [scanning, folder]) expect(await processesWith(left)).toEqual([]);
    expect(await zombies()).toEqual([]);

    mute.close();
    const influxd = await startInfluxd(await temporaryFolder());
    onTestFinished(() => influxd.stop('SIGKILL'));
    await listenBefore(influxd.url, http);
    await using second = await startDaemon({ ...config, devices: [], discovery: {} }, { folder });
    const after = await second.metrics(
      'what was kept, in InfluxDB',
      (samples) => (outcome(samples, 'written') >= before.kept ? samples : undefined),
      60_000,
    );
    expect(outcome(after, 'dropped') + outcome(after, 'rejected')).toBe(0);
    expect(samplesOf(after, 'siteward_device_info').map(({ labels }) => labels.device)).toContain(before.name);
  },
  300_000,
);
