/**
 * T19 at its number: a thousand texts that would like to be more, in every field that a device or a person fills, on each
 * page, in each error and in each report, as a real browser takes them.
 */

import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RUNGS, type Rung } from '#daemon/diagnosis/ladder.ts';
import type { History } from '#daemon/history/history.ts';
import { renderReport } from '#daemon/reports/render.ts';
import { PrometheusSink } from '#daemon/sinks/prometheus.ts';
import { memoryAudit } from '#daemon/web/access/audit.ts';
import { launchBrowser, openFile } from '../support/browser.ts';
import { openHistory } from '../support/history.ts';
import { hostileReports } from '../support/hostile-reports.ts';
import {
  type HostileDevice,
  hostileAudit,
  hostileCandidates,
  hostileDevice,
  hostileHistory,
  hostileWindows,
  inventoryOf,
  placed,
  shortened,
  strays,
} from '../support/hostile-site.ts';
import { openSite, type TestSite } from '../support/invented-site.ts';
import { hostileTexts, shownAs } from '../support/markup.ts';
import { observation } from '../support/observations.ts';

const SEED = Number(process.env['SITEWARD_SEED'] ?? 19);
const TEXTS = Number(process.env['SITEWARD_TEXTS'] ?? 1000);
const PER_SITE = 50;
/** A text as long as this fills every list of its site, which the others should not wait for. */
const LONG = 10_000;
/** Devices that are looked at at a time. */
const TABS = 3;

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
});

/** What the run showed. */
const tally = { pages: 0, places: 0, live: 0, charts: 0, reports: 0, answers: 0 };

/** Runs in the browser: every text and every value of an attribute that has the mark of a place. */
const MARKED = `(() => {
  const found = [];
  // Long texts come in pieces.
  document.normalize();
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT | NodeFilter.SHOW_COMMENT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const texts = node.attributes ? [...node.attributes].map(({ value }) => value) : [node.data];
    for (const text of texts) if (text.includes('\u27e6')) found.push(text);
  }
  return found;
})()`;

/** A tab that notes whatever a browser complains about, every request that leaves the site, and every fault of a page. */
interface Tab {
  readonly page: Page;
  readonly faults: string[];
  /** Loads a page and looks for texts on it. */
  see(path: string, sent: Iterable<string>): Promise<void>;
  /** The same after a form was sent. */
  sent(selector: string, sent: Iterable<string>): Promise<void>;
  look(sent: Iterable<string>): Promise<void>;
}

async function openTab(context: BrowserContext, url: string): Promise<Tab> {
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const faults: string[] = [];
  const fault = (what: string): void => void faults.push(`${page.url().slice(url.length, url.length + 80)}: ${what}`);
  page.on('console', (message) => {
    // That a page is an error is told on the console as well, and that what is no page has no icon.
    const missed = /^Failed to load resource: .* status of 4\d\d/.test(message.text());
    if (missed && [page.url(), `${url}/favicon.ico`].includes(message.location().url)) return;
    fault(`console ${message.type()}: ${message.text().slice(0, 300)}`);
  });
  page.on('pageerror', (error) => fault(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    fault(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) fault(`outside: ${request.url()}`);
  });
  const look = async (sent: Iterable<string>): Promise<void> => {
    tally.pages += 1;
    const texts = new Set(sent);
    tally.places += texts.size;
    for (const stray of strays((await page.evaluate(MARKED)) as string[], texts, shownAs)) fault(stray);
  };
  return {
    page,
    faults,
    look,
    see: async (path, sent) => {
      await page.goto(url + path, { waitUntil: 'load' });
      await look(sent);
    },
    sent: async (selector, sent) => {
      // A click that looks whether it may waits for frames, of which a tab behind another gets one a second.
      const click = `document.querySelector(${JSON.stringify(selector)}).click()`;
      await Promise.all([page.waitForEvent('load'), page.evaluate(click)]);
      await look(sent);
    },
  };
}

interface Batch {
  readonly texts: readonly string[];
  /** The number of the first text. */
  readonly first: number;
  readonly site: TestSite;
  /** What runs siteward: its own health, and what people entered. */
  readonly house: TestSite;
  readonly devices: readonly HostileDevice[];
  readonly charts: readonly (readonly string[])[];
  readonly rungs: ReadonlyMap<string, readonly Rung[]>;
  readonly state: { current: 'up' | 'down' };
  readonly found: readonly string[];
  readonly entered: readonly string[];
  readonly tried: readonly string[];
  readonly unwell: readonly string[];
  readonly reports: { readonly sla: readonly string[]; readonly meters: readonly string[] };
}

function rungsOf(text: string, index: number): Rung[] {
  return RUNGS.map((name) => {
    const message = placed(text, `${name} ${index}`);
    return { name, outcome: 'bad', message, hint: placed(text, `${name} hint ${index}`) };
  });
}

async function startBatch(texts: readonly string[], first: number, history: History): Promise<Batch> {
  const state: Batch['state'] = { current: 'up' };
  const devices = texts.map((text, offset) => {
    const made = hostileDevice(text, first + offset);
    const view = Object.defineProperty({ ...made.device.view }, 'state', {
      get: () => state.current,
      enumerable: true,
    });
    return { ...made, device: { ...made.device, view } };
  });
  const names = devices.map(({ device }) => device.view.name);
  const charts = texts.map((text, offset) => hostileHistory(history, names[offset] ?? '', text, first + offset));
  const rungs = new Map(texts.map((text, offset) => [names[offset] ?? '', rungsOf(text, first + offset)]));
  const candidates = hostileCandidates(texts, first);
  const windows = hostileWindows(texts, first);
  const audit = hostileAudit(texts, first);
  const [sla, meters] = hostileReports(texts, first);
  const metrics = new PrometheusSink();
  for (const { device } of devices) metrics.accept(observation(device.view.name, Date.now(), device.readings));
  const site = await openSite({
    devices: devices.map(({ device }) => device),
    sources: {
      timelines: async () => new Map(devices.map(({ device, pieces }) => [device.view.name, pieces])),
      windows: () => windows.value,
      report: async (kind, period) =>
        period.startsWith('this') ? { sla, meters }[kind as 'sla' | 'meters']?.document : undefined,
    },
    parts: {
      history,
      devices: metrics,
      inventory: inventoryOf(candidates.value, new Map(devices.map(({ device, seen }) => [device.view.name, seen]))),
      diagnose: async function* (name) {
        yield* rungs.get(name) ?? [];
      },
    },
  });
  const unwell = texts.map((text, offset) => placed(text, `unwell ${first + offset}`));
  const outputs = texts.map((text, offset) => ({
    output: placed(text, `output ${first + offset}`),
    points: 1,
    bytes: 1,
    outcomes: { [placed(text, `outcome ${first + offset}`)]: 1 },
    produced: 1,
    quarantined: 0,
    dropped: {},
  }));
  const trail = memoryAudit();
  for (const entry of audit.value) await trail.append(entry);
  const house = await openSite({
    view: { notReady: () => unwell },
    sources: { outputs: () => outputs },
    parts: { audit: trail },
  });
  const json = (report: typeof sla): readonly string[] =>
    (report?.shown ?? []).filter((text) => /\u27e6(device|printer) \d+\u27e7$/.test(text));
  return {
    texts,
    first,
    site,
    house,
    devices,
    charts,
    rungs,
    state,
    found: candidates.shown,
    entered: [...windows.shown, ...names],
    tried: audit.shown,
    unwell: [...unwell, ...outputs.flatMap(({ output, outcomes }) => [output, ...Object.keys(outcomes)])],
    reports: { sla: json(sla), meters: json(meters) },
  };
}

/** Looks until it is so: a script that waits inside the page would be one that its policy forbids. */
async function until(page: Page, condition: string, patience = 20_000): Promise<boolean> {
  const end = performance.now() + patience;
  while (!(await page.evaluate(condition))) {
    if (performance.now() > end) return false;
    await new Promise((wake) => setTimeout(wake, 20));
  }
  return true;
}

/** Waits until a script has drawn each chart anew. */
async function charted(tab: Tab): Promise<void> {
  // Only those that come into view are drawn.
  const all = `(() => {
    const [next] = document.querySelectorAll('figure[data-chart]:not(:has(canvas))');
    next?.scrollIntoView();
    return next === undefined;
  })()`;
  if (!(await until(tab.page, all))) tab.faults.push(`${tab.page.url()}: a chart was not drawn`);
}

/** Each device: its page with the charts that a script draws, why it does not answer, and what requests bring. */
async function walkDevices(tab: Tab, inHouse: Tab, batch: Batch, offsets: Iterator<number>): Promise<void> {
  for (let { value: offset, done } = offsets.next(); !done; { value: offset, done } = offsets.next()) {
    await walkDevice(tab, batch, offset);
    await walkRequests(inHouse, batch.texts[offset] ?? '');
  }
}

async function walkDevice(tab: Tab, batch: Batch, offset: number): Promise<void> {
  const { device, page: shown = [] } = batch.devices[offset] ?? {};
  const name = device?.view.name ?? '';
  const path = `/devices/${encodeURIComponent(name.toWellFormed())}`;
  // No address can carry half a character.
  if (!name.isWellFormed()) return await tab.see(path, [name]);
  const charts = batch.charts[offset] ?? [];
  await tab.see(path, [...shown, ...charts]);
  await charted(tab);
  const drawn = await tab.page.locator('figure canvas').count();
  tally.charts += drawn;
  await tab.look([...shown, ...charts]);
  const rungs = batch.rungs.get(name) ?? [];
  await tab.sent('form[action$="/diagnosis"] button', [
    name,
    ...rungs.flatMap(({ message, hint = '' }) => [message, hint]),
  ]);
}

/** What a request brings, in the page that refuses it or takes it. */
async function walkRequests(tab: Tab, whole: string): Promise<void> {
  const asked = (length: number): string => placed(whole.slice(0, length).toWellFormed(), 'asked');
  const search = (path: string, query: Record<string, string>): string => `${path}?${new URLSearchParams(query)}`;
  await tab.see(`/devices/${encodeURIComponent(asked(1_000))}`, [asked(1_000)]);
  await tab.see(search('/', { q: asked(150) }), [asked(150)]);
  await tab.see(search('/reports/download', { report: 'sla', period: asked(50) }), [JSON.stringify(asked(50))]);
  await tab.see(search('/discovery', { adopted: asked(50) }), [asked(50)]);
  // Only a path of the page itself is taken from there.
  await tab.see(search('/login', { to: `/${asked(50)}` }), []);
}

/** The overview as its script draws it, before and after every device has changed its state. */
async function watchOverview(tab: Tab, batch: Batch): Promise<void> {
  const all = batch.devices.flatMap(({ overview }) => overview);
  await tab.see('/', all);
  await tab.page.waitForSelector('#now[data-live]');
  await tab.look(all);
  tally.live += batch.devices.length;
  batch.state.current = 'down';
  const names = batch.devices.length;
  const count = (list: string): string => `document.querySelectorAll('${list} .pill.state-down').length`;
  if (await until(tab.page, `${count('.device-list')} === ${names} && ${count('.wrong-list')} === ${names}`)) return;
  const changed = await tab.page.evaluate(count('.device-list'));
  tab.faults.push(`${changed} of ${names} devices of the overview changed to down`);
}

/** A device's page that stays open while its state changes. */
async function watchDevice(tab: Tab, batch: Batch, offset: number): Promise<void> {
  const { name = '' } = batch.devices[offset]?.device.view ?? {};
  if (!name.isWellFormed()) return;
  await tab.page.goto(`${batch.site.url}/devices/${encodeURIComponent(name)}`, { waitUntil: 'load' });
  await tab.page
    .waitForSelector('.page-head .pill.state-down', { timeout: 40_000 })
    .catch(() => tab.faults.push(`the page of ${shortened(name)} did not change to down`));
  tally.live += 1;
}

/** What is not a page, as a browser shows it: none of it may become one. */
async function walkAnswers(tab: Tab, batch: Batch): Promise<void> {
  const [name = ''] = batch.devices.map(({ device }) => device.view.name).filter((each) => each.isWellFormed());
  const device = encodeURIComponent(name);
  for (const [path, type] of [
    ['/metrics', 'text/plain'],
    ['/api/v1/devices', 'application/json'],
    [`/api/v1/devices/${device}`, 'application/json'],
    [`/api/v1/devices/${device}/history?chart=memory`, 'application/json'],
    ['/api/v1/discoveries', 'application/json'],
    ['/api/v1/maintenance', 'application/json'],
    [`/api/v1/discoveries/${batch.found[0] === undefined ? '' : `id-${batch.first}`}/history`, 'application/json'],
  ] as const) {
    await tab.page.goto(batch.site.url + path, { waitUntil: 'load' });
    const shown = await tab.page.evaluate('document.contentType');
    if (shown !== type) tab.faults.push(`${path} is ${shown}`);
    tally.answers += 1;
  }
}

/** Tabs of a browser that knows nothing of other ones, and whatever went wrong in them. */
async function inTabs(urls: readonly string[], walk: (...tabs: Tab[]) => Promise<void>): Promise<string[]> {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 900 } });
  try {
    const tabs = await Promise.all(urls.map(async (url) => await openTab(context, url)));
    await walk(...tabs);
    return tabs.flatMap(({ faults }) => faults);
  } finally {
    await context.close();
  }
}

/** All pages while every device is up: then each says what is wrong with it. */
async function walkSite(batch: Batch): Promise<string[]> {
  const { site, house } = batch;
  const offsets = batch.devices.keys();
  const one = async (): Promise<string[]> =>
    await inTabs([site.url, house.url], async (atSite, atHouse) => {
      if (atSite && atHouse) await walkDevices(atSite, atHouse, batch, offsets);
    });
  const lists = inTabs([site.url, house.url], async (atSite, atHouse) => {
    const ofSupplies = batch.devices.flatMap(({ page }) => page.filter((text) => /\u27e6supply/.test(text)));
    const found = batch.devices.flatMap(({ overview }) => overview);
    await atSite?.see('/supplies', ofSupplies);
    await atSite?.see('/discovery', batch.found);
    await atSite?.see('/maintenance', batch.entered);
    await atSite?.see('/reports', [...batch.reports.sla, ...batch.reports.meters]);
    await atSite?.see(`/?q=${encodeURIComponent('\u27e6name')}`, found);
    await atHouse?.see('/health', [...batch.tried, ...batch.unwell]);
    if (atSite) await walkAnswers(atSite, batch);
  });
  return (await Promise.all([...Array.from({ length: TABS }, one), lists])).flat();
}

/** What scripts make of it, before and after the states change. */
async function watchSite(batch: Batch): Promise<string[]> {
  const { site, house } = batch;
  const faults = await inTabs([site.url, site.url], async (overview, page) => {
    if (!overview || !page) return;
    await Promise.all([watchOverview(overview, batch), watchDevice(page, batch, batch.first % batch.devices.length)]);
  });
  const errors = [...site.lines, ...house.lines].filter(({ level }) => level === 'error');
  await Promise.all([site.close(), house.close()]);
  return [...faults, ...errors.map((line) => JSON.stringify(line))];
}

/** The texts of each site. */
function shares(texts: readonly string[]): readonly (readonly string[])[] {
  const usual = texts.filter(({ length }) => length < LONG);
  const count = Math.ceil(usual.length / PER_SITE);
  return [
    ...Array.from({ length: count }, (_, index) => usual.slice(index * PER_SITE, (index + 1) * PER_SITE)),
    ...texts.filter(({ length }) => length >= LONG).map((text) => [text]),
  ];
}

test(`${TEXTS} texts in every field of every page, live parts and errors stay text`, {
  timeout: 5_400_000,
}, async () => {
  const texts = hostileTexts(TEXTS, SEED);
  const history = await openHistory({ maxBytes: 1_000_000_000 });
  const faults: string[] = [];
  const began = performance.now();
  let first = 0;
  let watching: Promise<string[]> = Promise.resolve([]);
  for (const share of shares(texts)) {
    const batch = await startBatch(share, first, history);
    first += share.length;
    faults.push(...(await walkSite(batch)));
    // A script waits for what it is told every few seconds: meanwhile the next site is walked.
    faults.push(...(await watching));
    watching = watchSite(batch);
  }
  faults.push(...(await watching));

  const seconds = Math.round((performance.now() - began) / 1000);
  console.info(
    'markup in pages:',
    JSON.stringify({ seed: SEED, texts: texts.length, ...tally, faults: faults.length, seconds }),
  );
  expect(faults.slice(0, 40)).toEqual([]);
});

test(`${TEXTS} texts in every field of every report stay text in HTML`, async () => {
  const faults: string[] = [];
  for (const { kind, document, shown } of hostileReports(hostileTexts(TEXTS, SEED + 1))) {
    const { page, complaints } = await openFile(browser, await renderReport(document, 'html'), { locale: 'en-GB' });
    faults.push(
      ...complaints,
      ...strays((await page.evaluate(MARKED)) as string[], shown, shownAs).map((each) => `${kind}: ${each}`),
    );
    tally.reports += 1;
    tally.places += shown.length;
  }

  console.info('markup in reports:', JSON.stringify({ seed: SEED + 1, reports: tally.reports, places: tally.places }));
  expect(faults.slice(0, 40)).toEqual([]);
});
