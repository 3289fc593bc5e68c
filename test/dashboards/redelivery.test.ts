/**
 * What was delivered twice is not shown twice: a batch whose answer was lost comes again, in part or as a whole, and every
 * query of every board says what it said before. On a real influxd, and on a VictoriaMetrics that keeps both copies.
 */
import { mkdtempSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RELABELLING_FILE } from '../../scripts/generate-dashboards.ts';
import { MEMORY } from '../support/folder.ts';
import { type Influxd, startInfluxd } from '../support/influxd.ts';
import { startVictoriaMetrics, type VictoriaMetrics } from '../support/victoria-metrics.ts';
import { type Asked, asked, DASHBOARDS, substitute } from './boards.ts';
import { PAPER, paperLines } from './paper-site.ts';

const DATABASE = 'siteward';
const MINUTE = 60_000;
/** The end of a minute that has passed, so that no query sees a time that goes on. */
const END = Math.floor(Date.now() / MINUTE) * MINUTE - MINUTE;
const TIMES = Array.from({ length: 20 }, (_, index) => END - (19 - index) * 15_000);
/** One of everything: which device is looked at makes no difference to what is doubled. */
const VALUES = {
  ...PAPER,
  class: '.*',
  device: '.*',
  interface: '.*',
  contract: '.*',
  sla: '.*',
  __interval: '30s',
  __rate_interval: '1m',
  __range: '5m',
};

let folder: string;
let influxd: Influxd;
let victoria: VictoriaMetrics;

beforeAll(async () => {
  folder = mkdtempSync(join(MEMORY, 'siteward-redelivery-'));
  await mkdir(join(folder, 'influxd'));
  await mkdir(join(folder, 'victoria'));
  influxd = await startInfluxd(join(folder, 'influxd'));
  await influxd.query(`CREATE DATABASE "${DATABASE}"`);
  victoria = await startVictoriaMetrics(join(folder, 'victoria'), [`-relabelConfig=${RELABELLING_FILE}`]);
}, 60_000);

afterAll(async () => {
  await Promise.all([victoria?.stop('SIGKILL'), influxd?.stop('SIGKILL')]);
  await rm(folder, { recursive: true, force: true });
});

async function deliver(url: string, times: readonly number[]): Promise<void> {
  const response = await fetch(`${url}/write?db=${DATABASE}&precision=ms`, { method: 'POST', body: paperLines(times) });
  expect(response.status).toBe(204);
}

async function inVictoria(text: string): Promise<string> {
  const parameters = {
    query: substitute(text, VALUES),
    start: String((END - 4 * MINUTE) / 1000),
    end: String(END / 1000),
    step: '15',
    nocache: '1',
  };
  const response = await fetch(`${victoria.url}/api/v1/query_range?${new URLSearchParams(parameters)}`);
  const { data, error } = (await response.json()) as {
    data?: { result: { metric: Record<string, string>; values: [number, string][] }[] };
    error?: string;
  };
  if (!data) throw new Error(`${text}: ${error}`);
  // Series come in any order, and of those that are equal any may be among the ten largest.
  const anyOf = /^(topk|bottomk)\(/.test(text);
  return data.result
    .map(({ metric, values }) =>
      JSON.stringify([
        anyOf ? [] : Object.entries(metric).toSorted(),
        values.map(([at, value]) => [at, Number(value).toPrecision(9)]),
      ]),
    )
    .toSorted()
    .join('\n');
}

async function inInflux(text: string): Promise<string> {
  const timeFilter = `time >= ${END - 5 * MINUTE}ms and time <= ${END}ms`;
  const q = substitute(text, { ...VALUES, timeFilter, __interval: '15s' }).replaceAll('now()', `${END}ms`);
  const response = await fetch(`${influxd.url}/query?${new URLSearchParams({ db: DATABASE, q })}`);
  const answer = await response.text();
  const { error, results = [] } = JSON.parse(answer) as { error?: string; results?: { error?: string }[] };
  if (error !== undefined || results[0]?.error !== undefined) throw new Error(`${text}: ${answer}`);
  return answer;
}

async function answers(queries: readonly Asked[], ask: (text: string) => Promise<string>) {
  const all = new Map<string, string>();
  for (const { board, where, text } of queries) all.set(`${board}: ${where}: ${text}`, await ask(text));
  return all;
}

function changed(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...before].filter(([query, answer]) => after.get(query) !== answer).map(([query]) => query);
}

const all = DASHBOARDS.flatMap(asked);

test('on a VictoriaMetrics that does not deduplicate, no panel shows what came twice', async () => {
  const queries = all.filter(({ language }) => language === 'promql');
  const kept = `sum(count_over_time(siteward_interface_receive_bytes_total{site="${PAPER.site}"}[3m]))`;
  await deliver(victoria.url, TIMES);
  await victoria.flush();
  const [before, once] = [await answers(queries, inVictoria), await inVictoria(kept)];

  await deliver(victoria.url, TIMES.slice(-7));
  await deliver(victoria.url, TIMES);
  await victoria.flush();
  const [after, twice] = [await answers(queries, inVictoria), await inVictoria(kept)];

  expect([...before.values()].filter((answer) => answer !== '').length).toBeGreaterThan(queries.length / 2);
  // Both copies are there: a query that counts them would show them.
  expect(twice).not.toBe(once);
  expect(changed(before, after)).toEqual([]);
});

test('on an InfluxDB, no panel shows what came twice', async () => {
  const queries = all.filter(({ language }) => language === 'influxql');
  await deliver(influxd.url, TIMES);
  const before = await answers(queries, inInflux);

  await deliver(influxd.url, TIMES.slice(-7));
  await deliver(influxd.url, TIMES);
  const after = await answers(queries, inInflux);

  expect([...before.values()].filter((answer) => answer.includes('"series"')).length).toBeGreaterThan(
    queries.length / 2,
  );
  expect(changed(before, after)).toEqual([]);
});
