import { test } from 'vitest';
import { holdsThroughLives } from '../support/siteward-lives.ts';

test('three hundred lives of siteward leave a ledger whose intervals touch and sum to the time that passed', async () => {
  await holdsThroughLives(300);
});
