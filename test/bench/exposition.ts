/** `/metrics` of 100,000 series: how long it takes, and how long the loop stands still meanwhile. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { METRIC_NAMES } from '#collectors/catalogue.ts';
import { configOf } from '#config/load.ts';
import { systemClock } from '#daemon/clock.ts';
import { SelfMetrics } from '#daemon/exposition/self.ts';
import { createLogger } from '#daemon/log.ts';
import { PrometheusSink } from '#daemon/sinks/prometheus.ts';
import { memoryAudit } from '#daemon/web/access/audit.ts';
import { startWeb } from '#daemon/web/server.ts';
import type { SiteView } from '#daemon/web/site-view.ts';
import { observation, reading } from '../support/observations.ts';
import { type Figure, median } from './table.ts';

const DEVICES = 200;
const PORTS = 50;
const SCRAPES = 9;
const INTERFACE_METRICS = METRIC_NAMES.filter((name) =>
  /^siteward_interface_.*(bytes|packets|errors|discards)_total$/.test(name),
).concat('siteward_interface_up', 'siteward_interface_speed_bytes_per_second');

export async function benchExposition(): Promise<Figure[]> {
  const sink = filledSink();
  const view: SiteView = {
    site: { id: 'b', client: 'B', timezone: 'UTC' },
    version: '0',
    startedAt: 0 as SiteView['startedAt'],
    demo: false,
    devices: () => [],
    device: () => undefined,
    readings: () => [],
    notReady: () => [],
    reload: async () => [],
  };
  const web = await startWeb({
    listen: '127.0.0.1:0',
    parts: {
      view,
      clock: systemClock,
      self: new SelfMetrics('0', () => []),
      devices: sink,
      log: createLogger('error'),
      audit: memoryAudit(),
      http: () => configOf({ site: { id: 'b', client: 'B' } }, '.').config.http,
    },
  });
  const child = new URL('./scrape.ts', import.meta.url).pathname;
  const { spawn } = await import('node:child_process');
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  // The reader is a process of its own: here only the renderer's share of the loop is to be seen.
  const reader = spawn(process.execPath, [child, `${web.url}/metrics`, String(SCRAPES)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  reader.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await new Promise((resolve) => reader.once('exit', resolve));
  delay.disable();
  await web.close();
  const times: number[] = JSON.parse(text);
  return [
    {
      what: `/metrics of ${sink.size().series.toLocaleString('en')} series`,
      siteward: `${median(times).toFixed(0)} ms`,
      beside: '-',
      ratio: '-',
      goal: '<= 500 ms',
    },
    {
      what: 'loop lag p99 while it renders',
      siteward: `${(delay.percentile(99) / 1e6).toFixed(1)} ms`,
      beside: '-',
      ratio: '-',
      goal: '<= 20 ms',
    },
  ];
}

function filledSink(): PrometheusSink {
  const sink = new PrometheusSink();
  for (let device = 0; device < DEVICES; device += 1) {
    const labels = Array.from({ length: PORTS }, (_, index) => ({ interface: `ge-0/0/${index}` }));
    sink.accept(
      observation(
        `switch-${device}`,
        0,
        labels.flatMap((label) =>
          INTERFACE_METRICS.map((metric, index) => reading(metric, 123_456_789_012n * BigInt(index + 1), label)),
        ),
      ),
    );
  }
  return sink;
}
