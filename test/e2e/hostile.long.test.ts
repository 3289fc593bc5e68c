import { test } from 'vitest';
import { withstand } from './hostile-site.ts';

test('hostile agents for a minute beside twenty good ones: no exit, no late cycle, right values', async () => {
  await withstand({ seconds: 60, flood: 1_000 });
});

test('the same for ten minutes', async () => {
  await withstand({ seconds: 600, flood: 1_000 });
});
