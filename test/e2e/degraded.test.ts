import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { samplesOf, sampleValue } from '../support/exposition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startInfluxd } from '../support/influxd.ts';
import { freePort } from '../support/process.ts';
import { CREDENTIALS, startRecordedSite } from '../support/recorded-site.ts';
import { startDaemon } from '../support/siteward.ts';

/** A command line under which `script` changes the mounts of what it then becomes, and of nothing else. */
function inOwnMounts(script: string): string[] {
  const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  return ['unshare', ...asRoot, '--mount', 'sh', '-c', `set -e; ${script}; exec "$0" "$@"`];
}

const TOOLS = ['fping', 'fping6', 'ping', 'ping6'];
const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

test('without fping and ping devices are unknown, never down, and it is said what is missing', async () => {
  const there = FOLDERS.flatMap((folder) => TOOLS.map((tool) => join(folder, tool))).filter((path) => existsSync(path));
  const hidden = there.map((path) => `mount --bind /dev/null ${path}`).join('; ');
  await using daemon = await startDaemon(
    {
      polling: { availability: '5s' },
      devices: [
        { name: 'here', address: '127.0.0.1', checks: ['icmp'] },
        { name: 'gone', address: '127.99.99.99', checks: ['icmp'] },
      ],
    },
    { through: inOwnMounts(hidden || 'true') },
  );

  const samples = await daemon.metrics('three rounds that could not tell', (now) => {
    const failures = samplesOf(now, 'siteward_poll_failures_total', { collector: 'icmp' });
    return failures.reduce((sum, { value }) => sum + value, 0) >= 6 ? now : undefined;
  });

  for (const device of ['here', 'gone']) {
    expect(sampleValue(samples, 'siteward_device_state', { device, state: 'unknown' })).toBe(1);
    expect(sampleValue(samples, 'siteward_device_state', { device, state: 'down' })).toBe(0);
    expect(sampleValue(samples, 'siteward_device_up', { device })).toBeUndefined();
    expect(sampleValue(samples, 'siteward_probe_success', { device, probe: 'icmp' })).toBeUndefined();
  }
  expect(daemon.log.filter(({ to }) => to === 'down')).toEqual([]);
  const device = JSON.parse(await daemon.get('/api/v1/devices/here')) as { problems: { code: string; hint: string }[] };
  const told = [...daemon.log.map((line) => JSON.stringify(line)), JSON.stringify(device.problems)];
  expect(told.filter((text) => /fping/.test(text)).length, told.join('\n')).toBeGreaterThan(0);
}, 300_000);

test('while InfluxDB is away points wait in the spool, polling goes on, and both ends are said; then all of them come', async () => {
  await using site = await startRecordedSite(['fortinet-fortigate', 'kyocera', 'apc-ups']);
  const port = await freePort();
  await using daemon = await startDaemon({
    credentials: CREDENTIALS,
    polling: { availability: '5s', metrics: '15s' },
    devices: site.settings,
    outputs: { influx: [{ name: 'central', url: `http://127.0.0.1:${port}` }] },
  });

  const line = await daemon.logged('that it is away', ({ message }) => /stay in the spool/.test(message));
  expect(line).toMatchObject({ level: 'warn', output: 'central' });
  await daemon.metrics('waiting points of all three', (samples) => {
    const waiting = sampleValue(samples, 'siteward_spool_points', { output: 'central' }) ?? 0;
    const up = samplesOf(samples, 'siteward_device_state', { state: 'up' }).filter(({ value }) => value === 1);
    return (waiting > 100 && up.length === 3) || undefined;
  });
  expect(daemon.log.filter(({ message }) => /stay in the spool/.test(message))).toHaveLength(1);

  const influxd = await startInfluxd(await temporaryFolder(), port);
  onTestFinished(() => influxd.stop('SIGKILL'));
  await daemon.logged('that it is back', ({ message }) => message === 'the receiver takes points', 60_000);
  await daemon.metrics(
    'an empty spool',
    (samples) => {
      return sampleValue(samples, 'siteward_spool_points', { output: 'central' }) === 0 || undefined;
    },
    60_000,
  );
  const [row] = await influxd.query(
    `SELECT last("pages") AS pages FROM printer_meter WHERE device='kyocera' AND meter='total'`,
  );
  expect(row?.pages).toBe(6000);
}, 300_000);

test('on a full disk it is said, polling and states go on, and after space is back it writes again', async () => {
  await using site = await startRecordedSite(['fortinet-fortigate', 'kyocera', 'apc-ups']);
  const folder = await temporaryFolder();
  const disk = join(await temporaryFolder(), '.');
  await using daemon = await startDaemon(
    {
      credentials: CREDENTIALS,
      storage: { directory: join(disk, 'data'), free_floor: '1MB' },
      polling: { availability: '5s', metrics: '15s' },
      devices: site.settings,
      outputs: { influx: [{ name: 'central', url: `http://127.0.0.1:${await freePort()}` }] },
    },
    { folder, through: inOwnMounts(`mount -t tmpfs -o size=48m siteward ${disk}`) },
  );
  // The disk as that process sees it.
  const stranger = join(`/proc/${daemon.pid}/root`, disk, 'stranger');
  await daemon.metrics('all three up', (samples) => {
    const up = samplesOf(samples, 'siteward_device_state', { state: 'up' }).filter(({ value }) => value === 1);
    return up.length === 3 || undefined;
  });

  await expect(writeFile(stranger, new Uint8Array(64_000_000))).rejects.toMatchObject({ code: 'ENOSPC' });
  const full = await daemon.logged(
    'that the disk is full',
    ({ level, message }) =>
      level !== 'info' && /disk space|cannot be put on disk|no entries|history could not/.test(message),
    60_000,
  );
  expect(['warn', 'error']).toContain(full.level);
  const polls = (samples: Parameters<typeof sampleValue>[0]) =>
    sampleValue(samples, 'siteward_poll_duration_seconds_count', { collector: 'snmp' }) ?? 0;
  const then = polls(await daemon.scrape());
  await daemon.metrics('further polls', (samples) => polls(samples) >= then + 3 || undefined);
  const samples = await daemon.scrape();
  for (const { name } of site.settings)
    expect(sampleValue(samples, 'siteward_device_state', { device: String(name), state: 'up' })).toBe(1);

  const before = daemon.log.length;
  await rm(stranger);
  await daemon.logged(
    'that it writes again',
    (line) => daemon.log.indexOf(line) >= before && /again|is back/.test(line.message),
    60_000,
  );
  expect(await daemon.stop()).toMatchObject({ code: 0 });
}, 300_000);
