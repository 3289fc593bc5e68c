import { test } from 'vitest';
import { withstand } from './hostile-site.ts';

test('hostile agents for six seconds beside twenty good ones: no exit, no late cycle, right values', async () => {
  await withstand({ seconds: 6, flood: 400 });
}, 300_000);
