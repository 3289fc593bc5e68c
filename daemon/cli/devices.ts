import { SitewardError } from '#config/errors.ts';
import { configIfAny } from './config-path.ts';
import { exportDevices } from './devices-export.ts';
import { plain } from './readings-text.ts';
import { EXIT, type RunVerb } from './verb.ts';

/** A row of the contract's JSON. */
interface DeviceRow {
  readonly name: string;
  readonly address: string;
  readonly class: string;
  readonly vendor: string | null;
  readonly model: string | null;
  readonly state: string;
  readonly since: string;
}

const DEFAULT_LISTEN = '127.0.0.1:9720';
const PATIENCE = 5_000;

/** Asks the daemon that runs: only that knows states. */
export const run: RunVerb = async (io, _args, options) => {
  if (options.export === true) return await exportDevices(io, configIfAny(io, options));
  const listen = configIfAny(io, options)?.config.http.listen ?? DEFAULT_LISTEN;
  const rows = await fetchDevices(`http://${listen.replace(/^(0\.0\.0\.0|\[::\]):/, '127.0.0.1:')}/api/v1/devices`);
  if (options.json) {
    io.out(`${JSON.stringify(rows, null, 2)}\n`);
    return EXIT.done;
  }
  const columns = rows.map((row) => [
    row.state,
    row.name,
    row.class,
    [row.vendor, row.model].filter(Boolean).join(' '),
    row.address,
    row.since.slice(0, 16).replace('T', ' '),
  ]);
  io.out(table(['STATE', 'DEVICE', 'CLASS', 'WHAT IT IS', 'ADDRESS', 'SINCE'], columns));
  return EXIT.done;
};

async function fetchDevices(url: string): Promise<DeviceRow[]> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
    if (response.ok) return (await response.json()) as DeviceRow[];
    throw new Error(`${response.status} ${response.statusText}`);
  } catch (error) {
    throw new SitewardError(
      'NO_DAEMON',
      `no daemon answers at ${url}`,
      'start it with `siteward run`, or name its config with --config',
      { cause: error },
    );
  }
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map(plain));
  const widths = head.map((title, index) => Math.max(title.length, ...clean.map((row) => (row[index] ?? '').length)));
  const line = (row: readonly string[]) =>
    `${row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd()}\n`;
  return [head, ...clean].map(line).join('');
}
