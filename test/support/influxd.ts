import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, type RunningServer, startServer } from './process.ts';

export interface Influxd extends RunningServer {
  readonly url: string;
  /** Rows of the first series of an InfluxQL answer; integers past 2^53 as bigint. */
  query(statement: string, database?: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** A real influxd 1.x on loopback with its data in `folder`. Started again on the same folder and port, it goes on. */
export async function startInfluxd(folder: string, port?: number, { auth = false } = {}): Promise<Influxd> {
  const http = port ?? (await freePort());
  const config = join(folder, 'influxdb.conf');
  await writeFile(
    config,
    `reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
dir = "${folder}/meta"
[data]
dir = "${folder}/data"
wal-dir = "${folder}/wal"
query-log-enabled = false
[http]
bind-address = "127.0.0.1:${http}"
auth-enabled = ${auth}
log-enabled = false
[monitor]
store-enabled = false
`,
  );
  const server = await startServer('influxd', ['-config', config], /Listening on HTTP/);
  const url = `http://127.0.0.1:${http}`;
  return { ...server, url, query: (statement, database) => query(url, statement, database) };
}

interface InfluxAnswer {
  readonly results: readonly {
    readonly error?: string;
    readonly series?: readonly {
      readonly tags?: Readonly<Record<string, string>>;
      readonly columns: readonly string[];
      readonly values: readonly (readonly unknown[])[];
    }[];
  }[];
}

async function query(url: string, q: string, db = 'siteward'): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const response = await fetch(`${url}/query`, { method: 'POST', body: new URLSearchParams({ q, db, epoch: 'ms' }) });
  const answer = JSON.parse(await response.text(), exactIntegers) as InfluxAnswer;
  const [result] = answer.results;
  if (result?.error) throw new Error(result.error);
  return (result?.series ?? []).flatMap(({ columns, values, tags }) =>
    values.map((row) => ({ ...tags, ...Object.fromEntries(columns.map((column, index) => [column, row[index]])) })),
  );
}

/** JSON.parse with the source text (ECMAScript 2025 proposal, in Node 24): no digit of a counter is lost. */
function exactIntegers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || !/^-?\d+$/.test(context?.source ?? '')) return value;
  return BigInt(context?.source ?? 0);
}
