import { setTimeout } from 'node:timers/promises';
import { freePort, type RunningServer, startServer } from './process.ts';

export interface VictoriaMetrics extends RunningServer {
  readonly url: string;
  /** Every sample of the series that the selector matches. */
  export(selector: string): Promise<readonly ExportedSeries[]>;
}

export interface ExportedSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
  readonly timestamps: readonly number[];
}

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
    async export(selector) {
      // What was just written is only seen after a flush.
      await fetch(`${url}/internal/force_flush`);
      const response = await fetch(`${url}/api/v1/export`, {
        method: 'POST',
        body: new URLSearchParams({ 'match[]': selector }),
      });
      const lines = (await response.text()).split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as ExportedSeries);
    },
  };
}

/** It says that it has started before it listens. */
async function answering(url: string, server: RunningServer): Promise<void> {
  while (server.child.exitCode === null) {
    const answer = await fetch(`${url}/health`).catch(() => undefined);
    if (answer?.ok) return;
    await setTimeout(20);
  }
  throw new Error('victoria-metrics ended before it listened');
}
