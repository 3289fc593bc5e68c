import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { type Piece, readExtract } from '#daemon/availability/timeline.ts';
import { type ObservedState, RULE_VERSION } from '#daemon/availability/verdict.ts';
import { verifyDatabase } from '#daemon/store/ledger.ts';
import { VERIFIERS } from '#daemon/verifiers.ts';
import { type OpenBook, openBook, type SetClock, setClock } from '../../support/availability.ts';
import { temporaryFolder } from '../../support/folder.ts';

const START = Date.parse('2026-10-20T12:00:00Z');
const MINUTE = 60_000;

function enter(book: OpenBook, clock: SetClock, state: ObservedState, since = clock.wallNow()): void {
  const rule = state === 'up' ? 'answered' : 'silent three rounds';
  book.availability.append({
    kind: 'state',
    device: 'fw-1',
    at: since,
    state,
    rule,
    ruleVersion: RULE_VERSION,
    detail: {},
  });
}

async function begun(directory: string, clock: SetClock): Promise<OpenBook> {
  const book = await openBook(directory, clock);
  book.availability.watch(new Map([['fw-1', undefined]]), clock.wallNow());
  enter(book, clock, 'up');
  await lives(book, clock);
  return book;
}

async function lives(book: OpenBook, clock: SetClock): Promise<void> {
  book.availability.beat(clock.wallNow(), clock.monotonicNow());
  await book.flush();
}

/** `state seconds`, in order. */
async function timeline(book: OpenBook, clock: SetClock): Promise<string[]> {
  const within = { from: 0 as WallTime, to: 8e15 as WallTime };
  const { timelines } = await readExtract(book.ledger.database, within, clock.wallNow());
  return (timelines.get('fw-1') ?? []).map(({ state, from, to }: Piece) => `${state} ${(to - from) / 1000}`);
}

async function faults(book: OpenBook): Promise<readonly unknown[]> {
  return (await verifyDatabase(book.ledger.database, VERIFIERS)).faults;
}

test('an outage is entered with its beginning back-dated, and the intervals touch', async () => {
  const clock = setClock(START);
  const book = await begun(await temporaryFolder(), clock);
  clock.advance(10 * MINUTE);
  enter(book, clock, 'down', (clock.wallNow() - 30_000) as WallTime);
  clock.advance(MINUTE);
  enter(book, clock, 'up');
  clock.advance(MINUTE);
  await lives(book, clock);

  expect(await timeline(book, clock)).toEqual(['up 570', 'down 90', 'up 60']);
  expect(await faults(book)).toEqual([]);
  await book.close();
});

test('after a crash the time from the last heartbeat is unknown, and what was acknowledged is there', async () => {
  const directory = await temporaryFolder();
  const clock = setClock(START);
  const book = await begun(directory, clock);
  clock.advance(5 * MINUTE);
  await lives(book, clock);
  clock.advance(10_000);
  await book.close();

  clock.advance(20 * MINUTE);
  const again = await openBook(directory, clock);
  enter(again, clock, 'up');
  clock.advance(MINUTE);
  await lives(again, clock);

  expect(await timeline(again, clock)).toEqual(['up 300', 'unknown 1210', 'up 60']);
  expect(await faults(again)).toEqual([]);
  await again.close();
});

test('counters go on after a crash, and sum to the time since the device was first watched', async () => {
  const directory = await temporaryFolder();
  const clock = setClock(START);
  const book = await begun(directory, clock);
  book.availability.enter('fw-1', clock.wallNow(), 'up');
  clock.advance(5 * MINUTE);
  await lives(book, clock);
  book.availability.sums.settle('fw-1', clock.wallNow());
  const before = { ...book.availability.sums.of('fw-1') };
  await book.close();

  clock.advance(MINUTE);
  const again = await openBook(directory, clock);

  expect(before).toMatchObject({ up: 300_000 });
  expect(again.availability.sums.of('fw-1')).toEqual({
    up: 300_000,
    down: 0,
    unreachable: 0,
    maintenance: 0,
    unknown: 60_000,
  });
  await again.close();
});

test('a clock put back an hour makes no time count twice: what differs is unknown', async () => {
  const clock = setClock(START);
  const book = await begun(await temporaryFolder(), clock);
  clock.advance(60 * MINUTE);
  enter(book, clock, 'down', (clock.wallNow() - 10 * MINUTE) as WallTime);
  const before = clock.wallNow();
  clock.step(-60 * MINUTE);
  book.availability.interrupt(before, clock.wallNow(), 'clock set');
  enter(book, clock, 'up');
  clock.advance(90 * MINUTE);
  await lives(book, clock);

  expect(await timeline(book, clock)).toEqual(['up 3000', 'unknown 600', 'up 1800']);
  expect(await faults(book)).toEqual([]);
  await book.close();
});

test('a machine that boots in 1970 watches since its clock was set, and not since 1970', async () => {
  const clock = setClock(0);
  const book = await begun(await temporaryFolder(), clock);
  clock.advance(MINUTE);
  const before = clock.wallNow();
  clock.step(START);
  book.availability.interrupt(before, clock.wallNow(), 'clock set');
  enter(book, clock, 'up');
  clock.advance(MINUTE);
  await lives(book, clock);
  const within = { from: (START - 30 * 86_400_000) as WallTime, to: 8e15 as WallTime };
  const { timelines } = await readExtract(book.ledger.database, within, clock.wallNow());

  expect(timelines.get('fw-1')?.map(({ state, from, to }) => [state, to - from])).toEqual([['up', MINUTE]]);
  expect(book.availability.sums.of('fw-1')).toMatchObject({ unknown: 0 });
  await book.close();
});

/** Overwrites a part of the file that holds entries. */
function damage(directory: string): void {
  const path = join(directory, 'ledger.db');
  const bytes = readFileSync(path);
  for (let at = 100; at < Math.min(bytes.length, 200_000); at += 1) bytes[at] = 0xaa;
  writeFileSync(path, bytes);
  rmSync(`${path}-wal`, { force: true });
  rmSync(`${path}-shm`, { force: true });
}

test.each(['damaged', 'missing'])(
  'a %s file is restored from its verified copy, and the gap is unknown',
  async (how) => {
    const directory = await temporaryFolder();
    const clock = setClock(START);
    const book = await begun(directory, clock);
    clock.advance(5 * MINUTE);
    await lives(book, clock);
    await book.ledger.copy();
    clock.advance(10 * MINUTE);
    enter(book, clock, 'down');
    await lives(book, clock);
    await book.close();

    if (how === 'damaged') damage(directory);
    else for (const suffix of ['', '-wal', '-shm']) rmSync(join(directory, `ledger.db${suffix}`), { force: true });
    clock.advance(5 * MINUTE);
    const again = await openBook(directory, clock);
    enter(again, clock, 'up');
    clock.advance(MINUTE);
    await lives(again, clock);

    expect(await timeline(again, clock)).toEqual(['up 300', 'unknown 900', 'up 60']);
    expect(await faults(again)).toEqual([]);
    expect(readdirSync(directory).some((name) => name.startsWith('ledger.db.damaged'))).toBe(how === 'damaged');
    await again.close();
  },
);

test('a copy that somebody changed is no copy', async () => {
  const directory = await temporaryFolder();
  const clock = setClock(START);
  const book = await begun(directory, clock);
  clock.advance(MINUTE);
  await lives(book, clock);
  const copy = await book.ledger.copy();
  await book.close();
  const database = new DatabaseSync(copy);
  database.exec(
    "DROP TRIGGER availability_entries_stay; UPDATE availability_entries SET state = 'up', detail = '{\"x\":1}' WHERE kind = 'state'",
  );
  database.close();
  rmSync(join(directory, 'ledger.db'));
  rmSync(join(directory, 'ledger.db-wal'), { force: true });

  const again = await openBook(directory, clock);

  expect(await timeline(again, clock)).toEqual([]);
  expect(existsSync(copy)).toBe(true);
  await again.close();
});

test('verify finds an entry that was changed, one that was taken out, and one that was put in', async () => {
  const clock = setClock(START);
  const directory = await temporaryFolder();
  const book = await begun(directory, clock);
  clock.advance(MINUTE);
  enter(book, clock, 'down');
  enter(book, clock, 'up');
  await lives(book, clock);
  await book.close();
  const tamper = (sql: string): void => {
    const database = new DatabaseSync(join(directory, 'ledger.db'));
    database.exec(
      'DROP TRIGGER IF EXISTS availability_entries_stay; DROP TRIGGER IF EXISTS availability_entries_remain',
    );
    database.exec(sql);
    database.close();
  };

  tamper("UPDATE availability_entries SET state = 'up' WHERE state = 'down'");
  const changed = await openBook(directory, clock);
  expect(await faults(changed)).toMatchObject([
    { what: 'availability', message: expect.stringContaining('hash does not follow') },
  ]);
  await changed.close();

  tamper('DELETE FROM availability_entries WHERE seq = 2');
  const removed = await openBook(directory, clock);
  expect(await faults(removed)).toEqual(
    expect.arrayContaining([expect.objectContaining({ message: 'entries 2 to 2 are missing' })]),
  );
  await removed.close();
});

test('entries are neither changed nor deleted by any statement', async () => {
  const book = await begun(await temporaryFolder(), setClock(START));
  const { database } = book.ledger;

  await expect(database.write([{ sql: "UPDATE availability_entries SET state = 'up'" }])).rejects.toThrow(
    'never changed',
  );
  await expect(database.write([{ sql: 'DELETE FROM availability_entries' }])).rejects.toThrow('never deleted');
  await book.close();
});
