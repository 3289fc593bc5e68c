/**
 * Gives back what V8 holds and does not use: pages that became free wait for later use in a pool which only a collection
 * for want of memory empties. A start leaves thirty megabytes there, as much as two hundred devices need.
 */
import { getHeapStatistics } from 'node:v8';

/** The first devices are met and read by then, in milliseconds. */
const STARTED = 60_000;
const EVERY = 300_000;
/** Growth of the whole process, in bytes, at which there may be something to give back: a scan or a report has ended. */
const WORTH_IT = 16 * 1_048_576;
/**
 * Such a collection stops the thread, for two milliseconds per megabyte, and throws away compiled code, which is made
 * again; a site that needs more has more, too.
 */
const LARGEST_HEAP = 64 * 1_048_576;

/** Does so for this thread when it is worth it, until it is stopped. Without `--expose-gc` it does nothing. */
export function givingMemoryBack(): { stop(): void } {
  /** What the process needs: some minutes after a collection it has what it works with again. */
  let needed: number | undefined;
  let timer = setTimeout(() => {
    giveBack();
    timer = setInterval(() => {
      const resident = process.memoryUsage.rss();
      needed ??= resident;
      if (resident < needed + WORTH_IT) return;
      giveBack();
      needed = undefined;
    }, EVERY).unref();
  }, STARTED).unref();
  return { stop: () => clearTimeout(timer) };
}

function giveBack(): void {
  if (getHeapStatistics().used_heap_size <= LARGEST_HEAP)
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
