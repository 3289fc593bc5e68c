/** T1 and T3: killed at any moment and at each sync, with syncs that fail; judged by what a real influxd holds. */
import { spawnSync } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { verifySpoolFolder } from '#daemon/spool/inspect.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type Influxd, startInfluxd } from '../support/influxd.ts';
import { seededRandom } from '../support/random.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { KillTrial, NOWHERE } from './kill-trial.ts';

const SEED = Number(process.env['SITEWARD_SEED'] ?? 1);
const RANDOM_KILLS = 40;
const LARGEST_CLAIM = 5_000;
const SYNCS = Number(process.env['SITEWARD_SYNCS'] ?? 100);

let hasStrace = false;
beforeAll(() => {
  hasStrace = spawnSync('strace', ['-V']).status === 0;
});

async function scene(): Promise<{ trial: KillTrial; influxd: Influxd }> {
  const influxd = await startInfluxd(await temporaryFolder());
  onTestFinished(() => influxd.stop());
  await influxd.query('CREATE DATABASE siteward');
  const folder = join(await temporaryFolder(), 'data');
  await mkdir(folder);
  return { trial: new KillTrial(folder), influxd };
}

async function verified(folder: string): Promise<void> {
  const verification = await verifySpoolFolder({
    directory: folder,
    log: recordingLogger(),
    signal: AbortSignal.timeout(60_000),
  });
  expect(verification.faults).toEqual([]);
}

test(`${RANDOM_KILLS} kills at random while points are spooled, sent, merged and backed up: none is lost or changed`, async () => {
  const { trial, influxd } = await scene();
  const random = seededRandom(SEED);

  for (let turn = 0; turn < RANDOM_KILLS; turn++) {
    // Every other run finds no receiver, so that the next one replays.
    const url = turn % 2 === 0 ? NOWHERE : influxd.url;
    const flags = turn % 3 === 0 ? ['ledger', 'backup'] : ['ledger'];
    const after = random() * 1_500;
    const ended = await trial.run(url, flags, (line, end) => {
      if (line === 'ready') setTimeout(() => end('SIGKILL'), after);
    });
    expect(ended.signal).toBe('SIGKILL');
    await verified(trial.folder);
  }
  await trial.drain(influxd.url);

  await trial.judge(influxd);
  console.log(`${trial.acknowledged} acknowledged points, ${RANDOM_KILLS} kills, seed ${SEED}: all there`);
});

test(`${RANDOM_KILLS} kills while the oldest make room for the newest: only the oldest are gone, and each is counted`, async () => {
  const { trial, influxd } = await scene();
  const random = seededRandom(SEED);

  for (let turn = 0; turn < RANDOM_KILLS; turn++) {
    const after = random() * 1_500;
    const ended = await trial.run(NOWHERE, ['ledger', 'capped'], (line, end) => {
      if (line === 'ready') setTimeout(() => end('SIGKILL'), after);
    });
    expect(ended.signal).toBe('SIGKILL');
    await verified(trial.folder);
  }
  const { lines } = await trial.drain(influxd.url, ['capped']);

  const { produced, written, dropped } = JSON.parse(
    lines.findLast((line) => line.startsWith('status'))?.slice(7) ?? '',
  );
  const { found, missing } = await trial.gone(influxd);
  expect(written).toBe(found.length);
  expect(dropped.size).toBe(produced - written);
  expect(missing.length).toBeGreaterThan(0);
  expect(dropped.size).toBeGreaterThanOrEqual(missing.length);
  // What is being sent is spared, and so a claim may be there that is older than some that are not.
  const lastMissing = missing.reduce((last, number) => Math.max(last, number), 0);
  expect(found.filter((number) => number < lastMissing).length).toBeLessThanOrEqual(LARGEST_CLAIM);
  expect(found.filter((number) => number > lastMissing).length).toBeGreaterThan(2 * LARGEST_CLAIM);
  console.log(
    `${trial.acknowledged} acknowledged points, ${RANDOM_KILLS} kills: ${dropped.size} of ${produced} dropped and counted`,
  );
});

describe('with strace', () => {
  const inject = (what: string, log = '/dev/null'): string[] => [
    'strace',
    '-f',
    '-qq',
    '-y',
    '-o',
    log,
    '-e',
    'trace=fsync,fdatasync,openat',
    '-e',
    `inject=fsync,fdatasync:${what}`,
  ];

  test(`a kill at each of the first ${SYNCS} syncs loses nothing`, async () => {
    expect(hasStrace, 'install strace').toBe(true);
    const { trial, influxd } = await scene();

    for (let sync = 1; sync <= SYNCS; sync++) {
      const url = sync % 2 === 0 ? NOWHERE : influxd.url;
      const ended = await trial.run(url, ['ledger'], () => {}, inject(`signal=KILL:when=${sync}`));
      expect(ended.signal ?? ended.code).not.toBe(0);
    }
    await trial.drain(influxd.url);

    await verified(trial.folder);
    await trial.judge(influxd);
    console.log(`${trial.acknowledged} acknowledged points, killed at ${SYNCS} syncs: all there`);
  });

  test(`a sync that fails, each of the first ${SYNCS}: nothing is acknowledged that is not there, and the handle is used no more`, async () => {
    expect(hasStrace, 'install strace').toBe(true);
    const { trial, influxd } = await scene();
    let reopened = 0;

    for (let sync = 1; sync <= SYNCS; sync += 1) {
      const log = join(await temporaryFolder(), 'strace');
      let [acknowledged, acknowledgedAfter, failed] = [0, 0, false];
      const ended = await trial.run(
        NOWHERE,
        [],
        (line, end) => {
          if (line.startsWith('error ')) failed = true;
          if (line.startsWith('ack ')) acknowledged += 1;
          if (failed && line.startsWith('ack ')) acknowledgedAfter += 1;
          // A sync that failed at a checkpoint is nobody's loss, and nothing is said of it.
          if (acknowledgedAfter > 3 || acknowledged > sync + 10) end('SIGKILL');
        },
        inject(`error=EIO:when=${sync}`, log),
      );
      // It either said why it cannot start, or went on with a new handle.
      const named = ended.lines.some((line) => line.startsWith('failed STORE_IO'));
      expect(named || ended.signal === 'SIGKILL', ended.lines.join('\n')).toBe(true);
      if (acknowledgedAfter > 0) reopened += 1;
      expect(syncedAgain(await readFile(log, 'utf8'))).toEqual([]);
    }
    await trial.drain(influxd.url);

    await trial.judge(influxd);
    expect(reopened).toBeGreaterThan(0);
    console.log(`${trial.acknowledged} acknowledged points, ${SYNCS} failed syncs, ${reopened} went on: all there`);
  });
});

/** Syncs that were tried again on a descriptor on which one had failed, without the file being opened in between. */
function syncedAgain(trace: string): string[] {
  const failed = new Set<string>();
  const again: string[] = [];
  for (const line of trace.split('\n')) {
    const opened = /openat\(.*= (\d+<[^>]*>)/.exec(line)?.[1];
    if (opened) failed.delete(opened);
    const [, descriptor, result] = /f(?:data)?sync\((\d+<[^>]*>)\)\s*= (-?\d+)/.exec(line) ?? [];
    if (!descriptor) continue;
    if (failed.has(descriptor)) again.push(line);
    if (result === '-1') failed.add(descriptor);
  }
  return again;
}
