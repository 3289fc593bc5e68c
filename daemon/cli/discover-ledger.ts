/** What `siteward discover` has to do with the ledger: whom it knows, and whom it adopts. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { WallTime } from '#collectors/contract.ts';
import { SitewardError } from '#config/errors.ts';
import type { LoadedConfig } from '#config/load.ts';
import { systemClock } from '../clock.ts';
import type { Decision } from '../inventory/adoption.ts';
import { Book } from '../inventory/book.ts';
import type { Found } from '../inventory/found.ts';
import { readRecords, writeChanges } from '../inventory/ledger.ts';
import type { DeviceRecord } from '../inventory/record.ts';
import { rangeNames } from '../inventory/scope.ts';
import { createLogger } from '../log.ts';
import { LEDGER_OPTIONS } from '../store/ledger.ts';
import { openStore } from '../store/sqlite-store.ts';
import type { Database } from '../store/store.ts';
import type { CliIo } from './verb.ts';

/** Devices of the ledger, read beside a running daemon, and those of the config. */
export async function knownDevices(loaded: LoadedConfig | undefined, now: WallTime): Promise<readonly DeviceRecord[]> {
  if (!loaded) return [];
  const book = new Book(await recordsOf(loaded));
  book.configure(
    loaded.config.devices.map(({ name, address, port }) => ({ name: name ?? address, address, port })),
    now,
  );
  return book.all();
}

async function recordsOf(loaded: LoadedConfig): Promise<readonly DeviceRecord[]> {
  const directory = resolve(loaded.folder, loaded.config.storage.directory);
  if (!existsSync(join(directory, 'ledger.db'))) return [];
  const store = await openStore({ directory, log: createLogger('error'), readOnly: true });
  try {
    const { database } = await store.open('ledger', LEDGER_OPTIONS);
    return await readRecords(database);
  } finally {
    await store.close();
  }
}

export interface Adoption {
  readonly loaded: LoadedConfig | undefined;
  readonly devices: readonly Found[];
  /** By the address of the device. */
  readonly decisions: ReadonlyMap<string, Decision>;
}

/**
 * Writes what was found into the ledger, and adopts what is to be adopted. A running daemon holds the ledger: it is the
 * one to adopt then.
 * @throws SitewardError `NO_CONFIG`, `DAEMON_RUNS`
 */
export async function adoptFound(io: CliIo, { loaded, devices, decisions }: Adoption): Promise<void> {
  if (!loaded)
    throw new SitewardError(
      'NO_CONFIG',
      'without a config there is nothing to adopt devices into',
      'name it by --config',
    );
  const directory = resolve(loaded.folder, loaded.config.storage.directory);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const store = await openStore({ directory, log: createLogger('error') }).catch(asDaemonRuns);
  try {
    const { database } = await store.open('ledger', LEDGER_OPTIONS);
    io.err(
      `${await adoptInto(database, { loaded, devices, decisions })} adopted; the daemon watches them when it starts\n`,
    );
  } finally {
    await store.close();
  }
}

async function adoptInto(
  database: Database,
  { loaded, devices, decisions }: Adoption & { readonly loaded: LoadedConfig },
): Promise<number> {
  const now = systemClock.wallNow();
  const book = new Book(await readRecords(database));
  const sightings = devices.flatMap((each) => each.sightings);
  const scanned = new Set<string>(sightings.map(({ address }) => address));
  const rangeOf = rangeNames(loaded.config);
  await writeChanges(
    database,
    book.ingest(sightings, { now, rangeOf, scanned: (address) => scanned.has(address) }),
    now,
  );
  let adopted = 0;
  for (const [address, decision] of decisions) {
    const record = book.at(address);
    if (!decision.adopt || record?.state !== 'candidate') continue;
    const { name, settings } = decision;
    await writeChanges(database, book.adopt(record.id, name, settings, now, 'siteward discover --adopt'), now);
    adopted += 1;
  }
  return adopted;
}

function asDaemonRuns(error: unknown): never {
  if (!(error instanceof SitewardError) || error.code !== 'STORE_LOCKED') throw error;
  throw new SitewardError(
    'DAEMON_RUNS',
    'the daemon runs and keeps the inventory itself',
    'adopt what it has found by POST /api/v1/discoveries/ID/adopt or on its page, or let it adopt by discovery.ranges[].adopt',
    { cause: error },
  );
}
