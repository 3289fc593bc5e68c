/** The site's page: first paint in Chromium by its own clock, what open pages cost, and the charts of a year. */
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { CHROMIUM, CHROMIUM_OPTIONS } from '../support/chromium.ts';
import { cpuSeconds, ROOT, type Started, start, until } from './processes.ts';
import { type Figure, median } from './table.ts';

const ROUNDS = 9;
const OPEN_PAGES = 50;
const LISTENED = 60_000;
/** The browser's own first seconds: it starts processes and loads its menus. */
const SETTLES = 2_000;
/** Its suggestions open windows of their own, which are no part of the page. */
const OPTIONS = [
  ...CHROMIUM_OPTIONS,
  '--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup',
];

interface Site {
  readonly url: string;
  readonly bytesPerSample?: number;
  readonly started: Started;
}

async function siteOf(...args: string[]): Promise<Site> {
  const started = start(process.execPath, [join(ROOT, 'test/bench/page-site.ts'), ...args], {}, 'pipe');
  const line = await new Promise<string>((resolve, reject) => {
    started.child.stdout?.setEncoding('utf8').once('data', resolve);
    started.child.once('exit', () => reject(new Error('the site of the bench ended')));
  });
  return { ...(JSON.parse(line) as Omit<Site, 'started'>), started };
}

interface Painted {
  /** Milliseconds from asking for the page to the first text or picture on it. */
  readonly first: number;
  readonly bytes: number;
}

/** A browser that was just started and has seen nothing yet. */
async function paint(url: string): Promise<Painted> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: OPTIONS });
  try {
    const page = await (await browser.newContext()).newPage();
    await new Promise((resolve) => setTimeout(resolve, SETTLES));
    await page.goto(url, { waitUntil: 'load' });
    const first = 'performance.getEntriesByName("first-contentful-paint")[0]?.startTime';
    // Not by waiting inside the page: its policy forbids what that takes.
    await until('the first paint', async () => (await page.evaluate(first)) !== undefined);
    return {
      first: (await page.evaluate(first)) as number,
      bytes: (await page.evaluate(
        'performance.getEntries().reduce((sum, each) => sum + (each.transferSize ?? 0), 0)',
      )) as number,
    };
  } finally {
    await browser.close();
  }
}

async function paints(urls: readonly string[]): Promise<{ first: number; bytes: number }[]> {
  const all: Painted[][] = urls.map(() => []);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [index, url] of urls.entries()) all[index]?.push(await paint(url));
  return all.map((each) => ({
    first: median(each.map(({ first }) => first)),
    bytes: Math.max(...each.map(({ bytes }) => bytes)),
  }));
}

/** Share of a core that the server takes while so many pages are open and something changes every five seconds. */
async function listenersShare({ url, started: { pid } }: Site): Promise<number> {
  const pages = await Promise.all(
    Array.from(
      { length: OPEN_PAGES },
      async () => await new Promise<IncomingMessage>((resolve) => get(`${url}/api/v1/live`, { agent: false }, resolve)),
    ),
  );
  for (const page of pages) page.resume();
  const before = { cpu: cpuSeconds(pid), at: performance.now() };
  await new Promise((resolve) => setTimeout(resolve, LISTENED));
  const share = (cpuSeconds(pid) - before.cpu) / ((performance.now() - before.at) / 1000);
  for (const page of pages) page.destroy();
  return share;
}

async function yearChart(url: string): Promise<number> {
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    const response = await fetch(`${url}/api/v1/devices/dev-1/history?chart=cpu&range=1y`);
    const { times } = (await response.json()) as { times: unknown[] };
    if (times.length < 300) throw new Error(`the chart of a year has ${times.length} points`);
    took.push(performance.now() - began);
  }
  return median(took);
}

export async function benchPage(): Promise<Figure[]> {
  const empty = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>empty</title><h1>hello</h1>');
  });
  await new Promise<void>((resolve) => empty.listen(0, '127.0.0.1', resolve));
  const sites = [await siteOf('200', '--history'), await siteOf('10000')] as const;
  const [small, large] = sites;
  try {
    const floor = `http://127.0.0.1:${(empty.address() as AddressInfo).port}/`;
    const [nothing, of200, of10000] = await paints([floor, small.url, large.url]);
    if (!nothing || !of200 || !of10000 || !small.bytesPerSample) throw new Error('a figure of the page is missing');
    const chart = await yearChart(small.url);
    const beside = `${Math.round(nothing.first)} ms (empty page)`;
    const ratio = (first: number) => `${(first / nothing.first).toFixed(1)}x`;
    const row = (what: string, siteward: string, goal: string): Figure => ({
      what,
      siteward,
      beside: '-',
      ratio: '-',
      goal,
    });
    return [
      {
        ...row('first paint, 200 devices, browser just started', `${Math.round(of200.first)} ms`, '< 300 ms'),
        beside,
        ratio: ratio(of200.first),
      },
      {
        ...row('first paint, 10,000 devices', `${Math.round(of10000.first)} ms`, '< 1000 ms'),
        beside,
        ratio: ratio(of10000.first),
      },
      row('over the wire, 200 devices', `${Math.round(of200.bytes / 1000)} kB`, '<= 120 kB'),
      row(
        `${OPEN_PAGES} open pages, share of a core`,
        `${((await listenersShare(small)) * 100).toFixed(2)} %`,
        '< 2 %',
      ),
      row('chart of a year, 4 lines', `${Math.round(chart)} ms`, '< 200 ms'),
      row('history on disk per sample', `${small.bytesPerSample.toFixed(1)} bytes`, '<= 5 bytes'),
    ];
  } finally {
    empty.close();
    for (const { started } of sites) await started.stop();
  }
}
