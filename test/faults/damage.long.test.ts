/** T7: 300 damages to what a killed daemon has left, each survived or refused by name. */
import { spawnSync } from 'node:child_process';
import { chmod, chown, cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { MEMORY } from '../support/folder.ts';
import { seededRandom } from '../support/random.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { MUTATIONS, type Original, originalFolder, POINTS, type Survival, survive } from './damage.ts';
import { canMount } from './full-disk.ts';

const SEED = Number(process.env['SITEWARD_SEED'] ?? 1);
const DAMAGES = 300;
let parent: string;
let original: Original;
beforeAll(async () => {
  parent = await mkdtemp(join(MEMORY, 'siteward-'));
  original = await originalFolder(parent);
});
afterAll(async () => {
  await rm(parent, { recursive: true, force: true });
});

test(`${DAMAGES} damages`, async () => {
  const names = Object.keys(MUTATIONS);
  const survivals: Survival[] = [];
  for (let turn = 0; turn < DAMAGES; turn++) {
    const mutate = MUTATIONS[names[turn % names.length] ?? ''];
    if (!mutate) throw new Error('no mutation');
    survivals.push(await survive(original, join(parent, 'copy'), mutate, seededRandom(SEED * 1000 + turn)));
  }

  const refused = survivals.filter((each) => each.refused !== undefined);
  const setAside = survivals.filter((each) => each.setAside);
  const whole = survivals.filter(({ delivered }) => delivered === POINTS - 100);
  expect(refused.every(({ refused: code }) => code === 'STORE_ACCESS' || code === 'STORE_IO')).toBe(true);
  console.log(
    `${DAMAGES} damages: ${whole.length} cost nothing, ${setAside.length} set a file aside, ${refused.length} refused by name`,
  );
});

describe.skipIf(!canMount)('rights', () => {
  /** Runs the store as nobody, who may not do everything as root may. */
  async function asNobody(folder: string): Promise<string> {
    const file = join(parent, 'as-nobody.mjs');
    const script = `
      import { openStore } from ${JSON.stringify(join(import.meta.dirname, '../../daemon/store/sqlite-store.ts'))};
      const log = { error() {}, warn() {}, info() {}, debug() {} };
      try {
        const store = await openStore({ directory: ${JSON.stringify(folder)}, log });
        await store.open('spool', { migrations: [{ name: 'x', sql: '' }], synchronous: 'full' });
        console.log('started');
      } catch (error) { console.log(error.code); }
      process.exit();`;
    const rights = ['--reuid=65534', '--regid=65534', '--clear-groups'];
    await writeFile(file, script);
    return spawnSync('setpriv', [...rights, process.execPath, file])
      .stdout.toString()
      .trim();
  }

  async function copyFor(owner: number): Promise<string> {
    const folder = join(parent, 'rights');
    await cp(original.folder, folder, { recursive: true });
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await chmod(parent, 0o755);
    for (const name of ['.', ...(await readdir(folder))]) await chown(join(folder, name), owner, owner);
    return folder;
  }

  test('of another owner: refused by name', async () => {
    const folder = await copyFor(0);
    await chmod(folder, 0o755);

    expect(await asNobody(folder)).toBe('STORE_ACCESS');
  });

  test('a file that may only be read: refused by name, not set aside', async () => {
    const folder = await copyFor(65534);
    await chown(join(folder, 'spool.db'), 0, 0);
    await chmod(join(folder, 'spool.db'), 0o444);

    expect(await asNobody(folder)).toBe('STORE_ACCESS');
    expect((await readdir(folder)).some((name) => name.includes('damaged'))).toBe(false);
  });

  test('a disk that may only be read: refused by name', async () => {
    const folder = await copyFor(0);
    spawnSync('mount', ['--bind', folder, folder]);
    onTestFinished(() => void spawnSync('umount', ['-l', folder]));
    spawnSync('mount', ['-o', 'remount,ro,bind', folder]);

    await expect(openStore({ directory: folder, log: recordingLogger() })).rejects.toMatchObject({
      code: 'STORE_ACCESS',
    });
  });
});
