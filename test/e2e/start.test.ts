import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PATIENCE, siteward, startDaemon } from '../support/siteward.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'siteward-cache-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const started = (cache: string) => siteward(['check', '--help'], { env: { ...process.env, CACHE_DIRECTORY: cache } });
const sources = () => readdirSync(folder).filter((name) => name.endsWith('.js'));
const asCode = { code: 0, stderr: '' };

test('sources are kept without their types, and no start strips them again', { timeout: PATIENCE }, async () => {
  expect(await started(folder)).toMatchObject(asCode);
  const first = sources();
  const texts = first.map((name) => readFileSync(join(folder, name), 'utf8'));

  expect(await started(folder)).toMatchObject(asCode);

  expect(texts.some((text) => text.includes('export function createLogger('))).toBe(true);
  expect(texts.every((text) => !text.includes('import type'))).toBe(true);
  expect(sources()).toEqual(first);
});

test('a cache that is damaged is made anew, and what is of older sources goes', { timeout: PATIENCE }, async () => {
  await started(folder);
  const whole = sources();
  const sizes = whole.map((name) => readFileSync(join(folder, name)).length);
  for (const [index, name] of whole.entries())
    truncateSync(join(folder, name), index % 2 ? 0 : (sizes[index] ?? 0) - 1);
  writeFileSync(join(folder, `${'0'.repeat(32)}.js`), 'an older one');

  expect(await started(folder)).toMatchObject(asCode);

  expect(sources()).toEqual(whole);
  expect(whole.map((name) => readFileSync(join(folder, name)).length)).toEqual(sizes);
});

test('siteward starts where no cache can be written', { timeout: PATIENCE }, async () => {
  const file = join(folder, 'a-file');
  writeFileSync(file, '');

  expect(await started(join(file, 'cache'))).toMatchObject({ code: 0 });
});

/** Parts of Node.js that a daemon without TLS has no use for, each of them megabytes for as long as it runs. */
const HEAVY = ['tls', 'https', 'http2', 'internal/deps/undici/undici', 'internal/deps/amaro/dist/index'];

test('a daemon loads no TLS, no browser client and no stripper of types', { timeout: PATIENCE }, async () => {
  const report = join(folder, 'loaded.json');
  const tell = `process.on('exit', () => process.getBuiltinModule('node:fs')
    .writeFileSync(${JSON.stringify(report)}, JSON.stringify(process.moduleLoadList)))`;
  const env = { ...process.env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tell)}` };

  await using daemon = await startDaemon({}, { env });
  await daemon.get('/metrics');
  await daemon.get('/');
  await daemon.stop();

  const loaded: readonly string[] = JSON.parse(readFileSync(report, 'utf8'));
  expect(loaded).toContain('NativeModule http');
  expect(loaded.filter((name) => HEAVY.includes(name.replace('NativeModule ', '')))).toEqual([]);
});
