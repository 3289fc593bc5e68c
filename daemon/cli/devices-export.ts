/** `siteward devices --export`: what was adopted, as the config would have it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SitewardError } from '#config/errors.ts';
import type { LoadedConfig } from '#config/load.ts';
import { settingsOf } from '../inventory/adopted.ts';
import { readRecords } from '../inventory/ledger.ts';
import { createLogger } from '../log.ts';
import { storageDirectory } from '../storage.ts';
import { LEDGER_OPTIONS } from '../store/ledger.ts';
import { openStore } from '../store/sqlite-store.ts';
import { type CliIo, EXIT, type ExitCode } from './verb.ts';

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** Reads the ledger beside a running daemon. A device that moves into the config keeps its name, and so its history. */
export async function exportDevices(io: CliIo, loaded: LoadedConfig | undefined): Promise<ExitCode> {
  if (!loaded) throw new SitewardError('NO_CONFIG', 'no config says where the inventory is', 'name it by --config');
  const directory = storageDirectory(loaded);
  if (!existsSync(join(directory, 'ledger.db'))) {
    io.err('nothing was adopted yet\n');
    return EXIT.done;
  }
  const store = await openStore({ directory, log: createLogger('error'), readOnly: true });
  try {
    const { database } = await store.open('ledger', LEDGER_OPTIONS);
    const records = (await readRecords(database)).filter(({ state }) => state === 'adopted');
    const names = new Set([
      ...records.flatMap(({ name }) => name ?? []),
      ...loaded.config.devices.map(({ name, address }) => name ?? address),
    ]);
    const devices = records.flatMap((record) => settingsOf(record, loaded.config, names) ?? []);
    io.out(`devices:\n${devices.map((device) => `  - ${flow(device)}\n`).join('')}`);
    for (const { name } of records.filter(({ addresses }) => addresses.length === 0))
      io.err(`${name} is left out: another device is at its address, and it was not found elsewhere\n`);
    return EXIT.done;
  } finally {
    await store.close();
  }
}

/** One line of YAML. JSON texts are YAML texts, so nothing that a device called itself can break out of it. */
function flow(value: unknown, key?: string): string {
  if (Array.isArray(value)) return `[${value.map((each) => flow(each)).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .filter(([name, each]) => !(name === 'port' && each === 161))
      .map(([name, each]) => `${name}: ${flow(each, name)}`)
      .join(', ')}}`;
  if (typeof value === 'number' && key !== 'port') return duration(value);
  return JSON.stringify(value);
}

function duration(milliseconds: number): string {
  const [unit, size] = UNITS.find(([, each]) => milliseconds % each === 0) ?? ['ms', 1];
  return `${milliseconds / size}${unit}`;
}
