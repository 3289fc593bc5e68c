/** `siteward backup` of a daemon at work, and `siteward restore` on another box: the ledger holds, delivery goes on. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Sample, sampleValue } from '../support/exposition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startInfluxd } from '../support/influxd.ts';
import { parseLine } from '../support/line-parser.ts';
import { freePort } from '../support/process.ts';
import { CREDENTIALS, startRecordedSite } from '../support/recorded-site.ts';
import { siteward, startDaemon, writeConfig } from '../support/siteward.ts';
import { listenBefore } from '../support/tap.ts';

const central = (samples: readonly Sample[], name: string, labels = {}) =>
  sampleValue(samples, name, { output: 'central', ...labels }) ?? 0;
const pending = (samples: readonly Sample[]) => central(samples, 'siteward_spool_points');
const written = (samples: readonly Sample[]) =>
  central(samples, 'siteward_output_points_total', { outcome: 'written' });
const produced = (samples: readonly Sample[]) => central(samples, 'siteward_output_points_produced_total');
const sent = (samples: readonly Sample[]) =>
  sampleValue(samples, 'siteward_icmp_packets_sent_total', { device: 'itself' }) ?? 0;

test('a copy of a daemon at work goes on where it was: verify holds, no point is missing and none is sent twice', async () => {
  await using site = await startRecordedSite();
  const [database, port] = [await temporaryFolder(), await freePort()];
  let influxd = await startInfluxd(database);
  onTestFinished(() => influxd.stop('SIGKILL'));
  const itsPort = Number(new URL(influxd.url).port);
  const lines = await listenBefore(influxd.url, port);
  const config = {
    credentials: CREDENTIALS,
    polling: { availability: '5s', metrics: '15s' },
    devices: [...site.settings, { name: 'itself', address: '127.0.0.1', checks: ['icmp'] }],
    outputs: { influx: [{ name: 'central', url: `http://127.0.0.1:${port}` }] },
  };
  const file = join(await temporaryFolder(), 'backup.tar.gz');
  const there = await temporaryFolder();
  const other = join(there, 'siteward.yaml');

  await using first = await startDaemon(config);
  await first.metrics('points at influxd', (now) => (written(now) > 100 && pending(now) === 0) || undefined);
  await influxd.stop('SIGKILL');
  const before = await first.metrics('points that wait', (now) => (pending(now) > 300 ? now : undefined));
  const backup = await siteward(['backup', file, '--config', first.configFile]);
  await first.stop('SIGKILL');
  await mkdir(there, { recursive: true });
  await writeConfig(other, config);
  const restore = await siteward(['restore', file, '--config', other]);
  const verify = await siteward(['verify', '--json', '--config', other]);

  expect(backup).toMatchObject({ code: 0, stderr: '' });
  expect(restore).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('ledger.db, spool.db') });
  expect(verify.code, verify.stdout).toBe(0);
  expect(JSON.parse(verify.stdout)).toMatchObject({ ok: true, faults: [] });

  influxd = await startInfluxd(database, itsPort);
  await using second = await startDaemon(config, { folder: there });
  const after = await second.metrics('an empty spool and new points', (now) =>
    pending(now) === 0 && sent(now) >= 6 ? now : undefined,
  );
  await second.stop('SIGTERM');

  expect(produced(after)).toBeGreaterThan(produced(before));
  expect(written(after)).toBe(produced(after));
  expect(lines.filter((line, index) => lines.indexOf(line) !== index)).toEqual([]);
  // Three echo requests a round, counted from each start: a round that is missing is a step of six.
  const rounds = (await influxd.query(`SELECT packets_sent FROM "icmp" WHERE device = 'itself'`)).map((row) =>
    Number(row['packets_sent']),
  );
  const restart = rounds.indexOf(3, 1);
  const [earlier, later] = [rounds.slice(0, restart), rounds.slice(restart)];
  expect(earlier).toEqual(earlier.map((_, index) => 3 * (index + 1)));
  expect(later).toEqual(later.map((_, index) => 3 * (index + 1)));
  expect(earlier.at(-1)).toBeGreaterThanOrEqual(sent(before));
  expect(later.length).toBeGreaterThanOrEqual(2);
  // And whatever was ever taken from it is there.
  const switches = lines.map(parseLine).filter(({ measurement }) => measurement === 'interface');
  expect((await influxd.query('SELECT * FROM "interface" GROUP BY *')).length).toBe(
    new Set(switches.map(({ tags, timestamp }) => JSON.stringify([Object.entries(tags).sort(), String(timestamp)])))
      .size,
  );
}, 300_000);
