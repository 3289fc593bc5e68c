import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, type RunningServer, startServer } from './process.ts';

export interface PrometheusSeries {
  readonly metric: Readonly<Record<string, string>>;
  /** Seconds and the value as text. */
  readonly values: readonly (readonly [number, string])[];
}

export interface Prometheus extends RunningServer {
  readonly url: string;
  /** The raw samples of the last `window` before `at` (milliseconds). */
  samples(selector: string, at: number, window?: string): Promise<readonly PrometheusSeries[]>;
  /** An instant query, as a dashboard would ask it. */
  query(
    expression: string,
    at: number,
  ): Promise<readonly { metric: Record<string, string>; value: [number, string] }[]>;
}

/** A real Prometheus on loopback that takes remote_write. */
export async function startPrometheus(folder: string, config = 'global: {}\n'): Promise<Prometheus> {
  const port = await freePort();
  const file = join(folder, 'prometheus.yml');
  await writeFile(file, config);
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-remote-write-receiver',
  ];
  const server = await startServer('prometheus', args, /Server is ready to receive web requests/);
  const url = `http://127.0.0.1:${port}`;
  const ask = async (query: string, at: number): Promise<never> => {
    const body = new URLSearchParams({ query, time: String(at / 1000) });
    const response = await fetch(`${url}/api/v1/query`, { method: 'POST', body });
    const answer = (await response.json()) as { data?: { result: never }; error?: string };
    if (!answer.data) throw new Error(answer.error);
    return answer.data.result;
  };
  // Its orderly end takes seconds, and its data go with the test.
  const stop = (): Promise<void> => server.stop('SIGKILL');
  return {
    ...server,
    stop,
    url,
    samples: (selector, at, window = '1h') => ask(`${selector}[${window}]`, at),
    query: ask,
  };
}
