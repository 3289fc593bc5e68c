/** `page-site.ts DEVICES`: the web server over an invented site, in a process of its own. Prints its address. */
import { mkdtempSync } from 'node:fs';
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
const CORES = 4;
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

/** A year of four processors, a sample a minute, as if it had been watched all the time. */
async function yearOfHistory() {
  const log = createLogger('error');
  const store = await openStore({ directory: mkdtempSync(join(tmpdir(), 'siteward-bench-')), log });
  const start = Date.now() - 365 * DAY * MINUTE;
  let now = start as WallTime;
  const clock: Clock = { ...systemClock, wallNow: () => now };
  const history = await History.open({ store, clock, log, days: 400, maxBytes: 500_000_000 });
  let afterEightDays = 0;
  for (let minute = 0; minute < 365 * DAY; minute += 1) {
    now = (start + minute * MINUTE) as WallTime;
    for (let core = 0; core < CORES; core += 1)
      history.append(
        'dev-1',
        'siteward_cpu_usage_ratio',
        { cpu: String(core) },
        now,
        0.4 + 0.3 * Math.sin(minute / 200 + core) + ((minute * 7919) % 50) / 1000,
      );
    if (minute % DAY === 0) await history.flush();
    if (minute === 8 * DAY) afterEightDays = (await history.size()).bytes / (minute * CORES);
  }
  await history.flush();
  return {
    history,
    bytesPerSample: { afterEightDays, afterAYear: (await history.size()).bytes / (365 * DAY * CORES) },
  };
}

const devices = invented(Number(process.argv[2]));
const year = process.argv.includes('--history') ? await yearOfHistory() : undefined;
const site = await openSite({ devices, parts: year ? { history: year.history } : {} });
// Something always changes: pages on which nothing happens cost nothing.
let turn = 0;
setInterval(() => {
  turn += 1;
  const { view } = devices[(turn * 7) % devices.length] as { view: { state: State } };
  view.state = view.state === 'up' ? 'down' : 'up';
}, CHANGES_EVERY);
console.log(JSON.stringify({ url: site.url, bytesPerSample: year?.bytesPerSample }));
