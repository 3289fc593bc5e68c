import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { backupStore, restoreStore } from '#daemon/store/backup.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import type { Database, DatabaseOptions } from '#daemon/store/store.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

const NOTES: DatabaseOptions = {
  migrations: [{ name: 'notes', sql: 'CREATE TABLE note (id INTEGER PRIMARY KEY, body ANY) STRICT' }],
  synchronous: 'full',
};
const log = recordingLogger();

async function running(): Promise<{ directory: string; ledger: Database; spool: Database }> {
  const directory = await temporaryFolder();
  const store = await openStore({ directory, log });
  onTestFinished(() => store.close());
  const [ledger, spool] = await Promise.all(['ledger', 'spool'].map((name) => store.open(name, NOTES)));
  if (!ledger || !spool) throw new Error('not open');
  await ledger.database.write([{ sql: 'INSERT INTO note (body) VALUES (?)', params: ['precious'] }]);
  return { directory, ledger: ledger.database, spool: spool.database };
}

async function taken(): Promise<string> {
  const { directory } = await running();
  const file = join(await temporaryFolder(), 'backup.tar.gz');
  await backupStore(directory, file, { log, now: new Date() });
  return file;
}

test('a backup under load holds everything acknowledged before it, and opens again', async () => {
  const { directory, spool } = await running();
  let acknowledged = 0;
  let done = false;
  const load = (async () => {
    while (!done) {
      await spool.write([
        { sql: 'INSERT INTO note (body) VALUES (?)', params: [`${acknowledged} ${'x'.repeat(1000)}`] },
      ]);
      acknowledged += 1;
    }
  })();
  await expect.poll(() => acknowledged, { timeout: 20_000 }).toBeGreaterThan(100);
  const before = acknowledged;
  const file = join(await temporaryFolder(), 'backup.tar.gz');

  const manifest = await backupStore(directory, file, { log, now: new Date('2026-10-03T12:00:00Z') });
  done = true;
  await load;
  const target = await temporaryFolder();
  await restoreStore(target, file, { log });

  expect(manifest).toMatchObject({
    created_at: '2026-10-03T12:00:00.000Z',
    files: [{ name: 'ledger.db' }, { name: 'spool.db' }],
  });
  const restored = await openStore({ directory: target, log });
  onTestFinished(() => restored.close());
  const { database } = await restored.open('spool', NOTES);
  const rows = await database.read('SELECT count(*) AS n FROM note');
  expect(rows[0]?.['n']).toBeGreaterThanOrEqual(before);
  expect(await database.check()).toEqual([]);
  const ledger = (await restored.open('ledger', NOTES)).database;
  expect(await ledger.read('SELECT body FROM note')).toEqual([{ body: 'precious' }]);
});

test('the file is a tar that tar reads', async () => {
  const file = await taken();

  const { stdout } = await promisify(execFile)('tar', ['-tzf', file]);

  expect(stdout.trim().split('\n')).toEqual(['manifest.json', 'ledger.db', 'spool.db']);
});

describe('a restore', () => {
  test('into a folder that has databases is refused', async () => {
    const { directory } = await running();
    const target = await temporaryFolder();
    await writeFile(join(target, 'ledger.db'), '');

    await expect(restoreStore(target, await taken(), { log })).rejects.toMatchObject({ code: 'BACKUP' });
    await expect(restoreStore(directory, await taken(), { log })).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  });

  const damages: Readonly<Record<string, (tar: Buffer) => Buffer>> = {
    'that is cut': (tar) => tar.subarray(0, tar.length / 2),
    'with a changed byte': (tar) => {
      tar[tar.length - 3000] = (tar[tar.length - 3000] ?? 0) ^ 1;
      return tar;
    },
    'with a name that leads elsewhere': (tar) => {
      const at = tar.indexOf('ledger.db', 600);
      tar.write('../evil.d', at);
      return tar;
    },
    'that is something else': () => Buffer.from('hello'),
  };

  test.each(Object.entries(damages))('of a file %s leaves the folder as it was', async (_, damage) => {
    const file = await taken();
    await writeFile(file, gzipSync(damage(gunzipSync(await readFile(file)))));
    const target = await temporaryFolder();

    await expect(restoreStore(target, file, { log })).rejects.toMatchObject({
      code: 'BACKUP',
      message: expect.stringContaining('is not a whole backup'),
    });
    expect((await readdir(target)).filter((name) => name.endsWith('.db') || name.startsWith('.'))).toEqual([]);
  });

  test('of a file that is not there says so', async () => {
    await expect(restoreStore(await temporaryFolder(), '/nowhere/backup', { log })).rejects.toMatchObject({
      code: 'BACKUP',
    });
  });
});
