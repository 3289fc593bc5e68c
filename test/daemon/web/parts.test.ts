import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test, vi } from 'vitest';
import type { Reading, WallTime } from '#collectors/contract.ts';
import { findingsOf } from '#daemon/web/findings.ts';
import { durationText, percentText, timeText, type Words } from '#daemon/web/format.ts';
import { de } from '#daemon/web/messages/de.ts';
import { en } from '#daemon/web/messages/en.ts';
import { paged } from '#daemon/web/paging.ts';
import { type StatePiece, stripOf, stripSvg } from '#daemon/web/strip.ts';
import { suppliesOf, supplyTone } from '#daemon/web/supplies.ts';
import { startSite, testDevice } from '../../support/site.ts';

const ENGLISH: Words = { language: 'en', messages: en, timezone: 'Europe/Berlin' };
const piece = (from: number, to: number, state: StatePiece['state']): StatePiece => ({
  from: from as WallTime,
  to: to as WallTime,
  state,
});
const span = (to: number, slots: number) => ({ from: 0 as WallTime, to: to as WallTime, slots });

describe('a state strip', () => {
  test('shows an outage however short it was, and tells a short one from a long one', () => {
    const { bars, up } = stripOf(
      [
        piece(0, 1000, 'up'),
        piece(1000, 1005, 'down'),
        piece(1005, 2000, 'up'),
        piece(2000, 2600, 'down'),
        piece(2600, 4000, 'up'),
      ],
      span(4000, 4),
    );

    expect(bars).toEqual(['up', 'brief', 'down', 'up']);
    expect(up).toBeCloseTo(1 - 605 / 4000);
  });

  test('leaves out what nobody knows, and counts it for nothing', () => {
    const { bars, up } = stripOf([piece(2000, 2900, 'unknown'), piece(3000, 4000, 'up')], span(4000, 4));

    expect(bars).toEqual(['none', 'none', 'unknown', 'up']);
    expect(up).toBe(1);
  });

  test('of a device that was never watched has no figure', () => {
    expect(stripOf([], span(4000, 2))).toEqual({ bars: ['none', 'none'] });
  });

  test('draws bars of one look as one path', () => {
    const svg = stripSvg({ bars: ['up', 'up', 'down', 'up'], up: 0.9 }, '24 hours', ENGLISH).text;

    expect(svg).toContain('aria-label="24 hours: 90 % up"');
    expect(svg.match(/<path/g)).toHaveLength(2);
    expect(svg).toContain('class="bar-up" d="M0 10h12M18 10h6"');
  });
});

describe('figures', () => {
  test('are never rounded up to all, nor down to nothing', () => {
    expect(percentText(0.99999, ENGLISH, 2)).toBe('99.99 %');
    expect(percentText(1, ENGLISH, 2)).toBe('100 %');
    expect(percentText(0.000_001, ENGLISH)).toBe('1 %');
    expect(percentText(0, ENGLISH)).toBe('0 %');
  });

  test('are written as people of the language write them', () => {
    const german: Words = { ...ENGLISH, language: 'de', messages: de };
    expect(percentText(0.9995, german, 3)).toBe('99,95 %');
    expect(durationText(93_784_000, ENGLISH)).toBe('26 h 3 min');
    expect(timeText(Date.UTC(2026, 9, 25, 1, 30), ENGLISH, 'time')).toBe('02:30');
  });
});

test('both languages say the same things', () => {
  const keys = (value: unknown, path = ''): string[] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, item]) => keys(item, `${path}.${key}`))
      : [`${path}:${typeof value}`];

  expect(keys(de)).toEqual(keys(en));
});

describe('what is wrong', () => {
  const now = 1_800_000_000;
  const of = (metric: Reading['metric'], value: number, labels: Record<string, string> = {}): Reading => ({
    metric,
    labels,
    value,
  });

  test('with a device that is down is that it is down, whatever it said before', () => {
    expect(findingsOf('down', [of('siteward_ups_on_battery', 1)], now, ENGLISH)).toEqual([
      { severity: 'bad', code: 'state:down', text: 'does not answer' },
    ]);
  });

  test('with one that is up is read from its readings, the worst first', () => {
    const texts = findingsOf(
      'up',
      [
        of('siteward_license_expiry_timestamp_seconds', now + 10 * 86_400, { license: 'UTM' }),
        of('siteward_component_ok', 0, { component: 'PSU 2', kind: 'psu' }),
        of('siteward_filesystem_used_bytes', 95, { mountpoint: '/' }),
        of('siteward_filesystem_size_bytes', 100, { mountpoint: '/' }),
        of('siteward_printer_error', 1, { error: 'jammed' }),
      ],
      now,
      ENGLISH,
    ).map(({ severity, text }) => `${severity} ${text}`);

    expect(texts).toEqual([
      'bad PSU 2 is not in order',
      'bad paper jam',
      'warn licence UTM ends on 25 Jan 2027',
      'warn / is 95 % full',
    ]);
  });

  test('with one that is well is nothing', () => {
    expect(
      findingsOf(
        'up',
        [of('siteward_ups_on_battery', 0), of('siteward_component_ok', 1, { component: 'a', kind: 'fan' })],
        now,
        ENGLISH,
      ),
    ).toEqual([]);
  });
});

test('a supply whose level nobody knows is neither full nor empty', () => {
  const [supply] = suppliesOf([
    {
      metric: 'siteward_printer_supply_info',
      labels: { supply: '1', description: 'Waste', type: 'wasteToner', color: '' },
      value: 1,
    },
  ]);

  expect(supply).toEqual({ supply: '1', description: 'Waste', type: 'wasteToner', color: '' });
  expect(supply && supplyTone(supply)).toBe('');
});

test('a list in parts says where the next one is and how many there are', () => {
  const { items, headers } = paged(
    [1, 2, 3, 4, 5],
    { limit: 2, offset: 2, state: 'up', class: undefined },
    '/api/v1/devices',
  );

  expect(items).toEqual([3, 4]);
  expect(headers).toEqual({ 'X-Total-Count': '5', Link: '</api/v1/devices?state=up&limit=2&offset=4>; rel="next"' });
});

describe('the description of the API', () => {
  test('names every call, and its schemas are schemas', async () => {
    const site = await startSite({ devices: [testDevice('a')] });
    const document = (await (await fetch(`${site.url}/api/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<
        string,
        Record<string, { responses: Record<string, { content?: Record<string, { schema?: object }> }> }>
      >;
    };
    const ajv = new Ajv2020({ strict: false, logger: false });

    expect(document.openapi).toBe('3.1.0');
    for (const { method, path } of await site.routes())
      if (path.startsWith('/api/'))
        expect(document.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method], path).toBeDefined();
    for (const operations of Object.values(document.paths))
      for (const { responses } of Object.values(operations))
        for (const { content } of Object.values(responses))
          for (const { schema } of Object.values(content ?? {}))
            if (schema && !('$ref' in schema)) expect(ajv.validateSchema(schema)).toBe(true);
  });

  test('describes what is answered', async () => {
    const site = await startSite({ devices: [testDevice('a'), testDevice('b', 'down')] });
    const document = (await (await fetch(`${site.url}/api/openapi.json`)).json()) as {
      paths: Record<string, { get: { responses: { 200: { content: { 'application/json': { schema: object } } } } } }>;
    };
    const ajv = new Ajv2020({ strict: false, logger: false, validateFormats: false });
    for (const [path, url] of [
      ['/api/v1/site', '/api/v1/site'],
      ['/api/v1/devices', '/api/v1/devices?state=down'],
      ['/api/v1/devices/{name}', '/api/v1/devices/a'],
    ] as const) {
      const schema = document.paths[path]?.get.responses[200].content['application/json'].schema ?? {};
      const valid = ajv.validate(schema, await (await fetch(site.url + url)).json());
      expect(ajv.errors, path).toBeNull();
      expect(valid).toBe(true);
    }
  });
});

test('the look at the site that was taken while it started is not told once all have been asked', async () => {
  const standing = { ready: false };
  const site = await startSite({
    devices: [
      {
        ...testDevice('srv-1'),
        get view() {
          return testDevice('srv-1', standing.ready ? 'up' : 'unknown').view;
        },
      },
    ],
    view: { notReady: () => (standing.ready ? [] : ['the first cycle is not done']) },
  });
  const title = async () =>
    /<h1>([^<]*)/.exec(await (await fetch(site.url, { headers: { accept: 'text/html' } })).text())?.[1];

  expect(await title()).toContain('just started');
  standing.ready = true;
  await vi.waitFor(async () => expect(await title()).not.toContain('just started'));
  expect(await title()).toBe('The only device is up');
});
