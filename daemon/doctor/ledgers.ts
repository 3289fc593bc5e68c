/** Are the ledgers whole, and does anything wait or lie refused in the spool? */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#collectors/contract.ts';
import type { LoadedConfig } from '#config/load.ts';
import type { Logger } from '../log.ts';
import { listSpool } from '../spool/inspect.ts';
import { SPOOL_NAME } from '../spool/spool.ts';
import { storageDirectory } from '../storage.ts';
import { LEDGER_OPTIONS, verifyDatabase } from '../store/ledger.ts';
import { openStore } from '../store/sqlite-store.ts';
import { VERIFIERS } from '../verifiers.ts';
import { type Finding, fault, good, messageOf, warning } from './finding.ts';

/** A spool whose oldest point is older than this has an output that takes nothing. */
const WAITS_LONG = 900_000;

export async function checkLedger(loaded: LoadedConfig, log: Logger): Promise<Finding[]> {
  const directory = storageDirectory(loaded);
  try {
    if (!(await isThere(join(directory, 'ledger.db'))))
      return [good('ledger', 'none yet: the daemon makes it when it first runs')];
    const store = await openStore({ directory, log, readOnly: true });
    try {
      const { database } = await store.open('ledger', LEDGER_OPTIONS);
      const { faults } = await verifyDatabase(database, VERIFIERS);
      if (faults.length === 0) return [good('ledger', 'whole: chains, intervals and sums hold')];
      return faults.map(({ what, where, message }) =>
        fault(
          'ledger',
          `${what}, ${where}: ${message}`,
          'keep the file and run `siteward verify`; the daemon restores the last verified copy when it cannot read the ledger',
        ),
      );
    } finally {
      await store.close();
    }
  } catch (error) {
    return [
      fault(
        'ledger',
        `cannot be read: ${messageOf(error)}`,
        'give it to the user that siteward runs as; a damaged one is set aside by the daemon when it starts, which restores the last verified copy',
      ),
    ];
  }
}

export async function checkSpool(
  loaded: LoadedConfig,
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<Finding[]> {
  const directory = storageDirectory(loaded);
  try {
    if (!(await isThere(join(directory, `${SPOOL_NAME}.db`)))) return [];
    const { outputs, quarantine } = await listSpool({ directory, log, clock, signal });
    const waiting = outputs.map(({ name, pending, oldestAt }) => {
      const age = oldestAt === undefined ? 0 : clock.wallNow() - oldestAt;
      if (age > WAITS_LONG)
        return warning(
          `spool ${name}`,
          `${pending} points wait, the oldest for ${Math.round(age / 60_000)} minutes`,
          'see what is said about that output here',
        );
      return good(`spool ${name}`, `${pending} points on their way`);
    });
    if (quarantine.length === 0) return waiting;
    return [
      ...waiting,
      warning(
        'quarantine',
        `${quarantine.length} batches that a receiver refused`,
        '`siteward spool list` shows them with its words; then retry or drop them',
      ),
    ];
  } catch (error) {
    return [
      fault(
        'spool',
        `cannot be read: ${messageOf(error)}`,
        'give it to the user that siteward runs as; a damaged one is set aside by the daemon when it starts, which saves what it can',
      ),
    ];
  }
}

/** @throws when it may not be looked whether it is there: that is no answer. */
async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
