import { resolve } from 'node:path';
import type { Clock } from '#collectors/contract.ts';
import type { LoadedConfig } from '#config/load.ts';
import type { Logger } from './log.ts';
import { type Ledger, openLedger, type Restoration } from './store/ledger.ts';
import { openStore } from './store/sqlite-store.ts';
import type { Store } from './store/store.ts';
import { VERIFIERS } from './verifiers.ts';

/** What the daemon keeps on disk. */
export interface Storage {
  /** Absolute. */
  readonly directory: string;
  readonly store: Store;
  readonly ledger: Ledger;
  /** How the ledger came back, where it was lost or damaged. */
  readonly restoration?: Restoration;
  close(): Promise<void>;
}

/** The folder of the ledgers, the spool and the history. */
export function storageDirectory({ config, folder }: Pick<LoadedConfig, 'config' | 'folder'>): string {
  return resolve(folder, config.storage.directory);
}

/**
 * Takes the folder for this daemon and opens the ledger, from a verified copy where it has to.
 * @throws StoreError when another siteward has the folder, or when it cannot be written
 */
export async function openStorage(loaded: LoadedConfig, clock: Clock, log: Logger): Promise<Storage> {
  const directory = storageDirectory(loaded);
  const store = await openStore({ directory, log });
  try {
    const { ledger, restoration } = await openLedger({ store, directory, clock, log, verifiers: VERIFIERS });
    ledger.keepCopies();
    return {
      directory,
      store,
      ledger,
      ...(restoration ? { restoration } : {}),
      close: async () => {
        await ledger.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}
