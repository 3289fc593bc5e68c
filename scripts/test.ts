/** `npm test`: installs the servers that the tests talk to, then types, lint and tests. `--long` runs the long proofs. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { installMissing } from './debian-packages.ts';
import { REPORT_FILE } from './test-report.ts';

const root = resolve(import.meta.dirname, '..');
const long = process.argv.includes('--long');
const filters = process.argv.slice(2).filter((argument) => argument !== '--long');

/** Servers that Debian puts there are not on the path of an ordinary user. */
const PATH = [dirname(process.execPath), `${root}/node_modules/.bin`, process.env.PATH, '/usr/sbin', '/sbin'].join(':');

function step(name: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  console.log(`\n== ${name}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, PATH, ...env } });
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(REPORT_FILE, { force: true });
mkdirSync(dirname(REPORT_FILE), { recursive: true });
const missing = installMissing();
if (missing.length > 0) {
  console.error(
    `The tests talk to real servers, and some are not there and could not be installed:\n${missing.map((line) => `  ${line}\n`).join('')}`,
  );
  process.exit(1);
}
if (!long) {
  step('types', 'tsc', ['--noEmit']);
  step('types of what browsers run', 'tsc', ['--noEmit', '-p', 'daemon/web/assets']);
  step('lint', 'biome', ['check', '--error-on-warnings', '.']);
}
step(
  long ? 'long proofs' : 'tests',
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${REPORT_FILE}`,
    ...filters,
  ],
  long ? { SITEWARD_LONG: '1' } : {},
);
