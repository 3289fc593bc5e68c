/** The files that browsers get, by name: nothing else of the disk can be asked for. */
import { readFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

export interface Asset {
  readonly bytes: Uint8Array;
  readonly type: string;
}

const JAVASCRIPT = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';

const OWN: Readonly<Record<string, string>> = {
  'style.css': CSS,
  'icon.svg': 'image/svg+xml',
  'overview.js': JAVASCRIPT,
  'device.js': JAVASCRIPT,
  'live.js': JAVASCRIPT,
};

/** Served as their authors made them: `[package, file, type]`. */
const VENDORED: Readonly<Record<string, readonly [string, string, string]>> = {
  'preact.mjs': ['preact', 'dist/preact.mjs', JAVASCRIPT],
  'htm.mjs': ['htm', 'dist/htm.mjs', JAVASCRIPT],
  'uplot.mjs': ['uplot', 'dist/uPlot.esm.js', JAVASCRIPT],
  'uplot.css': ['uplot', 'dist/uPlot.min.css', CSS],
};

const kept = new Map<string, Promise<Asset>>();

/** Read when it is first asked for, and kept. */
export async function asset(name: string): Promise<Asset | undefined> {
  const found = kept.get(name);
  if (found) return await found;
  const read = source(name);
  if (!read) return undefined;
  const loading = readFile(read.path).then((bytes) => ({ bytes, type: read.type }));
  kept.set(name, loading);
  return await loading;
}

function source(name: string): { path: string; type: string } | undefined {
  const own = Object.hasOwn(OWN, name) ? OWN[name] : undefined;
  if (own !== undefined) return { path: join(import.meta.dirname, 'assets', name), type: own };
  const vendored = Object.hasOwn(VENDORED, name) ? VENDORED[name] : undefined;
  if (!vendored) return undefined;
  const [packageName, file, type] = vendored;
  const manifest = findPackageJSON(packageName, import.meta.url);
  if (manifest === undefined) throw new Error(`the package ${packageName} is not installed`);
  return { path: join(dirname(manifest), file), type };
}
