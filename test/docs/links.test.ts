import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { VERBS } from '#daemon/cli/verbs.ts';

const root = resolve(import.meta.dirname, '../..');
const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

test.each(pages)('every file that %s names is there', (page) => {
  const text = readFileSync(join(root, page), 'utf8');
  const named = [...text.matchAll(/`((?:docs|config|collectors|daemon|dashboards|scripts|test)\/[\w./-]+)`/g)].map(
    ([, path]) => path ?? '',
  );
  // Files that a user makes by copying the example.
  const missing = named.filter((path) => path !== 'config/siteward.yaml' && !existsSync(join(root, path)));

  expect(missing).toEqual([]);
});

test('the README names every verb', () => {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  const missing = VERBS.map(({ usage }) => usage.split(' ')[0] ?? '').filter(
    (verb) => !new RegExp(`\`${verb}\\b`).test(text),
  );

  expect(missing).toEqual([]);
});
