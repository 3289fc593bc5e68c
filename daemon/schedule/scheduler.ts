import type { Clock, Deadline, Milliseconds, Monotonic } from '#collectors/contract.ts';
import { backedOff, type Due, nextDue, secondDue, startDelay } from './due.ts';

/** What a run says about its device: silence stretches the lane's interval, an answer restores it. */
export type RunResult = 'answered' | 'silent' | 'neither';

export interface Lane {
  readonly key: string;
  readonly interval: Milliseconds;
  /** One cycle. Its signal aborts at the deadline of the cycle or when the daemon stops. Must not throw. */
  run(signal: AbortSignal): Promise<RunResult>;
}

export interface SchedulerOptions {
  readonly clock: Clock;
  /** Lanes that may run at once; further ones wait, and their lateness is measured. */
  readonly maxInFlight: number;
  readonly random?: () => number;
  /** Seconds between when a cycle was due and when it started. */
  readonly onStart?: (key: string, late: Milliseconds) => void;
  readonly onMissed?: (key: string, cycles: number) => void;
  readonly onError?: (key: string, error: unknown) => void;
}

/** Longest time that one cycle of one lane may take, whatever its interval. */
const LONGEST_CYCLE = 60_000 as Milliseconds;
/** Part of the interval after which a cycle is cut off, so that it never reaches into the next one. */
const CYCLE_SHARE = 0.8;
/** Timers longer than this are cut, so that a lane added or hurried meanwhile is seen. */
const LONGEST_SLEEP = 60_000;

interface Entry {
  lane: Lane;
  due: Monotonic;
  failures: number;
  /** The cycle under way. */
  run: Promise<void> | undefined;
  limit: Deadline | undefined;
  /** Run again at once when the present run ends. */
  hurried: boolean;
  /** Has a place of its own in the interval. */
  settled: boolean;
}

/**
 * Runs lanes on a monotonic clock: none overlaps itself, a late one is not caught up, each cycle has one deadline. The
 * lanes of a device that is silent back off by themselves.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #heap: { at: number; entry: Entry }[] = [];
  /** Why no cycle may go on. */
  #stopped: Error | undefined;
  /** Lanes with a cycle under way, also those that were removed since. */
  readonly #running = new Set<Entry>();
  #timer: NodeJS.Timeout | undefined;
  #waiting: Entry[] = [];
  #isStopping = false;
  readonly #origin: Monotonic;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#origin = options.clock.monotonicNow();
  }

  /** Adds lanes, spreading their first cycles. A lane that is there already keeps its place in the schedule. */
  add(lanes: readonly Lane[]): void {
    // An answer that comes while we stop may teach of lanes: nobody would wait for them to end.
    if (this.#isStopping) return;
    const random = this.#options.random ?? Math.random;
    const now = this.#options.clock.monotonicNow();
    for (const lane of lanes) {
      const present = this.#entries.get(lane.key);
      if (present) {
        const changed = present.lane.interval !== lane.interval;
        present.lane = lane;
        if (!changed) continue;
        present.settled = false;
        this.#schedule(present, (now + random() * lane.interval) as Monotonic);
        continue;
      }
      const entry: Entry = {
        lane,
        due: now,
        failures: 0,
        run: undefined,
        limit: undefined,
        hurried: false,
        settled: false,
      };
      this.#entries.set(lane.key, entry);
      this.#schedule(
        entry,
        (now + startDelay(lane.interval, this.#entries.size + lanes.length, random())) as Monotonic,
      );
    }
    this.#arm();
  }

  remove(key: string): void {
    this.#entries.delete(key);
  }

  keys(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** Runs a lane now, or once more after its present run. Its failures are forgotten. */
  hurry(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    entry.failures = 0;
    // What brought it forward may have brought all others forward with it: it is to find a place of its own again.
    entry.settled = false;
    if (this.#running.has(entry)) entry.hurried = true;
    else this.#schedule(entry, this.#options.clock.monotonicNow());
    this.#arm();
  }

  /** No new cycles; resolves when those under way have ended, which `signal` hastens by aborting them. */
  async stop(signal: AbortSignal): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    this.#entries.clear();
    this.#waiting = [];
    // An error of its own: the reason is a time limit as well, and must not be taken for the deadline of a cycle.
    const abort = () => {
      this.#stopped = new Error('siteward stops', { cause: signal.reason });
      for (const { limit } of this.#running) limit?.abort(this.#stopped);
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    await Promise.all(Array.from(this.#running, ({ run }) => run));
    signal.removeEventListener('abort', abort);
    this.#stopped ??= new Error('the scheduler has stopped');
  }

  #schedule(entry: Entry, at: Monotonic): void {
    entry.due = at;
    push(this.#heap, { at, entry });
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    const next = this.#heap[0];
    if (!next) return;
    const wait = Math.min(LONGEST_SLEEP, Math.max(0, next.at - this.#options.clock.monotonicNow()));
    this.#timer = setTimeout(() => this.#tick(), wait);
  }

  #tick(): void {
    const now = this.#options.clock.monotonicNow();
    for (let next = this.#heap[0]; next && next.at <= now; next = this.#heap[0]) {
      pop(this.#heap);
      const { entry } = next;
      // Places in the heap that were left behind by a change of schedule, and lanes that were removed.
      if (entry.due !== next.at || this.#entries.get(entry.lane.key) !== entry || this.#running.has(entry)) continue;
      this.#waiting.push(entry);
    }
    this.#launch();
    this.#arm();
  }

  #launch(): void {
    while (this.#running.size < this.#options.maxInFlight) {
      const entry = this.#waiting.shift();
      if (!entry) return;
      if (this.#running.has(entry) || this.#entries.get(entry.lane.key) !== entry) continue;
      this.#running.add(entry);
      entry.run = this.#run(entry).finally(() => {
        entry.run = undefined;
        this.#running.delete(entry);
        this.#launch();
        this.#arm();
      });
    }
  }

  async #run(entry: Entry): Promise<void> {
    const { clock, onStart, onMissed, onError } = this.#options;
    const { lane, due } = entry;
    onStart?.(lane.key, Math.max(0, clock.monotonicNow() - due) as Milliseconds);
    const deadline = Math.min(LONGEST_CYCLE, lane.interval * CYCLE_SHARE) as Milliseconds;
    let result: RunResult = 'neither';
    const limit = clock.deadline(deadline);
    entry.limit = limit;
    if (this.#stopped) limit.abort(this.#stopped);
    try {
      result = await lane.run(limit.signal);
    } catch (error) {
      // What the end of the daemon broke off did not fail.
      if (!this.#stopped) onError?.(lane.key, error);
    } finally {
      limit.release();
      entry.limit = undefined;
    }
    if (result === 'silent') entry.failures += 1;
    if (result === 'answered') entry.failures = 0;
    if (this.#entries.get(lane.key) !== entry) return;
    const next = this.#next(entry, due, backedOff(entry.lane.interval, entry.failures));
    if (next.missed > 0) onMissed?.(lane.key, next.missed);
    if (entry.hurried) entry.settled = false;
    this.#schedule(entry, entry.hurried ? clock.monotonicNow() : next.at);
    entry.hurried = false;
  }

  #next(entry: Entry, due: Monotonic, interval: Milliseconds): Due {
    const now = this.#options.clock.monotonicNow();
    if (entry.settled) return nextDue(due, interval, now);
    entry.settled = true;
    const grid = { origin: this.#origin, lanes: this.#entries.size };
    const second = secondDue(due, interval, (this.#options.random ?? Math.random)(), grid);
    return second > now ? { at: second, missed: 0 } : nextDue(due, interval, now);
  }
}

/** A binary heap, least `at` first. */
function push(heap: { at: number; entry: Entry }[], item: { at: number; entry: Entry }): void {
  let index = heap.length;
  heap.push(item);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (!above || above.at <= item.at) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = item;
}

function pop(heap: { at: number; entry: Entry }[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = index * 2 + 1;
    const left = heap[child];
    if (!left) break;
    const right = heap[child + 1];
    if (right && right.at < left.at) child += 1;
    const least = heap[child];
    if (!least || least.at >= last.at) break;
    heap[index] = least;
    index = child;
  }
  heap[index] = last;
}
