import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { MetricName } from '#collectors/catalogue.ts';
import type { Evidence, Labels, Observation } from '#collectors/contract.ts';
import { CONTENT_TYPES } from '#daemon/exposition/text.ts';
import { PrometheusSink } from '#daemon/sinks/prometheus.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startPrometheus } from '../../support/prometheus.ts';
import { hostileText, seededRandom } from '../../support/random.ts';

const ANSWERED: Evidence = { kind: 'answered' };

function observation(
  device: string,
  group: string,
  readings: readonly (readonly [MetricName, Labels, number | bigint])[],
  evidence = ANSWERED,
): Observation {
  return {
    device,
    collector: 'snmp',
    question: 'metrics',
    at: 0 as Observation['at'],
    took: 0 as Observation['took'],
    evidence,
    groups: [{ name: group, readings: readings.map(([metric, labels, value]) => ({ metric, labels, value })) }],
    problems: [],
    requests: 1,
    timeouts: 0,
  };
}

function text(
  sink: PrometheusSink,
  ...rest: Parameters<PrometheusSink['render']> extends [infer _, ...infer R] ? R : never
): string {
  return Array.from(sink.render('text', ...rest), String).join('');
}

function samples(sink: PrometheusSink): string[] {
  return text(sink)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

test('a family is printed once, with the samples of all devices under it', () => {
  const sink = new PrometheusSink();
  sink.accept(observation('a', 'cpu', [['siteward_cpu_usage_ratio', { cpu: '0' }, 0.5]]));
  sink.accept(observation('b', 'cpu', [['siteward_cpu_usage_ratio', { cpu: '0' }, 1]]));

  expect(text(sink)).toBe(`# HELP siteward_cpu_usage_ratio Share of the processor in use.
# TYPE siteward_cpu_usage_ratio gauge
siteward_cpu_usage_ratio{device="a",cpu="0"} 0.5
siteward_cpu_usage_ratio{device="b",cpu="0"} 1
`);
});

test('a later group replaces the earlier one as a whole', () => {
  const sink = new PrometheusSink();
  sink.accept(
    observation('a', 'cpu', [
      ['siteward_cpu_usage_ratio', { cpu: '0' }, 0.5],
      ['siteward_cpu_usage_ratio', { cpu: '1' }, 0.25],
    ]),
  );
  sink.accept(observation('a', 'cpu', [['siteward_cpu_usage_ratio', { cpu: '1' }, 0.75]]));

  expect(samples(sink)).toEqual(['siteward_cpu_usage_ratio{device="a",cpu="1"} 0.75']);
});

test('what a silent device said goes away, except the meters that a bill stands on', () => {
  const sink = new PrometheusSink();
  sink.accept(
    observation('p', 'meters', [
      ['siteward_printer_meter_pages_total', { meter: 'total' }, 12345n],
      ['siteward_device_uptime_seconds', {}, 60],
    ]),
  );
  sink.accept({ ...observation('p', 'meters', [], { kind: 'silent' }), groups: [] });

  expect(samples(sink)).toEqual(['siteward_printer_meter_pages_total{device="p",meter="total"} 12345']);
});

test('no series stands twice, within a group or across groups', () => {
  const sink = new PrometheusSink();
  sink.accept(
    observation('a', 'one', [
      ['siteward_component_ok', { component: 'x', kind: 'fan' }, 1],
      ['siteward_component_ok', { kind: 'fan', component: 'x' }, 0],
    ]),
  );
  sink.accept(observation('a', 'two', [['siteward_component_ok', { component: 'x', kind: 'fan' }, 0]]));

  expect(samples(sink)).toEqual(['siteward_component_ok{device="a",component="x",kind="fan"} 1']);
});

test('a device that is watched no longer leaves nothing behind', () => {
  const sink = new PrometheusSink();
  sink.accept(observation('a', 'cpu', [['siteward_cpu_usage_ratio', { cpu: '0' }, 0.5]]));
  sink.forget('a');

  expect(text(sink)).toBe('');
  expect(sink.size().series).toBe(0);
});

test('counters past 2^53 keep every digit', () => {
  const sink = new PrometheusSink();
  sink.accept(
    observation('a', 'if', [['siteward_interface_receive_bytes_total', { interface: 'wan' }, 18446744073709551615n]]),
  );

  expect(samples(sink)[0]).toMatch(/ 18446744073709551615$/);
});

test('a scrape can be narrowed to devices and classes', () => {
  const sink = new PrometheusSink();
  sink.accept({
    ...observation('a', 'cpu', [['siteward_cpu_usage_ratio', { cpu: '0' }, 0.5]]),
    identity: { class: 'server', profile: 'x' },
  });
  sink.accept({
    ...observation('b', 'cpu', [['siteward_cpu_usage_ratio', { cpu: '0' }, 0.5]]),
    identity: { class: 'switch', profile: 'x' },
  });

  expect(text(sink, { devices: new Set(['a']) })).not.toContain('device="b"');
  expect(text(sink, { classes: new Set(['switch']) })).not.toContain('device="a"');
});

describe('10,000 hostile names', () => {
  const random = seededRandom(13);
  const names = Array.from({ length: 10_000 }, () => hostileText(random));
  const hostile = new PrometheusSink();
  for (const [index, name] of names.entries())
    hostile.accept(observation(`dev-${index} ${name}`, 'cpu', [['siteward_cpu_usage_ratio', { cpu: name }, index]]));

  test('promtool has nothing to say about them', () => {
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: text(hostile), encoding: 'utf8' });

    expect({ out: checked.stdout, err: checked.stderr, status: checked.status }).toEqual({
      out: '',
      err: '',
      status: 0,
    });
  });

  test('a real Prometheus reads one series for each from either format, with the name as it was', async () => {
    const server = createServer((request, response) => {
      const format = request.url === '/text' ? 'text' : 'openmetrics';
      response.writeHead(200, { 'content-type': CONTENT_TYPES[format] });
      response.end(`${Array.from(hostile.render(format), String).join('')}${format === 'text' ? '' : '# EOF\n'}`);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const job = (name: string) =>
      `{job_name: ${name}, metrics_path: /${name}, scrape_interval: 2s, static_configs: [{targets: ['${target}']}]}`;
    const config = `scrape_configs: [${job('text')}, ${job('openmetrics')}]\n`;
    const prometheus = await startPrometheus(await temporaryFolder(), config);
    onTestFinished(() => prometheus.stop());

    for (const format of ['text', 'openmetrics']) {
      const query = `siteward_cpu_usage_ratio{job="${format}"}`;
      await expect
        .poll(async () => (await prometheus.query(query, Date.now())).length, { timeout: 30_000, interval: 500 })
        .toBe(10_000);
      const held = await prometheus.query(query, Date.now());
      const byValue = new Map(held.map(({ metric, value }) => [Number(value[1]), metric]));
      for (const [index, name] of names.entries()) {
        const metric = byValue.get(index);
        expect(metric?.['device']).toBe(`dev-${index} ${name.toWellFormed()}`);
        expect(metric?.['cpu'] ?? '').toBe(name.toWellFormed());
      }
    }
  });
});

test('a device has at most 20,000 series of a group, and what is over them is counted', () => {
  const sink = new PrometheusSink();
  const flood = Array.from({ length: 20_010 }, (_, index) => {
    return ['siteward_cpu_usage_ratio', { cpu: `${index}` }, index] as const;
  });
  sink.accept(observation('a', 'cpu', flood));
  sink.accept(observation('a', 'cpu', flood));

  expect(sink.size()).toEqual({ series: 20_000, cut: 20 });
  expect(samples(sink).at(-1)).toBe('siteward_cpu_usage_ratio{device="a",cpu="19999"} 19999');
});

test('a device that comes, goes or changes in the middle of a scrape tears no line and doubles no series', () => {
  const sink = new PrometheusSink();
  const rows = Array.from({ length: 50 }, (_, index) => ({ component: `${index}`, kind: 'fan' }));
  const poll = (device: string, group: string, size: number) =>
    observation(
      device,
      group,
      rows
        .slice(0, size)
        .flatMap((labels) => [
          ['siteward_component_ok', labels, 1] as const,
          ['siteward_interface_receive_bytes_total', labels, 123_456_789n] as const,
        ]),
    );
  const devices = Array.from({ length: 40 }, (_, index) => `device-${index}`);
  for (const device of devices) for (const group of ['one', 'two']) sink.accept(poll(device, group, 50));

  const random = seededRandom(7);
  let scrape = '';
  let pieces = 0;
  for (const piece of sink.render('text')) {
    pieces += 1;
    scrape += piece.toString();
    for (const device of devices) {
      const chance = random();
      if (chance < 0.2) sink.forget(device);
      else if (chance < 0.4) sink.accept({ ...poll(device, 'one', 0), evidence: { kind: 'silent' }, groups: [] });
      else if (chance < 0.7) sink.accept(poll(device, chance < 0.5 ? 'one' : 'two', Math.floor(random() * 50)));
    }
  }

  const lines = scrape.split('\n').slice(0, -1);
  const series = lines.filter((line) => !line.startsWith('#')).map((line) => line.replace(/ .*/, ''));
  expect(pieces).toBeGreaterThan(3);
  expect(
    lines.filter(
      (line) => !/^(# .*|siteward_\w+\{device="device-\d+",component="\d+",kind="fan"\} (1|123456789))$/.test(line),
    ),
  ).toEqual([]);
  expect(new Set(series).size).toBe(series.length);
});

test('devices that share one labels object keep their own names', () => {
  const sink = new PrometheusSink();
  const shared = { state: 'up' };

  for (const device of ['fw-1', 'sw-1'])
    sink.accept(observation(device, 'seconds', [['siteward_availability_seconds_total', shared, 7n]]));

  expect(samples(sink)).toEqual([
    'siteward_availability_seconds_total{device="fw-1",state="up"} 7',
    'siteward_availability_seconds_total{device="sw-1",state="up"} 7',
  ]);
});
