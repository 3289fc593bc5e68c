/** `fill.js CACHE FOLDER…`: strips all TypeScript in these folders into the cache, and drops what is of older sources. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keepText, nameOf, readText } from './cache.js';

const [cache, ...folders] = process.argv.slice(2);
mkdirSync(cache, { recursive: true });
const stale = new Set(readdirSync(cache).filter((name) => /^[0-9a-f]{32}\.js$/.test(name)));
for (const folder of folders.map((url) => fileURLToPath(url)))
  for (const path of readdirSync(folder, { recursive: true })) {
    if (!path.endsWith('.ts') || path.endsWith('.d.ts')) continue;
    const source = readFileSync(join(folder, path));
    const name = nameOf(source);
    stale.delete(name);
    if (readText(cache, name) === undefined) keepText(cache, name, stripTypeScriptTypes(source.toString()));
  }
for (const name of stale) rmSync(join(cache, name), { force: true });
