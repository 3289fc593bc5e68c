import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startInfluxd } from '../support/influxd.ts';
import { vmagentThroughOutage } from './outage-beside.ts';
import { INTERFACES, POINTS_PER_MINUTE } from './outage-load.ts';
import { freePort, ROOT, until, workFolder } from './processes.ts';
import type { Figure } from './table.ts';

const HOURS = Number(process.env['SITEWARD_BENCH_HOURS'] ?? 72);
const THIN_HOURS = 6;
const LIVE_RATE = POINTS_PER_MINUTE / 60;
const MB = 1_000_000;

interface Outage {
  readonly points: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly residentByHour: readonly number[];
  readonly spoolBytes: number;
  readonly fileBytes: number;
}

interface Replay {
  readonly points: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly loopDelayP99: number;
}

interface Trial {
  readonly outage: Outage;
  readonly replay: Replay;
  /** Seconds from the first point that was taken to the sight of one that came after. */
  readonly newestSeen: number;
}

/**
 * Three days without a receiver: what they cost in memory and on disk, and how fast they are made up for. Beside it
 * vmagent, which has a queue on disk too; its points are two samples each, and it is killed at the end of the outage.
 */
export async function benchOutage(): Promise<Figure[]> {
  const { outage, replay, newestSeen } = await trial(HOURS, []);
  const vmagent = await vmagentThroughOutage(Math.min(HOURS, THIN_HOURS));
  const [first = 0] = outage.residentByHour;
  const growth = Math.max(...outage.residentByHour) - first;
  const compared = (
    what: string,
    siteward: number,
    beside: number,
    digits: number,
    unit: string,
    goal = '',
  ): Figure => ({
    what,
    siteward: `${siteward.toFixed(digits)}${unit}`,
    beside: `vmagent ${beside.toFixed(digits)}${unit}`,
    ratio: (siteward / beside).toFixed(2),
    goal,
  });
  const perMillion = (outage.cpuSeconds / outage.points) * 1e6;
  const figures: Figure[] = [
    {
      ...figure(`points lost of ${HOURS} h`, `${HOURS * 60 * POINTS_PER_MINUTE - outage.points}`, '0'),
      beside: `vmagent ${vmagent.lost}`,
    },
    figure('memory grown from the first hour to the last', `${(growth / MB).toFixed(1)} MB`, '<= 20 MB'),
    compared(
      'memory at the end of the outage',
      (outage.residentByHour.at(-1) ?? 0) / MB,
      vmagent.residentBytes / MB,
      0,
      ' MB',
    ),
    compared('bytes on disk per point', outage.fileBytes / outage.points, vmagent.bytesPerPoint, 1, '', '<= 20'),
    compared('processor time per million points spooled', perMillion, vmagent.cpuSecondsPerMillion, 1, ' s'),
    compared(
      'points replayed per second',
      replay.points / replay.seconds,
      vmagent.replayedPerSecond,
      0,
      '',
      '>= 20000',
    ),
    figure('loop delay p99 during replay', `${replay.loopDelayP99.toFixed(1)} ms`, '<= 50 ms'),
    figure('newest point seen after recovery', `${newestSeen.toFixed(1)} s`, '<= 60 s'),
  ];
  const thin = thinLine();
  if (!thin) return [...figures, figure('over 2 Mbit/s', 'not measured: needs root and tc', `>= ${LIVE_RATE * 10}/s`)];
  const slow = await trial(THIN_HOURS, thin);
  const rate = Math.round(slow.replay.points / slow.replay.seconds);
  return [
    ...figures,
    figure('points replayed per second over 2 Mbit/s', `${rate}`, `>= ${LIVE_RATE * 10}`),
    figure('newest point seen over 2 Mbit/s', `${slow.newestSeen.toFixed(1)} s`, '<= 60 s'),
  ];
}

function figure(what: string, siteward: string, goal: string): Figure {
  return { what, siteward, beside: '', ratio: '', goal };
}

/** A command that runs another one in a namespace of its own, whose only line carries 2 Mbit/s. */
function thinLine(): readonly string[] | undefined {
  const script =
    'ip link set lo mtu 1500 up && tc qdisc add dev lo root tbf rate 2mbit burst 16kb latency 500ms && exec "$@"';
  const wrapper = ['unshare', '--net', 'sh', '-c', script, 'sh'];
  const [command = '', ...args] = wrapper;
  return spawnSync(command, [...args, 'true']).status === 0 ? wrapper : undefined;
}

/** `wrapper` runs this same trial where the line is thin: server and daemon must be in one namespace. */
async function trial(hours: number, wrapper: readonly string[]): Promise<Trial> {
  if (wrapper.length === 0) return await trialHere(hours);
  const [command = '', ...args] = [
    ...wrapper,
    process.execPath,
    join(import.meta.dirname, 'outage-thin.ts'),
    String(hours),
  ];
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  await once(child, 'close');
  return JSON.parse(text) as Trial;
}

export async function trialHere(hours: number): Promise<Trial> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  // Three days pass in a minute or two, and garbage comes thousands of times as fast: left to itself, V8 would take more
  // room for it and keep it.
  const program = ['--max-semi-space-size=8', join(import.meta.dirname, 'outage-child.ts')];
  const child = spawn(process.execPath, [...program, workFolder(), url, String(hours)], {
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const said = phases(child);
  const outage = (await said('outage')) as Outage;
  const influxd = await startInfluxd(workFolder(), port);
  try {
    child.stdin?.write('go\n');
    await said('recovered');
    const recovered = performance.now();
    const seen = until(
      'the newest point',
      async () => {
        const since = `time > now() - 5m AND device = 'switch-0'`;
        const rows = await influxd.query(
          `SELECT count(receive_bytes) AS n FROM "interface" WHERE ${since} GROUP BY "interface"`,
        );
        return rows.length === INTERFACES;
      },
      120_000,
    ).then(() => (performance.now() - recovered) / 1000);
    const replay = (await said('replay')) as Replay;
    return { outage, replay, newestSeen: await seen };
  } finally {
    await influxd.stop('SIGKILL');
    child.kill('SIGKILL');
  }
}

/** Gives the object that a child prints for a phase. */
function phases(child: ChildProcess): (phase: string) => Promise<unknown> {
  const lines: { phase: string }[] = [];
  const waiting: (() => void)[] = [];
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(JSON.parse(line) as { phase: string });
      for (const wake of waiting.splice(0)) wake();
    });
  }
  return async (phase) => {
    while (true) {
      const found = lines.find((line) => line.phase === phase);
      if (found) return found;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
}
