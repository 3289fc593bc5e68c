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

/** What a daemon has loaded of Node.js and of packages when it ends. */
async function loadedBy(
  ...paths: readonly string[]
): Promise<{ readonly node: string[]; readonly packages: string[] }> {
  const report = join(folder, 'loaded.json');
  // Written by the daemon, which is longer there than the processes that it starts.
  const tell = `const { writeFileSync } = process.getBuiltinModule('node:fs');
    const { isMainThread } = process.getBuiltinModule('node:worker_threads');
    const packages = new Set();
    process.getBuiltinModule('node:module').registerHooks({ load(url, context, next) {
      packages.add(/node_modules\\/([^/]+)/.exec(url)?.[1]);
      return next(url, context);
    } });
    if (isMainThread) process.on('exit', () => writeFileSync(${JSON.stringify(report)}, JSON.stringify({
      node: process.moduleLoadList.map((name) => name.replace('NativeModule ', '')),
      packages: [...packages].filter(Boolean),
    })))`;
  const env = { ...process.env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tell)}` };
  await using daemon = await startDaemon({}, { env });
  for (const path of paths) await daemon.get(path);
  await daemon.stop();
  return JSON.parse(readFileSync(report, 'utf8'));
}

test('a daemon loads no TLS, no browser client and no stripper of types', { timeout: PATIENCE }, async () => {
  const { node } = await loadedBy('/metrics', '/');

  expect(node).toContain('http');
  expect(node.filter((name) => HEAVY.includes(name))).toEqual([]);
});

test('a daemon that is only scraped loads neither the web framework nor what reads its config', {
  timeout: PATIENCE,
}, async () => {
  const scraped = await loadedBy('/metrics', '/-/healthy', '/-/ready');
  const lookedAt = await loadedBy('/metrics', '/');

  expect(scraped.packages).toContain('winston');
  expect(scraped.packages.filter((name) => ['express', 'zod', 'yaml', 'mime-db'].includes(name))).toEqual([]);
  expect(lookedAt.packages).toContain('express');
  expect(lookedAt.packages).not.toContain('yaml');
});
