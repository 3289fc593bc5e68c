import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Milliseconds, WallTime } from '#collectors/contract.ts';
import { systemClock } from '#daemon/clock.ts';
import { changeQuarantine, type InspectSettings, listSpool, verifySpoolFolder } from '#daemon/spool/inspect.ts';
import type { OutputSpool } from '#daemon/spool/output-spool.ts';
import { LINES } from '#daemon/spool/records.ts';
import { openSpool } from '#daemon/spool/spool.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { openTestSpool, startSpool, type TestSpool } from '../../support/spool.ts';

const SETTINGS = { format: LINES, maxBytes: 1_000_000, maxAge: 2_592_000_000 as Milliseconds };

function inspecting(directory: string): InspectSettings {
  return { directory, log: recordingLogger(), clock: systemClock, signal: AbortSignal.timeout(10_000) };
}

/** Three points of which the receiver refused two, and one that waits. */
async function withQuarantine({ spool }: TestSpool): Promise<OutputSpool> {
  const output = await spool.output('central', SETTINGS);
  const at = Date.now() as WallTime;
  const line = (name: string) => Buffer.from(`m,t=${name} v=1 ${at}\n`);
  await output.append([
    { raw: Buffer.concat([line('a'), line('b'), line('c')]), points: 3, important: false, firstAt: at, lastAt: at },
  ]);
  const claim = await output.claim('oldest', { points: 10, rawBytes: 1e6 });
  if (!claim) throw new Error('nothing to claim');
  await output.settle(claim, {
    written: 1,
    quarantined: ['b', 'c'].map((name) => ({ raw: line(name), points: 1, status: 400, message: `no ${name}` })),
    dropped: [],
  });
  await output.append([{ raw: line('d'), points: 1, important: false, firstAt: at, lastAt: at }]);
  return output;
}

test('what waits and what was refused is listed beside a running daemon, with the words of the receiver', async () => {
  const running = await startSpool();
  await withQuarantine(running);

  const { outputs, quarantine } = await listSpool(inspecting(running.directory));

  expect(outputs).toMatchObject([{ name: 'central', format: 'lines', pending: 1, oldestAt: expect.any(Number) }]);
  expect(quarantine).toMatchObject([
    { output: 'central', status: 400, message: 'no b', points: 1, records: [expect.stringContaining('m,t=b')] },
    { message: 'no c' },
  ]);
});

test('a running daemon tries again or throws away what it is asked to', async () => {
  const running = await startSpool();
  const output = await withQuarantine(running);
  const inspect = inspecting(running.directory);
  const [first] = (await listSpool(inspect)).quarantine;

  const retried = await changeQuarantine(inspect, { action: 'retry', ids: [first?.id ?? 0] });
  const dropped = await changeQuarantine(inspect, { action: 'drop', output: 'central' });

  expect([retried, dropped]).toEqual([{ points: 1 }, { points: 1 }]);
  expect(output.counts).toMatchObject({ pending: 2, quarantined: 0, dropped: { operator: 1 } });
  expect(await readdir(join(running.directory, 'spool-requests'))).toEqual([]);
});

test('without a daemon it is done at once, and the daemon finds it so', async () => {
  const directory = await temporaryFolder();
  const before = await openTestSpool({ directory });
  await withQuarantine(before);
  await before.store.close();

  const result = await changeQuarantine(inspecting(directory), { action: 'retry' });

  expect(result).toEqual({ points: 2 });
  const after = await startSpool({ directory });
  expect((await after.spool.output('central', SETTINGS)).counts).toMatchObject({ pending: 3, quarantined: 0 });
  expect(await verifySpoolFolder(inspecting(directory))).toEqual({
    checked: { outputs: 1, batches: 3, points: 3 },
    faults: [],
  });
});

test('a request that is none is answered and taken away, and the next one is served', async () => {
  const running = await startSpool();
  await withQuarantine(running);
  const folder = join(running.directory, 'spool-requests');
  await mkdir(folder);
  await writeFile(join(folder, 'a.request'), '{"action":"delete everything"}');
  await writeFile(join(folder, 'b.request'), 'not json');

  const result = await changeQuarantine(inspecting(running.directory), { action: 'drop' });

  expect(result).toEqual({ points: 2 });
  // In what order they are served is the file system's choice.
  await expect.poll(async () => (await readdir(folder)).sort()).toEqual(['a.answer', 'b.answer']);
  expect(running.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(2);
});

test('an output that is in the config no more keeps its points for 30 days', async () => {
  const running = await startSpool();
  const at = (Date.now() - 31 * 86_400_000) as WallTime;
  const block = { raw: Buffer.from(`m v=1 ${at}\n`), points: 1, important: true, firstAt: at, lastAt: at };
  const lasting = { ...SETTINGS, maxAge: Number.MAX_SAFE_INTEGER as Milliseconds };
  await (await running.spool.output('gone', lasting)).append([block]);
  const { spool } = await openTestSpoolAgain(running);

  await spool.dropOrphans();

  expect((await listSpool(inspecting(running.directory))).outputs).toMatchObject([{ name: 'gone', pending: 0 }]);
});

/** As after a restart, on the same store. */
async function openTestSpoolAgain({ store, directory }: TestSpool) {
  const log = recordingLogger();
  return { spool: await openSpool({ store, directory, freeFloor: 0, log, clock: systemClock }) };
}
