/**
 * A daemon's outgoing half through an outage, in a process of its own so that its memory can be told. It spools what
 * HOURS bring while nobody listens at URL, says so, and after a line on stdin measures how it gets rid of it.
 *
 * arguments: folder, URL, hours
 */
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Milliseconds } from '#collectors/contract.ts';
import { systemClock } from '#daemon/clock.ts';
import { Scheduler } from '#daemon/schedule/scheduler.ts';
import { openInfluxSink } from '#daemon/sinks/influx.ts';
import { openSpool } from '#daemon/spool/spool.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { influxSettings } from '../support/output-settings.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { DEVICES, INTERFACES, OutageLoad } from './outage-load.ts';
import { percentile } from './table.ts';

const IDLE_TIME = 30_000 as Milliseconds;
/** A daemon has been at work for long when its receiver goes away: its code is compiled, its heap has found its size. */
const MINUTES_BEFORE = 180;
/** Far more often than a site is polled, so that some thousand starts fall into the replay. */
const LIVE_INTERVAL = 5_000 as Milliseconds;
/** What waits no longer than for the next commit is no backlog. */
const LIVE_PENDING = 500;

const [directory = '', url = '', hours = '1'] = process.argv.slice(2);
const minutes = Number(hours) * 60;
const say = (fields: object): void => void process.stdout.write(`${JSON.stringify(fields)}\n`);

const log = recordingLogger();
const store = await openStore({ directory, log });
const spool = await openSpool({ store, directory, freeFloor: 0, log, clock: systemClock });
const sink = await openInfluxSink({
  settings: influxSettings({ url, retention: '2160h' }),
  site: { id: 'acme-hq', client: 'ACME Ltd' },
  spool,
  log,
  clock: systemClock,
});

const load = new OutageLoad();
await workBefore();
const resident = (): number => process.memoryUsage().rss;
const [cpu, began, from] = [process.cpuUsage(), performance.now(), Date.now() - minutes * 60_000];
const residentByHour: number[] = [];
for (let minute = 0; minute < minutes; minute++) {
  const observations = load.minute(from + minute * 60_000);
  // A third at a time, and so about 500 points in a commit, as when they come in during a minute.
  for (let third = 0; third < 3; third++) {
    for (const each of observations.slice(third * 34, third * 34 + 34)) sink.accept(each);
    await sink.flush(AbortSignal.timeout(60_000));
  }
  if (minute % 60 === 59) residentByHour.push(resident());
}
while (await mergedMore());
const { user, system } = process.cpuUsage(cpu);
say({
  phase: 'outage',
  points: sink.status().pending,
  seconds: (performance.now() - began) / 1000,
  cpuSeconds: (user + system) / 1e6,
  residentByHour,
  spoolBytes: sink.status().bytes,
  fileBytes: statSync(join(directory, 'spool.db')).size,
});

await once(process.stdin, 'data');
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
const { pending } = sink.status();
// Meanwhile the site is polled as ever: a real scheduler, and what each poll brings goes the same way.
const late: number[] = [];
const idleLate: number[] = [];
const spread = new Set<string>();
let [live, hasBacklog] = [0, true];
const scheduler = new Scheduler({
  clock: systemClock,
  maxInFlight: DEVICES,
  onStart: (key, behind) => {
    // The first cycles start all at once, and here each does its work before the next.
    if (spread.has(key)) (hasBacklog ? late : idleLate).push(behind);
    spread.add(key);
  },
});
scheduler.add(
  Array.from({ length: DEVICES }, (_, device) => ({
    key: `switch-${device}`,
    interval: LIVE_INTERVAL,
    run: async () => {
      sink.accept(load.device(device, Date.now()));
      live += INTERFACES;
      return 'answered' as const;
    },
  })),
);
while (sink.status().written === 0) await systemClock.sleep(5 as Milliseconds);
const replayBegan = performance.now();
const replayCpu = process.cpuUsage();
while (sink.status().pending > LIVE_PENDING) await systemClock.sleep(20 as Milliseconds);
hasBacklog = false;
const replay = process.cpuUsage(replayCpu);
const seconds = (performance.now() - replayBegan) / 1000;
// The same polls on the same machine, with nothing to make up for.
await systemClock.sleep(IDLE_TIME);
await scheduler.stop(AbortSignal.timeout(1_000));
while (sink.status().pending > 0) await systemClock.sleep(20 as Milliseconds);
say({
  phase: 'replay',
  points: pending,
  live,
  seconds,
  cpuSeconds: (replay.user + replay.system) / 1e6,
  loopDelayP99: delay.percentile(99) / 1e6,
  pollsStarted: late.length,
  pollLateP99: percentile(late, 0.99),
  idlePollLateP99: percentile(idleLate, 0.99),
  resident: resident(),
});
await sink.close();
await spool.close();
await store.close();
process.exit(0);

/** Points that are delivered, before the outage. */
async function workBefore(): Promise<void> {
  const receiver = createServer((request, response) => {
    request.resume().once('end', () => response.writeHead(204).end());
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const address = receiver.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const before = await openInfluxSink({
    settings: influxSettings({ name: 'before', url: `http://127.0.0.1:${port}`, create_database: false }),
    site: { id: 'acme-hq', client: 'ACME Ltd' },
    spool,
    log,
    clock: systemClock,
  });
  const start = Date.now() - MINUTES_BEFORE * 60_000;
  for (let minute = 0; minute < MINUTES_BEFORE; minute++) {
    for (const each of load.minute(start + minute * 60_000)) before.accept(each);
    await before.flush(AbortSignal.timeout(60_000));
    while (before.status().pending > 20_000) await systemClock.sleep(10 as Milliseconds);
  }
  while (before.status().pending > 0) await systemClock.sleep(20 as Milliseconds);
  await before.close();
  receiver.close();
  receiver.closeAllConnections();
}

async function mergedMore(): Promise<boolean> {
  const before = sink.status().batches;
  await sink.spool.merge();
  return sink.status().batches < before;
}
