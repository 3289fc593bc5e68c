import { configIfAny } from './config-if-any.ts';
import { callDaemon, DEFAULT_HTTP } from './daemon-api.ts';
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

/** Asks the daemon that runs: only that knows states. */
export const run: RunVerb = async (io, _args, options) => {
  if (options.export === true) return await exportDevices(io, configIfAny(io, options));
  const http = configIfAny(io, options)?.config.http ?? DEFAULT_HTTP;
  const rows = (await callDaemon(http, io.env, '/api/v1/devices', { refusal: 'DEVICES_REFUSED' })) as DeviceRow[];
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
