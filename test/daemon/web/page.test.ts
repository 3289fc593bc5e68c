/** The page in a real browser: its main paths with and without scripts, its policy, and what a screen reader needs. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import type { ReportDocument } from '#daemon/reports/document.ts';
import { launchBrowser } from '../../support/browser.ts';
import { deviceRecord, siteBook } from '../../support/device-record.ts';
import { openHistory } from '../../support/history.ts';
import { startSite, testDevice } from '../../support/site.ts';

let browser: Browser;
// A browser on a machine that runs other tests is slow, which is no fault of the page.
vi.setConfig({ testTimeout: 180_000 });

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
});

/** A page that notes whatever a browser complains about, and every request that leaves the site. */
async function visit(url: string, options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  onTestFinished(async () => await context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() !== 'log') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) complaints.push(`outside: ${request.url()}`);
  });
  await page.goto(url, { waitUntil: 'load' });
  return { page, complaints };
}

/** Clicks what leads to another page, and waits until all of that page is there, and nothing of the one before. */
async function follow(page: Page, selector: string): Promise<void> {
  await Promise.all([page.waitForEvent('load'), page.click(selector)]);
}

const REPORT: ReportDocument = {
  title: 'Availability',
  subtitle: 'Yard & Sons',
  sections: [],
  json: {
    period: { from: '2026-11-01T00:00:00+01:00', to: '2026-12-01T00:00:00+01:00' },
    slas: [
      {
        sla: 'gold',
        target_ratio: 0.999,
        devices: [
          {
            device: 'srv-1',
            availability_ratio: 0.9991,
            raw_availability_ratio: 0.999,
            coverage_ratio: 1,
            downtime_seconds: 60,
            met: true,
          },
        ],
      },
    ],
    contracts: [],
  },
};

async function history() {
  const opened = await openHistory();
  const now = Date.now();
  const labels = { cpu: 'all' };
  for (let minute = 600; minute >= 0; minute -= 1)
    opened.append(
      'srv-1',
      'siteward_cpu_usage_ratio',
      labels,
      (now - minute * 60_000) as WallTime,
      0.3 + (minute % 60) / 200,
    );
  return opened;
}

async function yard() {
  const devices = [
    testDevice('srv-1', 'up', {}, [{ metric: 'siteward_cpu_usage_ratio', labels: { cpu: 'all' }, value: 0.4 }]),
    testDevice('sw-1', 'down', { class: 'switch' }),
    testDevice('copier', 'up', { class: 'printer' }, [
      {
        metric: 'siteward_printer_supply_level_ratio',
        labels: { supply: '1', description: 'Black toner of the large size, original', type: 'toner', color: 'black' },
        value: 0.04,
      },
      { metric: 'siteward_interface_up', labels: { interface: 'eth0' }, value: 1 },
      { metric: 'siteward_printer_meter_pages_total', labels: { meter: 'total' }, value: 81_000n },
    ]),
  ];
  return await startSite({ devices, sources: { report: async () => REPORT }, parts: { history: await history() } });
}

describe('a technician', () => {
  test('finds what is wrong, opens the device, sees why, and the charts are there', async () => {
    const site = await yard();
    const { page, complaints } = await visit(site.url);

    expect(await page.textContent('h1')).toBe('2 of 3 devices need a look');
    await follow(page, '.wrong-list a:has-text("sw-1")');
    expect(await page.textContent('h1')).toBe('sw-1');
    expect(await page.textContent('#problems')).toContain('does not answer');
    await follow(page, 'text=Find out why');
    expect(await page.textContent('.ladder .bad')).toContain('look at the cable');
    await page.goto(`${site.url}/devices/srv-1`);
    await page.waitForSelector('figure canvas');
    await follow(page, 'text=7 days');
    await page.waitForSelector('figure canvas');

    expect(complaints).toEqual([]);
  });

  test('enters maintenance, which is in the audit trail, and ends it early', async () => {
    const site = await yard();
    const { page, complaints } = await visit(`${site.url}/maintenance`);
    await page.fill('input[name=devices]', 'sw-*');
    await page.fill('input[name=reason]', 'new firmware');
    await follow(page, 'text=Begin now');

    expect(await page.textContent('[role=status]')).toBe('The window is entered.');
    expect(site.windows).toMatchObject([{ devices: ['sw-*'], reason: 'new firmware', by: 'local' }]);
    await page.goto(`${site.url}/health`);
    expect(await page.textContent('table')).toContain('new firmware');
    await page.goto(`${site.url}/maintenance`);
    await page.fill('.end-form input[name=reason]', 'done sooner');
    await follow(page, 'text=End now');
    expect(await page.textContent('[role=status]')).toBe('The window is ended.');
    expect(site.ended).toEqual([['entered-0', 'local', 'done sooner']]);
    expect(complaints).toEqual([]);
  });

  test('adopts what was found, under another name', async () => {
    const decisions: unknown[] = [];
    const record = deviceRecord('abc123', {
      addresses: ['192.0.2.77'],
      evidence: { vendor: 'Zebra', model: 'ZD621', sysName: 'label-2' },
      firstSeen: Date.now() as WallTime,
      lastSeen: Date.now() as WallTime,
    });
    const inventory = siteBook({
      discoveries: () => (decisions.length === 0 ? [record] : []),
      get: () => record,
      proposedName: () => 'label-2',
      adopt: async (...decision: unknown[]) => {
        decisions.push(decision);
        return { ...record, name: 'label-yard' };
      },
    });
    const site = await startSite({ parts: { inventory } });
    const { page, complaints } = await visit(`${site.url}/discovery`);
    expect(await page.textContent('nav .count')).toBe('1');
    await page.fill('input[name=name]', 'label-yard');
    await page.fill('input[name=reason]', 'new in the yard');
    await follow(page, 'button[value=adopt]');

    expect(await page.textContent('[role=status]')).toBe('label-yard is adopted.');
    expect(decisions).toEqual([['abc123', { name: 'label-yard' }, 'local']]);
    expect(await site.audit.latest(1)).toMatchObject([
      { what: 'POST /discovery/abc123', why: 'new in the yard', outcome: 303 },
    ]);
    expect(complaints).toEqual([]);
  });

  test('downloads a report', async () => {
    const site = await yard();
    const { page } = await visit(`${site.url}/reports`);
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('#sla a:has-text("PDF")')]);
    const bytes = await readFile(await file.path());

    expect(file.suggestedFilename()).toBe('sla-this-month.pdf');
    expect(bytes.subarray(0, 5).toString()).toBe('%PDF-');
  });

  test('sees a change without loading the page again', async () => {
    const states: { current: 'up' | 'down' } = { current: 'up' };
    const device = testDevice('srv-1');
    const live = {
      ...device,
      view: Object.defineProperty({ ...device.view }, 'state', { get: () => states.current, enumerable: true }),
    };
    const site = await startSite({ devices: [live] });
    const { page, complaints } = await visit(site.url);
    expect(await page.textContent('h1')).toBe('The only device is up');
    states.current = 'down';

    await page.waitForSelector('h1:has-text("1 of 1 devices needs a look")', { timeout: 20_000 });
    expect(await page.textContent('[data-device="srv-1"] .pill')).toBe('down');
    expect(complaints).toEqual([]);
  });

  test('without scripts still finds what is wrong, sees a chart and downloads a report', async () => {
    const site = await yard();
    const { page } = await visit(site.url, { javaScriptEnabled: false });
    await follow(page, '.wrong-list a:has-text("sw-1")');
    await follow(page, 'text=Find out why');
    expect(await page.textContent('.ladder .bad')).toContain('look at the cable');
    await page.goto(`${site.url}/devices/srv-1`);
    expect(await page.getAttribute('figure svg', 'aria-label')).toMatch(/^Processor: between/);
    await page.goto(`${site.url}/reports`);
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('#sla a:has-text("CSV")')]);

    expect(file.suggestedFilename()).toBe('sla-this-month.csv');
  });

  test('reads it in German', async () => {
    const site = await yard();
    const { page } = await visit(site.url, { locale: 'de-DE' });

    expect(await page.getAttribute('html', 'lang')).toBe('de');
    expect(await page.textContent('h1')).toBe('2 von 3 Geräten brauchen einen Blick');
  });
});

describe('for everybody', () => {
  const AXE = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

  for (const scheme of ['light', 'dark'] as const)
    test(`no page has a serious fault of accessibility, ${scheme}`, async () => {
      const site = await yard();
      // The checker is put in by the test: the policy of the page would not let it run.
      const { page } = await visit(site.url, { colorScheme: scheme, bypassCSP: true });
      const found: string[] = [];
      for (const path of [
        '/',
        '/devices/srv-1',
        '/devices/copier',
        '/supplies',
        '/reports',
        '/discovery',
        '/maintenance',
        '/health',
        '/login',
      ]) {
        await page.goto(site.url + path);
        await page.evaluate(await AXE);
        const violations = (await page.evaluate(
          'axe.run().then((r) => r.violations.map((v) => [v.id, v.impact, v.nodes.map((n) => n.html).slice(0, 3).join(" ")]))',
        )) as [string, string, string][];
        for (const [id, impact, nodes] of violations)
          if (impact === 'serious' || impact === 'critical') found.push(`${path} ${id}: ${nodes}`);
      }

      expect(found).toEqual([]);
    });

  test('a telephone needs no scrolling sideways', async () => {
    const site = await yard();
    await fetch(`${site.url}/api/v1/maintenance`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ devices: ['copier'], duration_seconds: 3600, reason: 'new drum' }),
    });
    const { page } = await visit(site.url, { viewport: { width: 360, height: 740 } });
    for (const path of ['/', '/devices/copier', '/reports', '/maintenance', '/health', '/supplies']) {
      await page.goto(site.url + path);
      expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBeLessThanOrEqual(360);
    }
  });

  test('markup in names runs nowhere', async () => {
    const evil = '<img src=x onerror=alert(1)><script>alert(2)</script>"\'';
    const site = await startSite({
      devices: [
        testDevice(evil, 'down', { address: evil, problems: [{ code: evil, message: evil, hint: evil }] }),
        testDevice('b', 'up', {}, [
          { metric: 'siteward_component_ok', labels: { component: evil, kind: evil }, value: 0 },
        ]),
      ],
    });
    const { page, complaints } = await visit(site.url);
    await page.waitForSelector('#now[data-live]', { timeout: 15_000 });
    expect(await page.textContent('.wrong-list')).toContain(evil);
    await follow(page, '.wrong-list a >> nth=0');
    expect(await page.textContent('h1')).toBe(evil);

    expect(complaints).toEqual([]);
  });

  test('charts are drawn for names that a page shows otherwise, and for the longest', async () => {
    const name = `lab \u202E${'x'.repeat(200)}`;
    const opened = await openHistory();
    const labels = { interface: 'y'.repeat(200) };
    const device = testDevice(name, 'up', {}, [
      { metric: 'siteward_interface_up', labels, value: 1 },
      { metric: 'siteward_interface_receive_bytes_total', labels, value: 5n },
    ]);
    for (const minute of [3, 2, 1, 0]) {
      const at = (Date.now() - minute * 60_000) as WallTime;
      opened.append(name, 'siteward_interface_receive_bytes_total', labels, at, BigInt(1_000 - minute));
      opened.append(name, 'siteward_memory_used_ratio', { memory: '\u202Egnp.exe' }, at, 0.5);
    }
    const site = await startSite({ devices: [device], parts: { history: opened } });
    const { page, complaints } = await visit(`${site.url}/devices/${encodeURIComponent(name)}`);
    for (const figure of await page.locator('figure[data-chart]').all()) {
      await figure.scrollIntoViewIfNeeded();
      await figure.locator('canvas').waitFor();
    }

    expect(await page.locator('figure canvas').count()).toBe(2);
    expect(await page.locator('.u-label', { hasText: '\uFFFDgnp.exe' }).count()).toBe(1);
    expect(complaints).toEqual([]);
  });
});

const CLASSES = ['switch', 'server', 'printer', 'ap'] as const;
const many = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    testDevice(`dev-${index}`, index % 40 === 0 ? 'down' : 'up', { class: CLASSES[index % 4] ?? 'other' }),
  );

test('two hundred devices weigh little, scripts and style included', async () => {
  const site = await startSite({ devices: many(200) });
  const { page } = await visit(site.url);
  await page.waitForSelector('#now[data-live]');
  const bytes = (await page.evaluate(
    'performance.getEntries().reduce((sum, each) => sum + (each.transferSize ?? 0), 0)',
  )) as number;

  expect(await page.locator('.device-list > li').count()).toBe(200);
  expect(bytes).toBeGreaterThan(5_000);
  expect(bytes).toBeLessThan(120_000);
});

test('ten thousand devices come in parts that weigh no more than a small site, and every one can be reached', async () => {
  const site = await startSite({ devices: many(10_000) });
  const seen = new Set<string>();
  let heaviest = 0;
  for (let number = 1; number <= 41; number += 1) {
    const response = await fetch(`${site.url}/?page=${number}`, { headers: { accept: 'text/html' } });
    const html = await response.text();
    heaviest = Math.max(heaviest, html.length);
    const rows = [...html.matchAll(/<li data-device="([^"]+)"/g)].map(([, name = '']) => name);
    expect(rows).toHaveLength(250);
    for (const name of rows) seen.add(name);
  }
  const found = await (await fetch(`${site.url}/?q=dev-777`, { headers: { accept: 'text/html' } })).text();

  // Page 41 of 40 shows the last one: what a bookmark names stays of use when devices leave.
  expect(seen.size).toBe(10_000);
  expect(heaviest).toBeLessThan(300_000);
  expect(found.match(/<li data-device=/g)).toHaveLength(11);

  const { page, complaints } = await visit(site.url);
  await page.waitForSelector('#now[data-live]');
  expect(await page.locator('.device-list > li').count()).toBe(250);
  await follow(page, 'a[rel=next]');
  expect(await page.locator('.device-list > li').count()).toBe(250);
  expect(complaints).toEqual([]);
});
