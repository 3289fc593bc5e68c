import { onTestFinished } from 'vitest';
import { systemClock } from '#daemon/clock.ts';
import { History } from '#daemon/history/history.ts';
import { createLogger } from '#daemon/log.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { temporaryFolder } from './folder.ts';

/** An empty history in a folder of its own, which goes with the test. */
export async function openHistory({ maxBytes = 10_000_000 } = {}): Promise<History> {
  const log = createLogger('error');
  const store = await openStore({ directory: await temporaryFolder(), log });
  const history = await History.open({ store, clock: systemClock, log, days: 400, maxBytes });
  onTestFinished(async () => {
    await history.close();
    await store.close();
  });
  return history;
}
