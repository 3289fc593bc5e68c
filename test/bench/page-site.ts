/** `page-site.ts DEVICES`: the web server over an invented site, in a process of its own. Prints its address. */
import { mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock, WallTime } from '#collectors/contract.ts';
import type { State } from '#daemon/availability/verdict.ts';
import { systemClock } from '#daemon/clock.ts';
import { History } from '#daemon/history/history.ts';
import { createLogger } from '#daemon/log.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { openSite, type TestDevice, testDevice } from '../support/invented-site.ts';

const CLASSES = ['switch', 'server', 'printer', 'ap'] as const;
const MINUTE = 60_000;
const DAY = 1440;
const FLUSHED_EVERY = 30;
const CORES = 4;
const LINES = 100;
const SAMPLES_KEPT_DAYS = 8;
const CHANGES_EVERY = 5_000;

/** Devices of four classes, one in forty of them down. */
function invented(count: number): TestDevice[] {
  return Array.from({ length: count }, (_, index) =>
    testDevice(`dev-${index}`, index % 40 === 0 ? 'down' : 'up', {
      class: CLASSES[index % CLASSES.length] ?? 'other',
      address: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    }),
  );
}

interface Filled {
  readonly history: History;
  readonly file: string;
  close(): Promise<void>;
}

/** As many processors, watched for so many days until now, a sample a minute. */
async function filled(lines: number, days: number): Promise<Filled> {
  const log = createLogger('error');
  const directory = mkdtempSync(join(tmpdir(), 'siteward-bench-'));
  const store = await openStore({ directory, log });
  const start = Date.now() - days * DAY * MINUTE;
  let now = start as WallTime;
  const clock: Clock = { ...systemClock, wallNow: () => now };
  const history = await History.open({ store, clock, log, days: 400, maxBytes: 500_000_000 });
  for (let minute = 0; minute < days * DAY; minute += 1) {
    now = (start + minute * MINUTE) as WallTime;
    for (let cpu = 0; cpu < lines; cpu += 1) {
      const value = 0.4 + 0.3 * Math.sin(minute / 200 + cpu) + ((minute * 7919 + cpu * 31) % 50) / 1000;
      history.append('dev-1', 'siteward_cpu_usage_ratio', { cpu: String(cpu) }, now, value);
    }
    if (minute % FLUSHED_EVERY === 0) await history.flush();
  }
  await history.flush();
  return {
    history,
    file: join(directory, 'history.db'),
    close: async () => {
      await history.close();
      await store.close();
    },
  };
}

/** Of the file with all its roll-ups, after as long as samples are kept. */
async function bytesPerSample(): Promise<number> {
  const { file, close } = await filled(LINES, SAMPLES_KEPT_DAYS);
  await close();
  return statSync(file).size / (LINES * SAMPLES_KEPT_DAYS * DAY);
}

const devices = invented(Number(process.argv[2]));
const withHistory = process.argv.includes('--history');
const perSample = withHistory ? await bytesPerSample() : undefined;
const site = await openSite({
  devices,
  parts: withHistory ? { history: (await filled(CORES, 365)).history } : {},
});
// Something always changes: pages on which nothing happens cost nothing.
let turn = 0;
setInterval(() => {
  turn += 1;
  const { view } = devices[(turn * 7) % devices.length] as { view: { state: State } };
  view.state = view.state === 'up' ? 'down' : 'up';
}, CHANGES_EVERY);
console.log(JSON.stringify({ url: site.url, bytesPerSample: perSample }));
