/**
 * T20 at its number: ten thousand random texts through everything that other programs read. What reads them back is not
 * siteward's: parsers of the tests, written by the grammars, and real servers. There is no syslog here: siteward neither
 * sends nor takes it, and its log goes to stdout as JSON lines.
 */

import { spawnSync } from 'node:child_process';
import { Writable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import type { Observation, WallTime } from '#collectors/contract.ts';
import { showObservation } from '#daemon/cli/poll-text.ts';
import { encodeLines } from '#daemon/influx/line-encoder.ts';
import { writeChanges } from '#daemon/inventory/ledger.ts';
import { createLogger } from '#daemon/log.ts';
import { LAYOUTS } from '#daemon/meters/layouts.ts';
import type { ReportDocument } from '#daemon/reports/document.ts';
import { renderReport } from '#daemon/reports/render.ts';
import { PrometheusSink } from '#daemon/sinks/prometheus.ts';
import { LEDGER_OPTIONS } from '#daemon/store/ledger.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { parseCsv } from '../support/csv.ts';
import { deviceRecord } from '../support/device-record.ts';
import { parseExposition, samplesOf, seriesKey } from '../support/exposition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { hostileReports } from '../support/hostile-reports.ts';
import { strays } from '../support/hostile-site.ts';
import { startInfluxd } from '../support/influxd.ts';
import { parseLine } from '../support/line-parser.ts';
import { MARKUP, shownAs } from '../support/markup.ts';
import { observation, reading } from '../support/observations.ts';
import { startPrometheus } from '../support/prometheus.ts';
import { hostileText, seededRandom } from '../support/random.ts';
import { startSite, testDevice } from '../support/site.ts';
import { siteward, writeConfig } from '../support/siteward.ts';

const SEED = Number(process.env['SITEWARD_SEED'] ?? 20);
const COUNT = 10_000;
const SETTINGS = { client: 'ACME Ltd', site: 'acme-hq', precision: 'ms' } as const;

/** Octets as they may come off the wire, read as UTF-8 or as Latin-1, and texts of signs that mean something somewhere. */
function texts(): string[] {
  const random = seededRandom(SEED);
  return Array.from({ length: COUNT }, (_, index): string => {
    const fixed = MARKUP[index];
    if (fixed !== undefined) return fixed;
    if (index % 2 === 0) return hostileText(random);
    const octets = Buffer.from(Array.from({ length: Math.floor(random() * 64) }, () => Math.floor(random() * 256)));
    return octets.toString(index % 4 === 1 ? 'utf8' : 'latin1');
  });
}

const TEXTS = texts();
const tell = (what: string, shown: Record<string, unknown>): void =>
  console.info(`${what}:`, JSON.stringify({ seed: SEED, texts: COUNT, ...shown }));

describe('line protocol', () => {
  /** What a tag can hold: one line, no backslash, no more than 512 characters. */
  const meant = (text: string): string =>
    text
      .slice(0, 512)
      .toWellFormed()
      .replace(/[\p{Cc}\u2028\u2029]/gu, ' ')
      .replaceAll('\\', '/');
  const labels = (text: string) => ({ supply: text, description: text, type: text, color: text });
  const at = Date.now();
  const linesOf = (device: string, text: string, value: number): string[] => {
    const { lines, refused } = encodeLines(
      observation(device, at, [reading('siteward_printer_supply_level_ratio', value, labels(text))]),
      undefined,
      SETTINGS,
    );
    expect(refused).toBe(0);
    return lines.map((line) => line.text);
  };

  test('each text is one line and one record, with the text as it was meant', async () => {
    const influxd = await startInfluxd(await temporaryFolder());
    onTestFinished(() => influxd.stop());
    await influxd.query('CREATE DATABASE siteward');
    let records = 0;
    const body: string[] = [];
    for (const [index, text] of TEXTS.entries()) {
      const [line = '', ...more] = linesOf(`dev-${index} ${text}`, text, index);
      expect(more).toEqual([]);
      const { tags, fields, timestamp } = parseLine(line);
      const wanted = Object.entries({
        ...labels(text),
        device: `dev-${index} ${text}`,
        client: 'ACME Ltd',
        site: 'acme-hq',
      })
        .map(([name, value]) => [name, meant(value)])
        .filter(([, value]) => value !== '');
      expect({ ...tags }).toEqual(Object.fromEntries(wanted));
      expect({ ...fields }).toEqual({ level_ratio: index });
      expect(timestamp).toBe(BigInt(at));
      records += 1;
      body.push(line);
    }

    const { status } = await fetch(`${influxd.url}/write?db=siteward&precision=ms`, {
      method: 'POST',
      body: body.join('\n'),
    });
    expect(status).toBe(204);
    const rows = await influxd.query('SELECT level_ratio, supply, description FROM printer_supply GROUP BY device');
    const held = new Map(rows.map((row) => [row['level_ratio'], row]));
    tell('line protocol', { records, inInfluxd: rows.length });
    expect(await influxd.query('SHOW MEASUREMENTS')).toEqual([{ name: 'printer_supply' }]);
    expect(rows).toHaveLength(COUNT);
    for (const [index, text] of TEXTS.entries()) {
      const wanted = {
        device: meant(`dev-${index} ${text}`),
        supply: meant(text) || null,
        description: meant(text) || null,
      };
      expect(held.get(index)).toMatchObject(wanted);
    }
  });

  test('two texts that become one cost the second point, and no line beside it', () => {
    const { lines, refused } = encodeLines(
      observation('dev', at, [
        reading('siteward_printer_supply_level_ratio', 1, labels('a\tb')),
        reading('siteward_printer_supply_level_ratio', 0, labels('a b')),
        reading('siteward_printer_supply_level_ratio', 0.5, labels('other')),
      ]),
      undefined,
      SETTINGS,
    );

    expect(refused).toBe(1);
    expect(
      lines.map(({ text }) => parseLine(text)).map(({ tags, fields }) => [tags['supply'], fields['level_ratio']]),
    ).toEqual([
      ['a b', 1],
      ['other', 0.5],
    ]);
  });
});

describe('a scrape', () => {
  /** All texts, and among them two of one device that are the same once they are written. */
  function filled(): PrometheusSink {
    const sink = new PrometheusSink();
    for (const [index, text] of TEXTS.entries())
      sink.accept(
        observation(`dev-${index} ${text}`, 0, [
          reading('siteward_printer_supply_level_ratio', index, {
            supply: text,
            description: text,
            type: text,
            color: text,
          }),
        ]),
      );
    sink.accept(
      observation('clash', 0, [
        reading('siteward_cpu_usage_ratio', 0.25, { cpu: '\ud800' }),
        reading('siteward_cpu_usage_ratio', 0.75, { cpu: '\udc00' }),
        reading('siteward_cpu_usage_ratio', 0.5, { cpu: 'other' }),
      ]),
    );
    return sink;
  }

  for (const [format, accept] of [
    ['text', 'text/plain'],
    ['OpenMetrics', 'application/openmetrics-text;version=1.0.0'],
  ] as const)
    test(`as ${format} has one sample for each text, and a clash costs one series`, async () => {
      const site = await startSite({ parts: { devices: filled() } });
      const body = await (await fetch(`${site.url}/metrics`, { headers: { accept } })).text();
      const samples = parseExposition(body);
      const found = new Map(
        samplesOf(samples, 'siteward_printer_supply_level_ratio').map((each) => [each.value, each]),
      );
      tell(`exposition as ${format}`, { lines: body.split('\n').length, samples: samples.length, found: found.size });

      if (format === 'OpenMetrics') expect(body.endsWith('\n# EOF\n')).toBe(true);
      expect(samplesOf(samples, 'siteward_printer_supply_level_ratio')).toHaveLength(COUNT);
      for (const [index, text] of TEXTS.entries()) {
        const label = text.toWellFormed();
        const wanted = {
          device: `dev-${index} ${label}`,
          supply: label,
          description: label,
          type: label,
          color: label,
        };
        expect({ ...found.get(index)?.labels }).toEqual(wanted);
      }
      expect(new Set(samples.map(seriesKey)).size).toBe(samples.length);
      expect(samplesOf(samples, 'siteward_cpu_usage_ratio').map(({ labels, value }) => [labels['cpu'], value])).toEqual(
        [
          ['\ufffd', 0.25],
          ['other', 0.5],
        ],
      );
      if (format === 'text') {
        const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' });
        expect(`${stdout}${stderr}`).toBe('');
      }
    });

  test('is taken whole by a real Prometheus, with each text as it was', async () => {
    const site = await startSite({ parts: { devices: filled() } });
    const target = new URL(site.url).host;
    const job = `{job_name: site, scrape_interval: 5s, static_configs: [{targets: ['${target}']}]}`;
    const prometheus = await startPrometheus(await temporaryFolder(), `scrape_configs: [${job}]\n`);
    onTestFinished(() => prometheus.stop());
    const query = async (expression: string) => await prometheus.query(expression, Date.now());

    await expect
      .poll(async () => (await query('siteward_printer_supply_level_ratio')).length, { timeout: 60_000, interval: 500 })
      .toBe(COUNT);
    const held = new Map(
      (await query('siteward_printer_supply_level_ratio')).map((each) => [Number(each.value[1]), each.metric]),
    );
    tell('a real Prometheus', { held: held.size, up: (await query('up'))[0]?.value[1] });
    for (const [index, text] of TEXTS.entries()) {
      expect(held.get(index)?.['device']).toBe(`dev-${index} ${text.toWellFormed()}`);
      expect(held.get(index)?.['supply'] ?? '').toBe(text.toWellFormed());
    }
    expect(await query('siteward_cpu_usage_ratio')).toHaveLength(2);
    expect((await query('up')).map(({ value }) => value[1])).toEqual(['1']);
  });
});

describe('a report', () => {
  /** What a spreadsheet may be given: no control characters that it cannot show. */
  const meant = (text: string): string => text.toWellFormed().replace(/[^\P{Cc}\t\r\n]/gu, '\uFFFD');
  const runs = (cell: string): boolean => /^(\s*[=+\-@]|[\t\r])/.test(cell) && !/^[+-]?\d+(\.\d+)?$/.test(cell);

  /** Rows of a kind of table in the document. */
  function rowsOf({ sections }: ReportDocument): Map<string, number> {
    const rows = new Map<string, number>();
    for (const { tables = [] } of sections)
      for (const table of tables) rows.set(table.name, (rows.get(table.name) ?? 0) + table.rows.length);
    return rows;
  }

  const reports = hostileReports(TEXTS);
  for (const { kind, document, shown } of reports)
    test(`${kind} as CSV has one record for each row, whose cells run as no formula`, async () => {
      const records = parseCsv(Buffer.from(await renderReport(document, 'csv')).toString('utf8'));
      const blocks = Map.groupBy(records, ([name]) => name);
      const cells = records.flat();
      tell(`${kind} as CSV`, { records: records.length, cells: cells.length, places: shown.length });

      for (const [name, count] of rowsOf(document)) {
        expect(blocks.get(name)?.length ?? 0, name).toBe(count);
        expect(new Set(blocks.get(name)?.map(({ length }) => length)).size, name).toBeLessThanOrEqual(1);
      }
      expect(strays(cells, shown, meant).slice(0, 20)).toEqual([]);
      expect(cells.filter(runs).slice(0, 20)).toEqual([]);
    });

  // One text of sixty-five thousand characters would make a column, and so every row, as wide.
  for (const { kind, document, shown } of hostileReports(TEXTS.map((text) => text.slice(0, 200))))
    test(`${kind} on a terminal has one line for each row, and nothing that a terminal obeys`, async () => {
      const lines = Buffer.from(await renderReport(document, 'table'))
        .toString('utf8')
        .split('\n');
      const onOneLine = (text: string): string => shownAs(text).replace(/[\n\t]/g, '\uFFFD');
      const rows = rowsOf(document)
        .values()
        .reduce((sum, count) => sum + count, 0);
      tell(`${kind} on a terminal`, { lines: lines.length, rows });

      expect(strays(lines, shown, onOneLine).slice(0, 20)).toEqual([]);
      expect(lines.filter((line) => /[\p{Cc}\u202A-\u202E\u2066-\u2069]/u.test(line))).toEqual([]);
    });

  for (const [name, layout] of Object.entries(LAYOUTS))
    test(`of meters in the layout ${name} has one record for each reading`, () => {
      const meters = reports.find(({ kind }) => kind === 'meters');
      const records = parseCsv(Buffer.from(layout.render(meters?.document as ReportDocument)).toString('utf8'));
      const serials = meters?.shown.filter((text) => /\u27e6serial \d+\u27e7$/.test(text)) ?? [];
      tell(`layout ${name}`, { records: records.length });

      expect(records).toHaveLength(COUNT + 1);
      expect(new Set(records.map(({ length }) => length)).size).toBe(1);
      expect(strays(records.flat(), serials, meant).slice(0, 20)).toEqual([]);
      expect(records.flat().filter(runs).slice(0, 20)).toEqual([]);
    });
});

test('the log has one JSON line for each entry, with the texts in it', async () => {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  const log = createLogger('info', stream);
  for (const text of TEXTS)
    log.info('a device said something', { text, nested: { text, [text]: 1 }, list: [text], error: new Error(text) });
  const lines = () => Buffer.concat(chunks).toString('utf8').split('\n');
  await expect.poll(() => lines().length, { timeout: 30_000 }).toBe(COUNT + 1);

  const parsed = lines()
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  tell('JSON log', { lines: parsed.length });
  for (const [index, text] of TEXTS.entries()) {
    const cut = text.length > 1024 ? `${text.slice(0, 1024)}…` : text;
    const { timestamp, ...rest } = parsed[index] ?? {};
    expect(Number.isNaN(Date.parse(String(timestamp)))).toBe(false);
    expect(rest).toEqual({
      level: 'info',
      message: 'a device said something',
      text: cut,
      nested: { text: cut, [text]: 1 },
      list: [cut],
      error: { code: 'Error', message: cut },
    });
  }
});

describe('the command line', () => {
  /** What may reach a terminal. */
  const meant = (text: string): string => text.toWellFormed().replace(/[\p{Cc}\p{Cf}]/gu, '\uFFFD');

  test('lists each device on one line, in columns that its texts do not break', async () => {
    // Sixty-five thousand characters in one row would make every row as wide.
    const usual = TEXTS.map((text) => text.slice(0, 200));
    const site = await startSite({
      devices: usual.map((text, index) =>
        testDevice(`dev-${index}`, 'up', {
          address: text,
          identity: { class: 'server', profile: 'p', vendor: text, model: `model ${index}` },
        }),
      ),
    });
    const config = `${await temporaryFolder()}/siteward.yaml`;
    await writeConfig(config, { http: { listen: new URL(site.url).host } });
    const [table, json] = await Promise.all([
      siteward(['devices', '--config', config]),
      siteward(['devices', '--json', '--config', config]),
    ]);

    const [head = '', ...lines] = table.stdout.split('\n').slice(0, -1);
    const columns = ['STATE', 'DEVICE', 'CLASS', 'WHAT IT IS', 'ADDRESS', 'SINCE'].map((title) => head.indexOf(title));
    tell('siteward devices', { lines: lines.length, json: json.stdout.length });
    expect(table.code).toBe(0);
    expect(lines).toHaveLength(COUNT);
    for (const [index, text] of usual.entries()) {
      const cells = columns.map((from, place) => lines[index]?.slice(from, columns[place + 1]).trimEnd());
      const what = [text, `model ${index}`].filter(Boolean).join(' ');
      expect(cells.slice(0, 5)).toEqual(['up', `dev-${index}`, 'server', meant(what).trimEnd(), meant(text).trimEnd()]);
    }
    const rows = JSON.parse(json.stdout) as readonly Record<string, unknown>[];
    expect(rows.map(({ address, vendor }) => [address, vendor])).toEqual(usual.map((text) => [text, text]));
  });

  test('shows a poll in as many lines as it has facts', () => {
    const identity = { class: 'server', profile: 'p' } as const;
    let lines = 0;
    for (const text of TEXTS) {
      const named = `x${text}`;
      const said = { out: '', err: '' };
      const into = (end: keyof typeof said) => (part: string) => {
        said[end] += part;
      };
      const signal = new AbortController().signal;
      const io = { out: into('out'), err: into('err'), isTerminal: true, env: {}, signal };
      const seen: Observation = observation(
        'dev',
        0,
        [reading('siteward_sensor_temperature_celsius', 40, { sensor: named })],
        {
          identity: { ...identity, vendor: named, model: named, serial: named, version: named, sysName: named },
          problems: [{ code: 'X', message: named, hint: named }],
        },
      );
      showObservation(io, { address: named }, seen);

      const label = meant(named);
      expect(said.out.split('\n').slice(0, 10)).toEqual([
        `${label} ${label} (server)`,
        `  name     ${label}`,
        `  serial   ${label}`,
        `  version  ${label}`,
        '  profile  p',
        `  address  ${label}`,
        '',
        'sensor',
        expect.stringContaining(`  ${label}  `),
        '',
      ]);
      expect(said.err.split('\n')).toEqual([`! ${label}`, `  ${label}`, '']);
      lines += said.out.split('\n').length + said.err.split('\n').length - 2;
    }
    tell('poll on a terminal', { lines });
  });

  test('exports each device as one entry of YAML', async () => {
    const folder = await temporaryFolder();
    const config = `${folder}/siteward.yaml`;
    await writeConfig(config, { storage: { directory: 'data' } });
    const names = TEXTS.map((text, index) => `${index} ${text}`);
    const records = names.map((name, index) =>
      deviceRecord(`id-${index}`, { state: 'adopted', name, addresses: [`at ${name}`] }),
    );
    const store = await openStore({ directory: `${folder}/data`, log: createLogger('error') });
    const { database } = await store.open('ledger', LEDGER_OPTIONS);
    await writeChanges(database, { records, events: [] }, 0 as WallTime);
    await store.close();

    const { stdout, code } = await siteward(['devices', '--export', '--config', config]);
    const { devices } = parseYaml(stdout) as { devices: { name: string; address: string }[] };
    tell('siteward devices --export', { entries: devices.length });
    expect(code).toBe(0);
    const byName = new Map(devices.map(({ name, address }) => [name, address]));
    expect(devices).toHaveLength(COUNT);
    for (const name of names) expect(byName.get(name) ?? byName.get(name.toWellFormed())).toBeDefined();
  });
});
