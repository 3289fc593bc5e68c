import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CATALOGUE, METRIC_NAMES } from '#collectors/catalogue.ts';
import type { Reading } from '#collectors/contract.ts';
import { encodeLines, tagValue } from '#daemon/influx/line-encoder.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startInfluxd } from '../../support/influxd.ts';
import { parseLine } from '../../support/line-parser.ts';
import { observation, reading } from '../../support/observations.ts';
import { hostileText, seededRandom } from '../../support/random.ts';
import { startVictoriaMetrics } from '../../support/victoria-metrics.ts';

const SETTINGS = { client: 'ACME Ltd', site: 'acme-hq', precision: 'ms' } as const;
const AT = 1_790_000_000_123;

function texts(readings: readonly Reading[], settings: Partial<typeof SETTINGS | { precision: 's' }> = {}): string[] {
  const encoded = encodeLines(observation('sw-1', AT, readings), 'switch', { ...SETTINGS, ...settings });
  return encoded.lines.map(({ text }) => text);
}

describe('one line', () => {
  test('holds all fields of a measurement and tag set, with tags in order and types as the catalogue says', () => {
    const labels = { interface: 'Gi0/1' };

    const lines = texts([
      reading('siteward_interface_receive_bytes_total', 12n, labels),
      reading('siteward_interface_up', 1, labels),
      reading('siteward_interface_receive_bytes_total', 7n, { interface: 'Gi0/2' }),
    ]);

    expect(lines).toEqual([
      `interface,class=switch,client=ACME\\ Ltd,device=sw-1,interface=Gi0/1,site=acme-hq receive_bytes=12i,up=1 ${AT}`,
      `interface,class=switch,client=ACME\\ Ltd,device=sw-1,interface=Gi0/2,site=acme-hq receive_bytes=7i ${AT}`,
    ]);
  });

  test('has its time in the precision of the output', () => {
    expect(texts([reading('siteward_cpu_usage_ratio', 0.5, { cpu: '0' })], { precision: 's' })[0]).toMatch(
      / 1790000000$/,
    );
  });

  test('has no tag without a value, and no device or class where it is about the site', () => {
    const encoded = encodeLines(
      observation('', AT, [reading('siteward_site_info', 1, { site: 'acme-hq', client: '', timezone: 'UTC' })]),
      'switch',
      SETTINGS,
    );

    expect(encoded.lines.map(({ text }) => text)).toEqual([`site,site=acme-hq,timezone=UTC info=1 ${AT}`]);
  });

  test("takes a metric's own label before the tag of the same name", () => {
    const labels = { class: 'printer', address: '192.0.2.1' };

    const [line = ''] = texts([reading('siteward_device_info', 1, labels)]);

    expect(parseLine(line).tags).toEqual({
      address: '192.0.2.1',
      class: 'printer',
      client: 'ACME Ltd',
      device: 'sw-1',
      site: 'acme-hq',
    });
  });

  test('of availability and of print meters is important', () => {
    const { lines } = encodeLines(
      observation('mfp-1', AT, [
        reading('siteward_printer_meter_pages_total', 1n, { meter: 'total' }),
        reading('siteward_device_up', 1),
        reading('siteward_printer_supply_level_ratio', 1, { supply: '1' }),
      ]),
      'printer',
      SETTINGS,
    );

    expect(lines.map(({ important }) => important)).toEqual([true, true, false]);
  });
});

describe('numbers', () => {
  const counter = (value: bigint): string => /receive_bytes=(\S+)/.exec(texts([bytes(value)])[0] ?? '')?.[1] ?? '';
  const bytes = (value: number | bigint) =>
    reading('siteward_interface_receive_bytes_total', value, { interface: 'a' });

  test('counters keep every digit up to 2^63 and go on from zero after it', () => {
    expect(counter(2n ** 53n + 1n)).toBe('9007199254740993i');
    expect(counter(2n ** 63n - 1n)).toBe('9223372036854775807i');
    expect(counter(2n ** 63n)).toBe('0i');
    expect(counter(2n ** 64n - 1n)).toBe('9223372036854775807i');
    expect(counter(2n ** 63n + 5n)).toBe('5i');
  });

  test('gauges in bytes are clamped, for they do not wrap', () => {
    const size = (value: number | bigint) =>
      texts([reading('siteward_filesystem_size_bytes', value, { mountpoint: '/' })]);

    expect(size(2n ** 64n)[0]).toContain('size_bytes=9223372036854775807i');
    expect(size(1.6)[0]).toContain('size_bytes=2i');
  });

  test('what is not finite is refused, and what is beside it is not', () => {
    const encoded = encodeLines(
      observation('a', AT, [
        reading('siteward_cpu_usage_ratio', Number.NaN, { cpu: '0' }),
        reading('siteward_load_average', Number.POSITIVE_INFINITY, { window: '1m' }),
        reading('siteward_load_average', 1e21, { window: '5m' }),
        reading('siteward_load_average', 5e-324, { window: '15m' }),
      ]),
      undefined,
      SETTINGS,
    );

    expect(encoded.refused).toBe(2);
    expect(encoded.lines.map(({ text }) => text.split(' ').at(-2))).toEqual([
      'load_average=1e+21',
      'load_average=5e-324',
    ]);
  });

  test('a second value for a field that has one is refused', () => {
    expect(encodeLines(observation('a', AT, [bytes(1n), bytes(2n)]), undefined, SETTINGS)).toMatchObject({
      refused: 1,
      lines: [{ text: expect.stringContaining('receive_bytes=1i') }],
    });
  });
});

describe('names that devices send', () => {
  test.each([
    ['line\nbreak', 'line\\ break'],
    ['nul\0 and escape\u001b[31m', 'nul\\ \\ and\\ escape\\ [31m'],
    ['C:\\ Label', 'C:/\\ Label'],
    ['ends\\', 'ends/'],
    ['a,b=c d', 'a\\,b\\=c\\ d'],
    ['lone \ud800 surrogate', 'lone\\ \ufffd\\ surrogate'],
    ['#comment "quoted"', '#comment\\ "quoted"'],
    ['Büro 🖨', 'Büro\\ 🖨'],
  ])('%j', (name, expected) => {
    expect(tagValue(name)).toBe(expected);
  });

  test('any text, number and metric give lines that an independent reader takes apart into what went in', () => {
    const reading = fc.record({
      metric: fc.constantFrom(...METRIC_NAMES),
      value: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
      label: fc.string({ unit: 'binary', maxLength: 40 }),
    });

    fc.assert(
      fc.property(fc.array(reading, { maxLength: 20 }), fc.string({ unit: 'binary' }), (readings, device) => {
        const labelled = readings.map(({ metric, value, label }): Reading => {
          const labels = Object.fromEntries(CATALOGUE[metric].labels.map((name) => [name, label]));
          return { metric, value, labels };
        });

        const { lines, refused } = encodeLines(observation(device, AT, labelled), 'other', SETTINGS);

        const parsed = lines.map(({ text }) => parseLine(text));
        const fields = parsed.reduce((sum, line) => sum + Object.keys(line.fields).length, 0);
        expect(fields + refused).toBe(readings.length);
        for (const line of parsed) expect(line.timestamp).toBe(BigInt(AT));
      }),
      { numRuns: 2000 },
    );
  });

  test('10,000 hostile names are one record each to a real influxd and a real victoria-metrics', async () => {
    const [influxd, victoria] = await Promise.all([
      temporaryFolder().then((folder) => startInfluxd(folder)),
      temporaryFolder().then((folder) => startVictoriaMetrics(folder)),
    ]);
    onTestFinished(() => influxd.stop());
    onTestFinished(() => victoria.stop());
    const random = seededRandom(7);
    const names = Array.from({ length: 10_000 }, () => hostileText(random));
    const at = Date.now();
    const body = names
      .flatMap((name, index) =>
        encodeLines(
          observation(`dev-${index}`, at, [
            reading('siteward_interface_receive_bytes_total', BigInt(index), { interface: name }),
          ]),
          undefined,
          SETTINGS,
        ).lines.map(({ text }) => `${text}\n`),
      )
      .join('');
    await influxd.query('CREATE DATABASE siteward');

    for (const { url } of [influxd, victoria]) {
      const { status } = await fetch(`${url}/write?db=siteward&precision=ms`, { method: 'POST', body });
      expect(status).toBe(204);
    }

    expect(await influxd.query('SHOW MEASUREMENTS')).toEqual([{ name: 'interface' }]);
    const rows = await influxd.query('SELECT receive_bytes, "interface" FROM "interface" GROUP BY device');
    const byDevice = new Map(rows.map((row) => [row['device'], row]));
    expect(rows.length).toBe(10_000);
    for (const [index, name] of names.entries()) {
      const expected = tagValue(name).replace(/\\(.)/g, '$1');
      expect(byDevice.get(`dev-${index}`)).toMatchObject({
        time: at,
        receive_bytes: index,
        interface: expected || null,
      });
    }
    const series = await victoria.export('{__name__!=""}', 10_000);
    expect(series).toHaveLength(10_000);
    expect(series.every(({ metric, values }) => values.length === 1 && metric['device'] === `dev-${values[0]}`)).toBe(
      true,
    );
  });
});
