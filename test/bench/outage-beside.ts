import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { encodeLines } from '#daemon/influx/line-encoder.ts';
import { startServer } from '../support/process.ts';
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

  const victoria = await startVictoriaMetrics(workFolder(), ['-retentionPeriod=1y'], port);
  const began = performance.now();
  agent = await start();
  const points = minutes * POINTS_PER_MINUTE;
  let arrived = 0;
  let changedAt = performance.now();
  await until(
    'all that vmagent has',
    async () => {
      const now = await rowsInserted(victoria.url);
      if (now !== arrived) changedAt = performance.now();
      arrived = now;
      return arrived >= points * SAMPLES_PER_POINT || performance.now() - changedAt > 60_000;
    },
    600_000,
  );
  await agent.stop('SIGKILL');
  await victoria.stop('SIGKILL');
  return {
    points,
    lost: Math.round(points - arrived / SAMPLES_PER_POINT),
    bytesPerPoint: bytes / points,
    residentBytes: resident,
    cpuSecondsPerMillion: (cpu / points) * 1e6,
    replayedPerSecond: arrived / SAMPLES_PER_POINT / ((changedAt - began) / 1000),
  };
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
