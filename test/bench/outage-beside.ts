import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { encodeLines } from '#daemon/influx/line-encoder.ts';
import { SeriesEncoder } from '#daemon/remote-write/series-encoder.ts';
import { snappy } from '#daemon/remote-write/snappy.ts';
import { type RunningServer, startServer } from '../support/process.ts';
import { startVictoriaMetrics } from '../support/victoria-metrics.ts';
import { OutageLoad, POINTS_PER_MINUTE } from './outage-load.ts';
import { cpuSeconds, freePort, residentBytes, until, workFolder } from './processes.ts';

export interface Beside {
  readonly points: number;
  readonly lost: number;
  readonly bytesPerPoint: number;
  readonly residentBytes: number;
  readonly cpuSecondsPerMillion: number;
  readonly replayedPerSecond: number;
}

const SAMPLES_PER_POINT = 2;
const LAST_MINUTES = 4;

/**
 * vmagent through the same outage: it takes the same lines, buffers them for a receiver that is away, is killed at its
 * end as a box that is unplugged, and makes up for it once all is back.
 */
export async function vmagentThroughOutage(hours: number): Promise<Beside> {
  const [port, listen] = [await freePort(), await freePort()];
  const folder = workFolder();
  const start = () =>
    startServer(
      'vmagent',
      [
        `-remoteWrite.url=http://127.0.0.1:${port}/api/v1/write`,
        `-remoteWrite.tmpDataPath=${folder}`,
        `-httpListenAddr=127.0.0.1:${listen}`,
        '-remoteWrite.flushInterval=1s',
      ],
      /started vmagent|started server|http server/i,
    );
  let agent = await start();
  const load = new OutageLoad();
  const minutes = hours * 60;
  const from = Date.now() - minutes * 60_000;
  const address = `http://127.0.0.1:${listen}/write?db=siteward&precision=ms`;
  const send = async (minute: number): Promise<void> => {
    const settings = { client: 'ACME Ltd', site: 'acme-hq', precision: 'ms' } as const;
    const lines = load.minute(from + minute * 60_000).flatMap((each) => encodeLines(each, undefined, settings).lines);
    const body = lines.map(({ text }) => `${text}\n`).join('');
    const { ok, status } = await fetch(address, { method: 'POST', body });
    if (!ok) throw new Error(`vmagent answers ${status}`);
  };
  for (let minute = 0; minute < minutes - LAST_MINUTES; minute++) await send(minute);
  // It puts on disk what it holds with a write some seconds after the last read, and how far it is with one after that:
  // it gets both, as it would where minutes take a minute.
  for (let minute = minutes - LAST_MINUTES; minute < minutes; minute++) {
    await setTimeout(6_000);
    await send(minute);
  }
  await setTimeout(6_000);
  const pid = agent.child.pid ?? 0;
  const [resident, cpu, bytes] = [residentBytes(pid), cpuSeconds(pid), sizeOf(folder)];
  await agent.stop('SIGKILL');

  agent = await start();
  return await caughtUp(agent, port, minutes * POINTS_PER_MINUTE, { resident, cpu, bytes });
}

/** How often it cuts its write-ahead log, which it does every two hours if it is left alone. */
const TRUNCATES_EVERY = 8_000;
const MINUTES_BETWEEN = 120;

/**
 * Prometheus as an agent through the same outage, with two hours between two cuts of its log as it would have them. The
 * outage lies ahead: what is older than its own start it never sends.
 */
export async function prometheusAgentThroughOutage(hours: number): Promise<Beside> {
  const [port, listen] = [await freePort(), await freePort()];
  const folder = workFolder();
  const config = join(folder, 'prometheus.yml');
  writeFileSync(config, `remote_write: [{url: 'http://127.0.0.1:${port}/api/v1/write'}]\n`);
  const agent = await startServer(
    'prometheus',
    [
      '--enable-feature=agent',
      `--config.file=${config}`,
      `--storage.agent.path=${folder}/data`,
      `--storage.agent.wal-truncate-frequency=${TRUNCATES_EVERY / 1000}s`,
      `--web.listen-address=127.0.0.1:${listen}`,
      '--web.enable-remote-write-receiver',
    ],
    /Server is ready to receive web requests/,
  );
  const started = performance.now();
  const load = new OutageLoad();
  const encoder = new SeriesEncoder({ client: 'ACME Ltd', site: 'acme-hq' });
  const minutes = hours * 60;
  const from = Date.now() + 60_000;
  for (let minute = 0; minute < minutes; minute++) {
    const cuts = Math.floor(minute / MINUTES_BETWEEN);
    await setTimeout(Math.max(0, started + cuts * TRUNCATES_EVERY + 1_000 - performance.now()));
    const records = load.minute(from + minute * 60_000).flatMap((each) => encoder.encode(each).records);
    const body = Buffer.from(await snappy(Buffer.concat(records.map(({ bytes }) => bytes))));
    const headers = {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
    };
    const response = await fetch(`http://127.0.0.1:${listen}/api/v1/write`, { method: 'POST', headers, body });
    if (!response.ok) throw new Error(`prometheus answers ${response.status}: ${await response.text()}`);
  }
  const pid = agent.child.pid ?? 0;
  const [resident, cpu, bytes] = [residentBytes(pid), cpuSeconds(pid), sizeOf(join(folder, 'data'))];
  await setTimeout(TRUNCATES_EVERY);

  return await caughtUp(agent, port, minutes * POINTS_PER_MINUTE, { resident, cpu, bytes });
}

/** What it took to bear the outage. */
interface Borne {
  readonly resident: number;
  readonly cpu: number;
  readonly bytes: number;
}

/** The receiver is there again: what of so many points arrives. The agent is ended then. */
async function caughtUp(
  agent: RunningServer,
  port: number,
  points: number,
  { resident, cpu, bytes }: Borne,
): Promise<Beside> {
  const { arrived, seconds } = await arrivalsAt(port, points);
  await agent.stop('SIGKILL');
  return {
    points,
    lost: Math.round(points - arrived / SAMPLES_PER_POINT),
    bytesPerPoint: bytes / points,
    residentBytes: resident,
    cpuSecondsPerMillion: (cpu / points) * 1e6,
    replayedPerSecond: arrived / SAMPLES_PER_POINT / seconds,
  };
}

/** Starts the receiver, and looks until all is there or nothing has come for a minute. */
async function arrivalsAt(port: number, points: number): Promise<{ arrived: number; seconds: number }> {
  const victoria = await startVictoriaMetrics(workFolder(), ['-retentionPeriod=1y'], port);
  const began = performance.now();
  let arrived = 0;
  let changedAt = began;
  await until(
    'all that is sent',
    async () => {
      const now = await rowsInserted(victoria.url);
      if (now !== arrived) changedAt = performance.now();
      arrived = now;
      return arrived >= points * SAMPLES_PER_POINT || performance.now() - changedAt > 60_000;
    },
    600_000,
  );
  await victoria.stop('SIGKILL');
  return { arrived, seconds: (changedAt - began) / 1000 };
}

async function rowsInserted(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^vm_rows_inserted_total\{type="promremotewrite"\} (\d+)/m.exec(metrics)?.[1] ?? 0);
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
