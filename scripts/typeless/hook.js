/**
 * Gives Node.js siteward's TypeScript without its types, from a cache. Node could strip them itself, and keep that in its
 * own compile cache: but what strips them is seven megabytes that stay as long as the process, and of the compile cache
 * all files are held in memory, another seven, for a tenth of a second.
 *
 * JavaScript, for it is what makes TypeScript load. `scripts/siteward` has it loaded by each thread before anything else.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { nameOf, readText } from './cache.js';

const OWN = ['daemon/', 'collectors/', 'config/'].map((folder) => new URL(`../../${folder}`, import.meta.url).href);
const folder = process.env.SITEWARD_CACHE;
let filled = false;

/** Undefined where there is no cache to be had, as in a folder that cannot be written: then Node strips. */
function stripped(source) {
  const name = nameOf(source);
  const text = readText(folder, name);
  if (text !== undefined || filled) return text;
  filled = true;
  // In a process that ends, and all of them at once: what strips them is given back. Each thread loads this file, and
  // none but the first at a first start has use for processes.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  spawnSync(process.execPath, [fileURLToPath(new URL('./fill.js', import.meta.url)), folder, ...OWN], {
    stdio: 'ignore',
  });
  return readText(folder, name);
}

if (folder)
  registerHooks({
    load(url, context, nextLoad) {
      if (!url.endsWith('.ts') || !OWN.some((own) => url.startsWith(own))) return nextLoad(url, context);
      const source = stripped(readFileSync(fileURLToPath(url)));
      return source === undefined ? nextLoad(url, context) : { format: 'module', source, shortCircuit: true };
    },
  });
