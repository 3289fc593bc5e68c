import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { VERBS } from '#daemon/cli/verbs.ts';

const root = resolve(import.meta.dirname, '..');

/** Sources; declarations (`.d.ts`) import nothing when siteward runs. */
function files(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /(?<!\.d)\.(ts|js)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

interface Import {
  readonly from: string;
  readonly what: string;
  readonly typeOnly: boolean;
}

function imports(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const statements = text.matchAll(
    /^\s*(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|import\('([^']+)'\)/gm,
  );
  return [...statements].map(([, type, from, bare, dynamic]) => ({
    from: file,
    what: from ?? bare ?? dynamic ?? '',
    typeOnly: type !== undefined,
  }));
}

/** `daemon`, `collectors`, `config` for our own files, the package's name for others, `node:` for Node's. */
function origin({ from, what }: Import): string {
  if (what.startsWith('.')) return relative(root, resolve(root, from, '..', what)).split('/')[0] ?? '';
  if (what.startsWith('#')) return what.slice(1).split('/')[0] ?? '';
  if (what.startsWith('node:')) return 'node:';
  return what
    .split('/')
    .slice(0, what.startsWith('@') ? 2 : 1)
    .join('/');
}

const SOURCE = ['config', 'collectors', 'daemon'] as const;
/** Browsers import these, from files that the web server hands out of node_modules. */
const SERVED_TO_BROWSERS = new Set(['preact', 'htm', 'uplot']);
const all = SOURCE.flatMap(files).flatMap(imports);

test('imports run one way: daemon, then collectors, then config', () => {
  const allowed: Record<string, readonly string[]> = {
    config: ['config'],
    collectors: ['collectors', 'config'],
    daemon: ['daemon', 'collectors', 'config'],
  };
  const wrong = all.filter((each) => {
    const place = each.from.split('/')[0] ?? '';
    const to = origin(each);
    return (
      ['config', 'collectors', 'daemon', 'dashboards', 'scripts', 'test'].includes(to) && !allowed[place]?.includes(to)
    );
  });

  expect(wrong).toEqual([]);
});

test('the shared words import nothing but types', () => {
  const wrong = [...imports('collectors/contract.ts'), ...imports('collectors/catalogue.ts')].filter(
    ({ typeOnly }) => !typeOnly,
  );

  expect(wrong).toEqual([]);
});

test('each package has one importing file', () => {
  const own = new Set<string>([...SOURCE, 'package.json', 'node:', 'dashboards', 'scripts']);
  const importers = Map.groupBy(
    all.filter((each) => !own.has(origin(each))),
    origin,
  );
  // zod describes settings, requests and profiles: a schema stands where the thing it describes is defined.
  importers.delete('zod');
  const several = [...importers].flatMap(([name, uses]) => {
    const from = new Set(uses.map((use) => use.from));
    return from.size > 1 ? [`${name}: ${[...from].join(', ')}`] : [];
  });

  expect(several).toEqual([]);
});

test('every package that is installed for the daemon is imported by it', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const used = new Set(all.map(origin));
  const unused = Object.keys(manifest.dependencies).filter((name) => !used.has(name) && !SERVED_TO_BROWSERS.has(name));

  expect(unused).toEqual([]);
});

test('every verb has its file, and every file in daemon/cli that runs is a verb', async () => {
  const names = VERBS.map(({ usage }) => usage.split(' ')[0]);
  for (const { load } of VERBS) expect(typeof (await load()).run).toBe('function');
  const withRun = files('daemon/cli').filter((file) =>
    /export const run\b/.test(readFileSync(join(root, file), 'utf8')),
  );

  expect(withRun.map((file) => file.replace(/^.*\/|\.ts$/g, '')).toSorted()).toEqual(names.toSorted());
});

test('every collector has its folder, and every folder its collector', async () => {
  const registry = readFileSync(join(root, 'collectors/registry.ts'), 'utf8');
  const folders = readdirSync(join(root, 'collectors')).filter((name) =>
    statSync(join(root, 'collectors', name)).isDirectory(),
  );

  for (const folder of folders) expect(registry).toContain(`./${folder}/`);
});

test('the page on the architecture names every folder of the daemon, and none that is not there', () => {
  const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const table = page.slice(page.indexOf('Inside `daemon/`'), page.indexOf('## Where the next one goes'));
  const named = [...table.matchAll(/`([a-z-]+)\/`/g)].map(([, name]) => name).filter((name) => name !== 'daemon');
  const folders = readdirSync(join(root, 'daemon')).filter((name) =>
    statSync(join(root, 'daemon', name)).isDirectory(),
  );

  expect([...new Set(named)].toSorted()).toEqual(folders.toSorted());
});

test('top-level folders are those that were agreed', () => {
  const folders = readdirSync(root).filter(
    (name) =>
      statSync(join(root, name)).isDirectory() && !name.startsWith('.') && !['node_modules', 'coverage'].includes(name),
  );

  expect(folders.toSorted()).toEqual(['collectors', 'config', 'daemon', 'dashboards', 'docs', 'scripts', 'test']);
});
