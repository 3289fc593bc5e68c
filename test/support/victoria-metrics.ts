import { setTimeout } from 'node:timers/promises';
import { freePort, type RunningServer, startServer } from './process.ts';
import { until } from './until.ts';

export interface VictoriaMetrics extends RunningServer {
  readonly url: string;
  /** Comes back once everything that was written can be found, at least `samples`. */
  flush(samples?: number): Promise<void>;
  /** Every sample of the series that the selector matches, once `samples` can be found in all. */
  export(selector: string, samples: number): Promise<readonly ExportedSeries[]>;
}

export interface ExportedSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
  readonly timestamps: readonly number[];
}

/** On a busy machine, in milliseconds. */
const PATIENCE = 30_000;

/** A real victoria-metrics on loopback with its data in `folder`. */
export async function startVictoriaMetrics(
  folder: string,
  flags: readonly string[] = [],
  given?: number,
): Promise<VictoriaMetrics> {
  const port = given ?? (await freePort());
  const args = [
    `-storageDataPath=${folder}`,
    `-httpListenAddr=127.0.0.1:${port}`,
    '-search.latencyOffset=0s',
    ...flags,
  ];
  const server = await startServer('victoria-metrics', args, /started VictoriaMetrics/);
  const url = `http://127.0.0.1:${port}`;
  await answering(url, server);
  return {
    ...server,
    url,
    flush: (samples) => flushed(url, samples),
    async export(selector, samples) {
      await flushed(url, samples);
      return await exported(url, selector);
    },
  };
}

/**
 * A flush that is asked for does not wait for rows that the server's own flush, every second, has just taken (its pull
 * request 11260). So it is done when what is awaited can be seen and a second has added nothing.
 */
async function flushed(url: string, awaited = 1): Promise<void> {
  for (let before = 0; ; await setTimeout(1000)) {
    await fetch(`${url}/internal/force_flush`);
    const seen = (await exported(url, '{__name__!=""}')).reduce((sum, { values }) => sum + values.length, 0);
    if (seen >= awaited && seen === before) return;
    before = seen;
  }
}

async function exported(url: string, selector: string): Promise<readonly ExportedSeries[]> {
  const response = await fetch(`${url}/api/v1/export`, {
    method: 'POST',
    body: new URLSearchParams({ 'match[]': selector }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`victoria-metrics answers ${response.status}: ${text}`);
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as ExportedSeries);
}

/** It says that it has started before it listens. */
async function answering(url: string, server: RunningServer): Promise<void> {
  const answers = async () => {
    if (server.child.exitCode !== null) throw new Error('victoria-metrics ended before it listened');
    return (await fetch(`${url}/health`).catch(() => undefined))?.ok;
  };
  await until('an answer of victoria-metrics', answers, { patience: PATIENCE, every: 20 });
}
