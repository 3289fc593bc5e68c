/** docs/central.md: several sites, one of them on two boxes, and one VictoriaMetrics in the middle. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '#config/load.ts';
import { temporaryFolder } from '../support/folder.ts';
import { PATIENCE, ROOT, startDaemon } from '../support/siteward.ts';
import { startVictoriaMetrics } from '../support/victoria-metrics.ts';

const DOCUMENT = readFileSync(join(ROOT, 'docs/central.md'), 'utf8');
const DEVICES = Array.from({ length: 12 }, (_, index) => ({
  name: `dev-${index}`,
  address: `127.0.8.${index + 1}`,
  checks: ['icmp'],
}));

/** The flags of the command in the document that are about what is stored how. */
function flagsOfDocument(): string[] {
  const command = /^victoria-metrics (.*)\\\n(.*)$/m.exec(DOCUMENT)?.slice(1).join(' ') ?? '';
  const flags = command.split(/\s+/).filter((flag) => /^-(retentionPeriod|dedup|relabelConfig)/.test(flag));
  expect(flags).toHaveLength(3);
  return flags.map((flag) => flag.replace('=dashboards/', `=${ROOT}/dashboards/`));
}

test('three boxes of two sites write to one VictoriaMetrics, started as the document says', async () => {
  const victoria = await startVictoriaMetrics(await temporaryFolder(), flagsOfDocument());
  onTestFinished(() => victoria.stop('SIGKILL'));
  const ask = async (query: string): Promise<Readonly<Record<string, string>>[]> => {
    await fetch(`${victoria.url}/internal/force_flush`);
    const response = await fetch(`${victoria.url}/api/v1/query?query=${encodeURIComponent(query)}&step=1m`);
    const { data } = (await response.json()) as { data: { result: { metric: Record<string, string> }[] } };
    return data.result.map(({ metric }) => metric);
  };
  const box = async (id: string, shard?: { index: number; of: number }) =>
    await startDaemon({
      site: { id, client: 'ACME Ltd', timezone: 'Europe/Berlin' },
      polling: { availability: '5s', metrics: '15s', ...(shard ? { shard } : {}) },
      devices: DEVICES,
      outputs: { influx: [{ name: 'central', url: victoria.url, dialect: 'victoriametrics' }] },
    });

  await using small = await box('small');
  await using one = await box('large', { index: 1, of: 2 });
  await using two = await box('large', { index: 2, of: 2 });
  await expect
    .poll(async () => (await ask('siteward_device_up')).length, { timeout: PATIENCE, interval: 500 })
    .toBe(2 * DEVICES.length);

  const up = await ask('siteward_device_up');
  const names = (site: string) => up.filter((metric) => metric['site'] === site).map(({ device }) => device);
  const all = DEVICES.map(({ name }) => name).sort();
  expect(names('small').sort()).toEqual(all);
  expect(names('large').sort()).toEqual(all);
  const [first, second] = await Promise.all(
    [one, two].map(async ({ url }) => {
      const answer = (await (await fetch(`${url}/api/v1/devices`)).json()) as { name: string }[];
      return answer.map(({ name }) => name);
    }),
  );
  expect([...(first ?? []), ...(second ?? [])].sort()).toEqual(all);
  expect(first?.length).toBeGreaterThan(0);
  expect(second?.length).toBeGreaterThan(0);
  expect((await ask('siteward_site_info')).map(({ site }) => site).sort()).toEqual(['large', 'small']);
  expect(small.isRunning).toBe(true);
}, 180_000);

test('every piece of config in the document is one', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'central.token'), 'secret');
  const pieces = [...DOCUMENT.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);

  expect(pieces.length).toBeGreaterThanOrEqual(2);
  for (const text of pieces) {
    const whole = /^site:/m.test(text) ? text : `site: {id: acme-hq, client: ACME Ltd}\n${text}`;
    expect(() => parseConfig(whole, join(folder, 'siteward.yaml')), text).not.toThrow();
  }
});
