import { spawnSync } from 'node:child_process';
import { chmod, open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { assertSqliteVersion } from '#daemon/store/database-file.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import type { Database, DatabaseOptions, Store } from '#daemon/store/store.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

const NOTES: DatabaseOptions = {
  migrations: [{ name: 'notes', sql: 'CREATE TABLE note (id INTEGER PRIMARY KEY, body ANY UNIQUE) STRICT' }],
  synchronous: 'full',
};
const INSERT = 'INSERT INTO note (body) VALUES (?)';

async function startStore(directory: string, readOnly = false): Promise<Store> {
  const store = await openStore({ directory, readOnly, log: recordingLogger() });
  onTestFinished(() => store.close());
  return store;
}

async function openNotes(options: Partial<DatabaseOptions> = {}): Promise<{ directory: string; notes: Database }> {
  const directory = await temporaryFolder();
  const store = await startStore(directory);
  const { database } = await store.open('notes', { ...NOTES, ...options });
  return { directory, notes: database };
}

async function bodies(notes: Database): Promise<unknown[]> {
  return (await notes.read('SELECT body FROM note ORDER BY id')).map((row) => row['body']);
}

/** A folder in which a store was used and closed. */
async function usedFolder(rows = 1, padding = 0): Promise<string> {
  const directory = await temporaryFolder();
  const store = await openStore({ directory, log: recordingLogger() });
  const { database } = await store.open('notes', NOTES);
  await database.write([
    { sql: INSERT, rows: Array.from({ length: rows }, (_, index) => [`body ${index}${' '.repeat(padding)}`]) },
  ]);
  await store.close();
  return directory;
}

async function overwrite(path: string, at: number, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(bytes, 0, bytes.length, at);
  await file.close();
}

describe('writing and reading', () => {
  test('every kind of value comes back as it was, integers past 2^53 as bigint', async () => {
    const { notes } = await openNotes();
    const values = ['text', 12, 1.5, 2n ** 62n, -(2n ** 63n), null, new Uint8Array([1, 2, 3])];

    await notes.write([{ sql: INSERT, rows: values.map((value) => [value]) }]);

    expect(await bodies(notes)).toEqual(values);
  });

  test('a slice of a larger buffer is stored as the slice alone', async () => {
    const { notes } = await openNotes();

    await notes.write([{ sql: INSERT, params: [new Uint8Array([0, 7, 8, 0]).subarray(1, 3)] }]);

    expect(await bodies(notes)).toEqual([new Uint8Array([7, 8])]);
  });

  test('a write happens as a whole or not at all', async () => {
    const { notes } = await openNotes();

    const write = notes.write([
      { sql: INSERT, params: ['kept?'] },
      { sql: INSERT, rows: [['twice'], ['twice']] },
    ]);

    await expect(write).rejects.toMatchObject({ code: 'STORE_STATEMENT' });
    expect(await bodies(notes)).toEqual([]);
  });

  test('a bad write costs none of those that share its commit', async () => {
    const { notes } = await openNotes();

    const writes = ['a', 'b', 'a', 'c'].map((body) => notes.write([{ sql: INSERT, params: [body] }]));
    const results = await Promise.allSettled(writes);

    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(await bodies(notes)).toEqual(['a', 'b', 'c']);
  });

  test('a thousand writes asked for at once come in order', async () => {
    const { notes } = await openNotes();

    const outcomes = await Promise.all(
      Array.from({ length: 1000 }, (_, index) => notes.write([{ sql: INSERT, params: [index] }])),
    );

    expect(outcomes.map(([outcome]) => outcome?.lastInsertRowid)).toEqual(
      Array.from({ length: 1000 }, (_, index) => BigInt(index + 1)),
    );
  });
});

describe('the file', () => {
  test('is in WAL mode, synced as asked, and gives space back', async () => {
    const { directory, notes } = await openNotes({ synchronous: 'full' });
    const settings = await Promise.all(
      ['journal_mode', 'synchronous', 'auto_vacuum', 'busy_timeout'].map(async (name) =>
        Object.values((await notes.read(`PRAGMA ${name}`))[0] ?? {}),
      ),
    );
    await notes.write([{ sql: INSERT, params: [new Uint8Array(2_000_000)] }]);
    await notes.write([{ sql: 'DELETE FROM note' }]);
    await notes.shrink(10_000);
    await notes.read('PRAGMA wal_checkpoint(TRUNCATE)');

    expect(settings).toEqual([['wal'], [2], [2], [5000]]);
    expect((await stat(join(directory, 'notes.db'))).size).toBeLessThan(100_000);
  });

  test('never grows past its cap, and what was written stays readable', async () => {
    const { notes } = await openNotes({ maxBytes: 400_000 });
    await notes.write([{ sql: INSERT, params: ['first'] }]);

    const tooMuch = notes.write([{ sql: INSERT, params: [new Uint8Array(1_000_000)] }]);

    await expect(tooMuch).rejects.toMatchObject({ code: 'STORE_FULL', hint: expect.stringContaining('free space') });
    await notes.write([{ sql: INSERT, params: ['second'] }]);
    expect(await bodies(notes)).toEqual(['first', 'second']);
    expect(await notes.check()).toEqual([]);
  });

  test('keeps free pages where a reserve is asked for, also after giving space back', async () => {
    const { notes } = await openNotes({ reserveBytes: 2_000_000 });
    await notes.shrink(100_000);

    const [row] = await notes.read(
      'SELECT freelist_count * page_size AS free FROM pragma_freelist_count, pragma_page_size',
    );

    expect(row?.['free']).toBeGreaterThanOrEqual(2_000_000);
  });

  test('moves through its migrations, each in one transaction with the version', async () => {
    const directory = await usedFolder();
    const store = await startStore(directory);
    const failing = [...NOTES.migrations, { name: 'bad', sql: 'CREATE TABLE other (id); SELECT nothing FROM nowhere' }];
    const good = [...NOTES.migrations, { name: 'good', sql: 'CREATE TABLE other (id)' }];

    await expect(store.open('notes', { ...NOTES, migrations: failing })).rejects.toMatchObject({
      code: 'STORE_STATEMENT',
    });
    const { database } = await store.open('notes', { ...NOTES, migrations: good });

    expect(await database.read('PRAGMA user_version')).toEqual([{ user_version: 2 }]);
    expect(await bodies(database)).toEqual(['body 0']);
  });

  test('of a newer version is refused and stays as it is', async () => {
    const directory = await usedFolder();
    const path = join(directory, 'notes.db');
    const file = new DatabaseSync(path);
    file.exec('PRAGMA user_version = 7');
    file.close();
    const before = await readFile(path);
    const store = await startStore(directory);

    await expect(store.open('notes', NOTES)).rejects.toMatchObject({
      code: 'STORE_VERSION',
      message: expect.stringContaining('version 7'),
    });
    expect(await readFile(path)).toEqual(before);
  });

  test('is copied while it is written, and the copy is whole', async () => {
    const { directory, notes } = await openNotes();
    await notes.write([
      { sql: INSERT, rows: Array.from({ length: 5000 }, (_, index) => [`${index} ${'x'.repeat(500)}`]) },
    ]);
    const copy = join(directory, 'copy.db');

    const backup = notes.backup(copy);
    const written = notes.write([{ sql: INSERT, params: ['meanwhile'] }]);
    await Promise.all([backup, written]);

    const restored = new DatabaseSync(copy, { readOnly: true });
    expect(restored.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    expect(restored.prepare('SELECT count(*) AS n FROM note').get()?.['n']).toBeGreaterThanOrEqual(5000);
    restored.close();
  });
});

describe('after a kill', () => {
  test('in the middle of making the file, it is finished', async () => {
    const directory = await temporaryFolder();
    // A first transaction in rollback mode, as SQLite leaves it: the journal is hot, the page is half written.
    const script = `
      const { DatabaseSync } = require('node:sqlite');
      const database = new DatabaseSync(${JSON.stringify(join(directory, 'notes.db'))});
      database.exec('PRAGMA cache_size = 5; CREATE TABLE junk (a); BEGIN; INSERT INTO junk VALUES (zeroblob(100000))');
      process.kill(process.pid, 'SIGKILL');`;
    spawnSync(process.execPath, ['-e', script]);
    expect(await readdir(directory)).toContain('notes.db-journal');
    const store = await startStore(directory);

    const { database, setAside } = await store.open('notes', NOTES);

    expect(setAside).toBeUndefined();
    await database.write([{ sql: INSERT, params: ['first'] }]);
  });

  test('in the middle of making the reserve, it is made anew', async () => {
    const directory = await usedFolder();
    const file = new DatabaseSync(join(directory, 'notes.db'));
    file.exec('CREATE TABLE siteward_reserve (filling BLOB); INSERT INTO siteward_reserve VALUES (zeroblob(100000))');
    file.close();
    const store = await startStore(directory);

    const { database } = await store.open('notes', { ...NOTES, reserveBytes: 1_000_000 });

    expect(await bodies(database)).toEqual(['body 0']);
    expect(await database.read("SELECT name FROM sqlite_schema WHERE name = 'siteward_reserve'")).toEqual([]);
  });
});

describe('a damaged file', () => {
  const damages: Record<string, (path: string) => Promise<void>> = {
    'that is no database': (path) => writeFile(path, 'not a database at all, but long enough to look like a file'),
    'with a broken page': (path) => overwrite(path, 4096 + 3, new Uint8Array(2000).fill(0xff)),
    'cut in half': async (path) => {
      const bytes = await readFile(path);
      await writeFile(path, bytes.subarray(0, bytes.length / 2));
    },
  };

  test.each(Object.entries(damages))('%s is set aside and an empty one begun', async (_, damage) => {
    const directory = await usedFolder(2000);
    await damage(join(directory, 'notes.db'));
    const log = recordingLogger();
    const store = await openStore({ directory, log });
    onTestFinished(() => store.close());

    const { database, setAside } = await store.open('notes', NOTES);

    expect(setAside).toMatch(/notes\.db\.damaged-\d{4}-/);
    expect(await readdir(directory)).toContain(setAside?.split('/').at(-1));
    expect(log.lines).toMatchObject([{ level: 'error', fields: { database: 'notes', setAside } }]);
    await database.write([{ sql: INSERT, params: ['new'] }]);
    expect(await bodies(database)).toEqual(['new']);
  });

  test('found while it is open ends the handle; opening it again sets it aside', async () => {
    const directory = await usedFolder(5000, 1000);
    const store = await startStore(directory);
    const { database } = await store.open('notes', NOTES);
    const { size } = await stat(join(directory, 'notes.db'));
    await overwrite(join(directory, 'notes.db'), 8192, new Uint8Array(size - 8192).fill(0xa5));

    await expect(bodies(database)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    await expect(database.write([{ sql: INSERT, params: ['x'] }])).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    const reopened = await store.open('notes', NOTES);

    expect(reopened.setAside).toBeDefined();
    await reopened.database.write([{ sql: INSERT, params: ['after'] }]);
    expect(await bodies(reopened.database)).toEqual(['after']);
  });
});

describe('the folder', () => {
  test('is had by one store at a time', async () => {
    const directory = await temporaryFolder();
    const first = await openStore({ directory, log: recordingLogger() });

    await expect(openStore({ directory, log: recordingLogger() })).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining(String(process.pid)),
    });
    await first.close();

    await startStore(directory);
  });

  test('can be looked into beside the daemon, which is not disturbed', async () => {
    const { directory, notes } = await openNotes();
    await notes.write([{ sql: INSERT, params: ['seen'] }]);
    const reader = await startStore(directory, true);
    const { database } = await reader.open('notes', NOTES);

    expect(await bodies(database)).toEqual(['seen']);
    await expect(database.write([{ sql: INSERT, params: ['x'] }])).rejects.toMatchObject({ code: 'STORE_ACCESS' });
  });

  test('that is a file is an error with a next step', async () => {
    const path = join(await temporaryFolder(), 'file');
    await writeFile(path, '');

    await expect(openStore({ directory: path, log: recordingLogger() })).rejects.toMatchObject({
      name: 'StoreError',
      hint: expect.any(String),
    });
    await chmod(path, 0o600);
  });
});

test('an SQLite with the WAL-reset fault is refused', () => {
  expect(() => assertSqliteVersion('3.51.2')).toThrow(/3\.51\.2 can damage its files/);
  expect(() => assertSqliteVersion('3.51.3')).not.toThrow();
  expect(() => assertSqliteVersion('4.0.0')).not.toThrow();
  expect(() => assertSqliteVersion()).not.toThrow();
});

test('after close every call says so', async () => {
  const store = await openStore({ directory: await temporaryFolder(), log: recordingLogger() });
  const { database } = await store.open('notes', NOTES);
  await store.close();

  await expect(database.read('SELECT 1')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  await store.close();
});
