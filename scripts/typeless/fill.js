/** `fill.js CACHE FOLDER…`: strips all TypeScript in these folders into the cache, and drops what is of older sources. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keepText, nameOf, readText } from './cache.js';

/** What stood where types were is blank. At ends of lines, where the source has none, it is left out: V8 keeps it all. */
function stripped(source) {
  const lines = source.split('\n');
  return stripTypeScriptTypes(source)
    .split('\n')
    .map((line, index) => (/\s$/.test(lines[index] ?? '') ? line : line.trimEnd()))
    .join('\n');
}

const [cache, ...folders] = process.argv.slice(2);
mkdirSync(cache, { recursive: true });
const stale = new Set(readdirSync(cache).filter((name) => /^[0-9a-f]{32}\.js$/.test(name)));
for (const folder of folders.map((url) => fileURLToPath(url)))
  for (const path of readdirSync(folder, { recursive: true })) {
    if (!path.endsWith('.ts') || path.endsWith('.d.ts')) continue;
    const source = readFileSync(join(folder, path));
    const name = nameOf(source);
    stale.delete(name);
    if (readText(cache, name) === undefined) keepText(cache, name, stripped(source.toString()));
  }
for (const name of stale) rmSync(join(cache, name), { force: true });
