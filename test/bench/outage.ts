import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startInfluxd } from '../support/influxd.ts';
import { type Beside, prometheusAgentThroughOutage, vmagentThroughOutage } from './outage-beside.ts';
import { POINTS_PER_MINUTE } from './outage-load.ts';
import { freePort, ROOT, until, workFolder } from './processes.ts';
import type { Figure } from './table.ts';

const HOURS = Number(process.env['SITEWARD_BENCH_HOURS'] ?? 72);
const THIN_HOURS = 6;
/** So long that Prometheus has cut its log. */
const DAY_HOURS = 24;
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
  /** Points of polls that were made meanwhile. */
  readonly live: number;
  readonly pollsStarted: number;
  /** Milliseconds after they were due. */
  readonly pollLateP99: number;
  /** Of the same polls once there was nothing to replay. */
  readonly idlePollLateP99: number;
}

interface Trial {
  readonly outage: Outage;
  readonly replay: Replay;
  /** Seconds from when influxd listens to the sight of a point that was measured after. */
  readonly newestSeen: number;
  /** What influxd has in the end. */
  readonly found: number;
}

/**
 * Three days without a receiver: what they cost in memory and on disk, and how fast they are made up for. Beside it
 * vmagent, which has a queue on disk too, and is killed at the end of the outage; and Prometheus as an agent, which is not,
 * for after a restart it sends nothing of what it had. Their points are two samples each.
 */
export async function benchOutage(): Promise<Figure[]> {
  const { outage, replay, newestSeen, found } = await trial(HOURS, []);
  const besideHours = Math.min(HOURS, THIN_HOURS);
  const vmagent = await vmagentThroughOutage(besideHours);
  const prometheus = await prometheusAgentThroughOutage(Math.min(HOURS, DAY_HOURS));
  const [first = 0] = outage.residentByHour;
  const growth = Math.max(...outage.residentByHour) - first;
  const compared = (
    what: string,
    siteward: number,
    of: (beside: Beside) => number,
    digits: number,
    unit: string,
    goal = '',
  ): Figure => ({
    what,
    siteward: `${siteward.toFixed(digits)}${unit}`,
    beside: `vmagent ${of(vmagent).toFixed(digits)}${unit}, prometheus ${of(prometheus).toFixed(digits)}${unit}`,
    ratio: (siteward / of(vmagent)).toFixed(2),
    goal,
  });
  const produced = HOURS * 60 * POINTS_PER_MINUTE;
  const perMillion = (outage.cpuSeconds / outage.points) * 1e6;
  const figures: Figure[] = [
    {
      ...figure(`points lost of ${HOURS} h`, `${produced + replay.live - found} of ${produced + replay.live}`, '0'),
      beside: `of ${besideHours} h: vmagent ${vmagent.lost} of ${vmagent.points}, prometheus, of a day, ${prometheus.lost} of ${prometheus.points}`,
    },
    figure('memory grown from the first hour to the last', `${(growth / MB).toFixed(1)} MB`, '<= 20 MB'),
    compared(
      'memory at the end of the outage',
      (outage.residentByHour.at(-1) ?? 0) / MB,
      ({ residentBytes }) => residentBytes / MB,
      0,
      ' MB',
    ),
    compared(
      'bytes on disk per point',
      outage.fileBytes / outage.points,
      (beside) => beside.bytesPerPoint,
      1,
      '',
      '<= 20',
    ),
    compared('processor time per million points spooled', perMillion, (beside) => beside.cpuSecondsPerMillion, 1, ' s'),
    compared(
      'points replayed per second',
      replay.points / replay.seconds,
      ({ replayedPerSecond }) => replayedPerSecond,
      0,
      '',
      '>= 20000',
    ),
    figure('loop delay p99 during replay', `${replay.loopDelayP99.toFixed(1)} ms`, '<= 50 ms'),
    {
      ...figure(
        `late start of polls during replay, p99 of ${replay.pollsStarted}`,
        `${replay.pollLateP99.toFixed(1)} ms`,
        '<= 50 ms',
      ),
      beside: `without a replay ${replay.idlePollLateP99.toFixed(1)} ms`,
    },
    figure('newest point seen after recovery', `${newestSeen.toFixed(1)} s`, '<= 60 s'),
  ];
  const thin = thinLine();
  if (!thin) return [...figures, figure('over 2 Mbit/s', 'not measured: needs root and tc', `>= ${LIVE_RATE * 10}/s`)];
  const slow = await trial(THIN_HOURS, thin);
  const rate = Math.round(slow.replay.points / slow.replay.seconds);
  return [
    ...figures,
    figure('points replayed per second over 2 Mbit/s', `${rate}`, `>= ${LIVE_RATE * 10}`),
    figure('points lost over 2 Mbit/s', `${THIN_HOURS * 60 * POINTS_PER_MINUTE + slow.replay.live - slow.found}`, '0'),
    figure('late start of polls over 2 Mbit/s, p99', `${slow.replay.pollLateP99.toFixed(1)} ms`, '<= 50 ms'),
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
    const recovered = { at: Date.now(), mono: performance.now() };
    child.stdin?.write('go\n');
    const seen = until(
      'a point that was measured after the recovery',
      async () => (await influxd.query(`SELECT * FROM "interface" WHERE time > ${recovered.at}ms LIMIT 1`)).length > 0,
      300_000,
    ).then(() => (performance.now() - recovered.mono) / 1000);
    const replay = (await said('replay')) as Replay;
    const [counted] = await influxd.query('SELECT count(receive_bytes) AS n FROM "interface"');
    return { outage, replay, newestSeen: await seen, found: Number(counted?.['n'] ?? 0) };
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
