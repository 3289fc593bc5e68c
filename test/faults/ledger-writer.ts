/** Enters transitions into a ledger as fast as it takes them, and prints the number of each that is on disk. Killed by the test. */
import type { WallTime } from '#collectors/contract.ts';
import { RULE_VERSION } from '#daemon/availability/verdict.ts';
import { systemClock } from '#daemon/clock.ts';
import { openBook } from '../support/availability.ts';

const [directory = '', most = '1000000'] = process.argv.slice(2);
const book = await openBook(directory, systemClock);
const now = (): WallTime => systemClock.wallNow();
book.availability.watch(new Map(Array.from({ length: 20 }, (_, index) => [`d-${index}`, undefined])), now());
await book.flush();
process.stdout.write('ready\n');
for (let turn = 0; turn < Number(most); turn += 1) {
  const state = Math.floor(turn / 20) % 2 === 0 ? 'up' : 'down';
  const rule = state === 'up' ? 'answered' : 'silent three rounds';
  book.availability.append({
    kind: 'state',
    device: `d-${turn % 20}`,
    at: now(),
    state,
    rule,
    ruleVersion: RULE_VERSION,
    detail: { resolution: turn },
  });
  if (turn % 5 === 0) book.availability.beat(now(), systemClock.monotonicNow());
  await book.flush();
  process.stdout.write(`on disk ${turn}\n`);
}
await book.close();
