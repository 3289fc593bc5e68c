import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '#config/load.ts';
import { createLogger } from '../log.ts';
import { SPOOL_NAME, SPOOL_OPTIONS } from '../spool/spool.ts';
import { verifySpool } from '../spool/verify.ts';
import { storageDirectory } from '../storage.ts';
import { LEDGER_OPTIONS, type LedgerCheck, verifyDatabase } from '../store/ledger.ts';
import { openStore } from '../store/sqlite-store.ts';
import type { Database, DatabaseOptions } from '../store/store.ts';
import { VERIFIERS } from '../verifiers.ts';
import { configPath } from './config-path.ts';
import { plain } from './readings-text.ts';
import { EXIT, type RunVerb } from './verb.ts';

/** Reads only, beside a running daemon or without one. */
export const run: RunVerb = async (io, _args, options) => {
  if (options.pack !== undefined) return await (await import('./verify-pack.ts')).verifyPack(io, [], options);
  const directory = storageDirectory(loadConfig(configPath(options), io.env));
  const ledger = await checked(directory, 'ledger', LEDGER_OPTIONS, (database) => verifyDatabase(database, VERIFIERS));
  // A site without outputs has no spool.
  const spool = existsSync(join(directory, `${SPOOL_NAME}.db`))
    ? await checked(directory, SPOOL_NAME, SPOOL_OPTIONS, async (database) => {
        const { checked: counts, faults } = await verifySpool(database);
        return {
          checked: { spool_outputs: counts.outputs, spool_batches: counts.batches, spool_points: counts.points },
          faults,
        };
      })
    : { checked: {}, faults: [] };
  const faults = [...ledger.faults, ...spool.faults];
  const result = { ok: faults.length === 0, checked: { ...ledger.checked, ...spool.checked }, faults };
  if (options.json) {
    io.out(`${JSON.stringify(result, null, 2)}\n`);
  } else {
    for (const [what, count] of Object.entries(result.checked)) io.out(`${what.replaceAll('_', ' ')}: ${count}\n`);
    for (const { what, where, message } of faults) io.out(`FAULT ${what}, ${plain(where)}: ${plain(message)}\n`);
    io.out(result.ok ? `${directory} is whole\n` : `${faults.length} faults in ${directory}\n`);
  }
  return result.ok ? EXIT.done : EXIT.failed;
};

async function checked(
  directory: string,
  name: string,
  options: DatabaseOptions,
  check: (database: Database) => Promise<LedgerCheck>,
): Promise<LedgerCheck> {
  const store = await openStore({ directory, log: createLogger('warn', process.stderr), readOnly: true });
  try {
    const { database } = await store.open(name, options);
    return await check(database);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { checked: {}, faults: [{ what: 'file', where: `${name}.db`, message }] };
  } finally {
    await store.close();
  }
}
