/**
 * Every query of every board, executed: on a Prometheus that scrapes the demo site as the example says, on a
 * VictoriaMetrics and an InfluxDB that the demo's outputs write to. What is not shown here is how Grafana draws it.
 */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { configOf } from '#config/load.ts';
import { systemClock } from '#daemon/clock.ts';
import { type Daemon, startDaemon } from '#daemon/daemon.ts';
import { type Demo, startDemo } from '#daemon/demo/demo.ts';
import { createLogger } from '#daemon/log.ts';
import { RELABELLING_FILE } from '../../scripts/generate-dashboards.ts';
import { MEMORY } from '../support/folder.ts';
import { type Influxd, startInfluxd } from '../support/influxd.ts';
import { freePort } from '../support/process.ts';
import { type Prometheus, startPrometheus } from '../support/prometheus.ts';
import { startVictoriaMetrics, type VictoriaMetrics } from '../support/victoria-metrics.ts';
import { type Asked, asked, DASHBOARDS, type Dashboard, queryOf } from './boards.ts';
import { type DataSource, influxqlSource, promqlSource } from './data-sources.ts';
import { PAPER, type PaperExposition, paperLines, servePaper } from './paper-site.ts';

const DEMO = { client: 'Demo Ltd', site: 'demo-office' } as const;
const DATABASE = 'siteward';
/** Longest time until the demo site has something to show everywhere, in milliseconds. */
const PATIENCE = 240_000;
const examples = join(import.meta.dirname, '../../dashboards/prometheus');

/** What the demo site cannot have to show within its first minute, and why. The site on paper has it. */
const EMPTY_IN_DEMO: readonly (readonly [query: RegExp, reason: string])[] = [
  [
    /siteward_icmp_|FROM "icmp"/,
    'loopback answers echo requests for every address, so that the demo asks by SNMP only',
  ],
  [/down\|unreachable(\|maintenance|\|unknown)?(\)\$\/|"\} == 1)/, 'nothing is down in the first three minutes'],
  [/state=~"down\|unreachable"\}\[\$__interval\]/, 'nothing is down in the first three minutes'],
  [/(errors|discards)_total.* > 0/, 'the lines of the demo are without faults'],
  [/siteward_firewall_sessions_limit/, 'its firewalls do not say how many sessions they can hold'],
  [/siteward_sensor_(fan_rpm|power_watts|humidity_ratio)/, 'none of its devices has such a sensor'],
  [/siteward_availability_seconds_total/, 'the sums of the ledger are told once a minute'],
  [
    /siteward_sla_|FROM "sla"/,
    'figures of an SLA are told three quarters of a minute after the start, then every five',
  ],
  [/siteward_printer_supply_days_left|"days_left"/, 'days are estimated from the use of some weeks'],
  [/siteward_spool_oldest_timestamp_seconds/, 'nothing waits while all outputs take what comes'],
  [/siteward_component_ok\{client=~"\$client",site=~"\$site",device/, 'its servers tell nothing of their parts'],
  [/siteward_poll_failures_total/, 'every question is answered'],
];
/** Classes of which the demo has no device. */
const NO_DEVICE_IN_DEMO = ['siteward-device-other'];

let folder: string;
let demo: Demo;
let daemon: Daemon;
let paper: PaperExposition;
let prometheus: Prometheus;
let victoria: VictoriaMetrics;
let influxd: Influxd;

beforeAll(async () => {
  folder = mkdtempSync(join(MEMORY, 'siteward-dashboards-'));
  const at = async (name: string) => {
    await mkdir(join(folder, name));
    return join(folder, name);
  };
  const port = await freePort();
  paper = await servePaper();
  demo = await startDemo({ signal: AbortSignal.timeout(60_000) });
  influxd = await startInfluxd(await at('influxd'));
  victoria = await startVictoriaMetrics(await at('victoria'), [
    `-relabelConfig=${RELABELLING_FILE}`,
    '-dedup.minScrapeInterval=1ms',
    `-promscrape.config=${await selfScrape(folder, port)}`,
  ]);
  const outputs = {
    influx: [
      { name: 'central', url: influxd.url, database: DATABASE },
      { name: 'victoria', url: victoria.url, dialect: 'victoriametrics' as const },
    ],
  };
  const config = { ...demo.config, http: { listen: `127.0.0.1:${port}` }, outputs };
  const loaded = configOf(config, await at('siteward'));
  daemon = await startDaemon({ loaded, clock: systemClock, log: createLogger('error'), demo: true });
  prometheus = await startPrometheus(await at('prometheus'), exampleFor(port, paper.target));
  const now = Date.now();
  const lines = paperLines([now - 60_000, now - 45_000, now - 30_000, now - 15_000, now]);
  await influxd.query(`CREATE DATABASE "${DATABASE}"`);
  await write(`${influxd.url}/write?db=${DATABASE}&precision=ms`, lines);
  await write(`${victoria.url}/write?db=${DATABASE}&precision=ms`, lines);
  await grown();
}, 300_000);

afterAll(async () => {
  await daemon?.stop();
  await demo?.close();
  paper?.close();
  await Promise.all([prometheus?.stop(), victoria?.stop('SIGKILL'), influxd?.stop('SIGKILL')]);
  await rm(folder, { recursive: true, force: true });
});

/** The example that people are given, but for the addresses and its pace. */
function exampleFor(port: number, paperTarget: string): string {
  return readFileSync(join(examples, 'prometheus.yml'), 'utf8')
    .replace('scrape_interval: 30s', 'scrape_interval: 5s')
    .replace('evaluation_interval: 30s', 'evaluation_interval: 15s')
    .replace('rules/*.yml', join(examples, 'rules/*.yml'))
    .replace('sites/*.yml', join(examples, 'sites/*.yml'))
    .replace('127.0.0.1:9720', `127.0.0.1:${port}`)
    .replace('{client: ACME Ltd, site: acme-hq}', `{client: ${DEMO.client}, site: ${DEMO.site}}`)
    .replace(
      '\n\n  # Many appliances',
      `\n      - targets: [${paperTarget}]\n        labels: {client: ${PAPER.client}, site: ${PAPER.site}}\n\n  # Many appliances`,
    );
}

/** What no output carries: the daemon's own series. An agent beside it scrapes those alone. */
async function selfScrape(parent: string, port: number): Promise<string> {
  const file = join(parent, 'scrape.yml');
  await writeFile(
    file,
    `scrape_configs:
  - job_name: siteward
    honor_labels: true
    scrape_interval: 5s
    static_configs:
      - targets: [127.0.0.1:${port}]
        labels: {client: ${DEMO.client}, site: ${DEMO.site}}
    metric_relabel_configs:
      - source_labels: [device]
        regex: .+
        action: drop
`,
  );
  return file;
}

async function write(url: string, body: string): Promise<void> {
  const response = await fetch(url, { method: 'POST', body });
  expect(response.status).toBe(204);
}

/**
 * The last part of each device was read, its counters and those of siteward itself have grown twice, a printer complains
 * and runs low, and all of that has arrived everywhere.
 */
async function grown(): Promise<void> {
  const site = `site="${DEMO.site}"`;
  const interfaces = `siteward_interface_receive_bytes_total{device="srv-files",interface="eno1",${site}}`;
  const complaint = `siteward_printer_error{${site}}`;
  const requests = `siteward_snmp_requests_total{${site}}`;
  const low = `siteward_printer_supply_state{${site},state=~"low|empty"} == 1`;
  const bucketed = `SELECT last("receive_bytes"::field) FROM "interface" WHERE "device"::tag = 'srv-files' AND "interface"::tag = 'eno1' AND time > now() - 5m GROUP BY time(15s) fill(none)`;
  const complained = 'SELECT last("error"::field) FROM "printer_status" WHERE time > now() - 5m';
  const changes = async (series: string, ask: typeof inPrometheus) => Number((await ask(`changes(${series}[5m])`))[0]);
  const conditions: Readonly<Record<string, () => Promise<boolean>>> = {
    'a last part that was read': async () =>
      (await inPrometheus(`count(siteward_poe_power_watts{${site}})`)).length > 0,
    ...Object.fromEntries(
      Object.entries({ Prometheus: inPrometheus, VictoriaMetrics: inVictoria }).flatMap(([name, ask]) => [
        [`growth of an interface in ${name}`, async () => (await changes(interfaces, ask)) >= 2],
        [`growth of siteward's own in ${name}`, async () => (await changes(requests, ask)) >= 2],
        [`a complaint in ${name}`, async () => (await ask(complaint)).length > 0],
        [`a low supply in ${name}`, async () => (await ask(low)).length > 0],
      ]),
    ),
    'points of three times in InfluxDB': async () => (await influxd.query(bucketed, DATABASE)).length >= 3,
    'a complaint in InfluxDB': async () => (await influxd.query(complained, DATABASE)).length > 0,
  };
  const end = performance.now() + PATIENCE;
  for (const [what, holds] of Object.entries(conditions)) {
    await vi.waitFor(async () => expect(await holds(), what).toBe(true), {
      timeout: Math.max(0, end - performance.now()),
      interval: 500,
    });
  }
}

async function inPrometheus(query: string): Promise<readonly string[]> {
  return (await prometheus.query(query, Date.now())).map(({ value }) => value[1]);
}

async function inVictoria(query: string): Promise<readonly string[]> {
  const response = await fetch(`${victoria.url}/api/v1/query?${new URLSearchParams({ query })}`);
  const { data } = (await response.json()) as { data?: { result: readonly { value: readonly [number, string] }[] } };
  return (data?.result ?? []).map(({ value }) => value[1]);
}

interface Found {
  readonly refused: string[];
  readonly empty: Asked[];
  readonly incomplete: string[];
  readonly noChoice: string[];
  readonly asked: number;
}

/**
 * Asks everything of the boards as someone would see it who has chosen that site. A board about one device is looked at
 * for each of its devices: a query is empty when it is so for all of them.
 */
async function askAll(
  source: DataSource,
  boards: readonly Dashboard[],
  place: { readonly client: string; readonly site: string },
): Promise<Found> {
  const found: Found = { refused: [], empty: [], incomplete: [], noChoice: [], asked: 0 };
  let count = 0;
  for (const board of boards) {
    const views = await choose(source, board, place, found);
    for (const each of asked(board)) {
      count += 1;
      const series: ReadonlySet<string>[] = [];
      for (const values of views) {
        const answer = await source.ask(each.text, values, each.instant);
        if (answer.error !== undefined) found.refused.push(`${board.uid}: ${each.where}: ${answer.error}`);
        series.push(...answer.series);
        if (series.length > 0) break;
      }
      if (series.length === 0) found.empty.push(each);
      else found.incomplete.push(...missing(each, series));
    }
  }
  return { ...found, asked: count };
}

/** What the drop-downs offer, each narrowed by those before it: one view, or one for each value of a single choice. */
async function choose(
  source: DataSource,
  board: Dashboard,
  place: { readonly client: string; readonly site: string },
  found: Found,
): Promise<readonly Readonly<Record<string, string>>[]> {
  let views: Record<string, string>[] = [{}];
  for (const variable of board.templating.list.filter(({ type }) => type === 'query')) {
    const { name, multi, allValue } = variable;
    const choices = await source.choices(queryOf(variable), views[0] ?? {});
    const wanted = name === 'client' || name === 'site' ? choices.filter((each) => each === place[name]) : choices;
    if (wanted.length === 0) found.noChoice.push(`${board.uid}: ${name}`);
    // A board opens with all of them, which Grafana writes as its `allValue`.
    const all = multi && wanted === choices ? allValue : undefined;
    const texts = all === undefined ? wanted.map(escaped) : [all];
    views = views.flatMap((view) => texts.map((text) => ({ ...view, [name]: text })));
  }
  return views;
}

/** As Grafana writes a chosen value into a query. */
function escaped(value: string): string {
  return value.replace(/[\\^$*+?.()|[\]{}]/g, '\\\\$&');
}

/** Columns and legends that name a label which no series has. */
function missing({ board, where, panel, target }: Asked, series: readonly ReadonlySet<string>[]): string[] {
  if (!panel || !target) return [];
  const labels = new Set(series.flatMap((each) => [...each]));
  const legend = [...(target.legendFormat ?? target.alias ?? '').matchAll(/\{\{(\w+)\}\}|\$tag_(\w+)/g)].map(
    ([, label, tag]) => label ?? tag ?? '',
  );
  return legend.filter((label) => !labels.has(label)).map((label) => `${board}: ${where}: no series has ${label}`);
}

function told(each: Asked): string {
  return `${each.board}: ${each.where}: ${each.text}`;
}

function unexplained(empty: readonly Asked[]): string[] {
  return empty.filter(({ text }) => !EMPTY_IN_DEMO.some(([query]) => query.test(text))).map(told);
}

const forPrometheus = DASHBOARDS.filter(({ uid }) => !uid.endsWith('-influxdb'));
const forInflux = DASHBOARDS.filter(({ uid }) => uid.endsWith('-influxdb'));
/** Made of what only a scrape brings; the site on paper has no daemon. */
const withoutItself = forPrometheus.filter(({ uid }) => uid !== 'siteward-itself');

describe.each([
  ['Prometheus that scrapes as the example says', () => promqlSource(prometheus.url), forPrometheus, withoutItself],
  ['VictoriaMetrics that takes line protocol', () => promqlSource(victoria.url), forPrometheus, withoutItself],
  ['InfluxDB', () => influxqlSource(influxd.url, DATABASE), forInflux, forInflux],
] as const)('on a %s', (_name, source, boards, paperBoards) => {
  test('no query is refused, and of the demo site none is empty but where there is nothing yet', async () => {
    const shown = boards.filter(({ uid }) => !NO_DEVICE_IN_DEMO.includes(uid));

    const found = await askAll(source(), shown, DEMO);

    expect(found.refused).toEqual([]);
    expect(found.noChoice).toEqual([]);
    expect(unexplained(found.empty)).toEqual([]);
    expect(found.incomplete).toEqual([]);
    expect(found.asked).toBeGreaterThan(40);
  });

  test('every query finds what it asks for where that exists', async () => {
    const found = await askAll(source(), paperBoards, PAPER);

    expect(found.refused).toEqual([]);
    expect(found.noChoice).toEqual([]);
    expect(found.empty.map(told)).toEqual([]);
    expect(found.incomplete).toEqual([]);
  });
});

test('every rule is evaluated without a fault by the Prometheus that the example makes', async () => {
  const response = await fetch(`${prometheus.url}/api/v1/rules`);
  const { data } = (await response.json()) as {
    data: { groups: readonly { rules: readonly { name: string; health: string; lastError?: string }[] }[] };
  };
  const rules = data.groups.flatMap((group) => group.rules);

  expect(rules.length).toBeGreaterThan(35);
  expect(rules.filter(({ health }) => health === 'err')).toEqual([]);
});

test('every rule asks what VictoriaMetrics can answer', async () => {
  const files = readdirSync(join(examples, 'rules')).map((name) => readFileSync(join(examples, 'rules', name), 'utf8'));
  const rules = files.flatMap((text) =>
    (parse(text) as { groups: readonly { rules: readonly { expr: string }[] }[] }).groups.flatMap(
      (group) => group.rules,
    ),
  );
  const source = promqlSource(victoria.url);
  const answers = await Promise.all(rules.map(async ({ expr }) => ({ expr, ...(await source.ask(expr, {}, true)) })));

  expect(answers.filter(({ error }) => error !== undefined)).toEqual([]);
});
