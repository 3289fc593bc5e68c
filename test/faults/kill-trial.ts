import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import type { Influxd } from '../support/influxd.ts';
import { POINTS_PER_ROUND, pointValue, START, timeOf } from './numbered-points.ts';

const CHILD = join(import.meta.dirname, 'spool-child.ts');
/** Nothing listens there. */
export const NOWHERE = 'http://127.0.0.1:9';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly string[];
}

/** Runs of the same daemon over the same folder, each ended in its own way, and what all of them acknowledged. */
export class KillTrial {
  readonly folder: string;
  readonly #acknowledged = new Set<number>();
  readonly #ledger = new Set<number>();
  #next = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  get acknowledged(): number {
    return this.#acknowledged.size * POINTS_PER_ROUND;
  }

  get ledgerEntries(): ReadonlySet<number> {
    return this.#ledger;
  }

  /**
   * Starts a run; `end` is called with each line that it prints, and may kill it. `wrapper` is a command before node's,
   * such as strace with its arguments.
   */
  async run(
    url: string,
    flags: readonly string[],
    onLine: (line: string, end: (signal: NodeJS.Signals) => void) => void,
    wrapper: readonly string[] = [],
  ): Promise<Ended> {
    const [command = '', ...args] = [
      ...wrapper,
      process.execPath,
      CHILD,
      this.folder,
      url,
      String(this.#next),
      ...flags,
    ];
    // In a group of its own: strace that is killed would let go of what it traces.
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    const end = (signal: NodeJS.Signals): void => void process.kill(-(child.pid ?? 0), signal);
    const lines: string[] = [];
    const output = createInterface({ input: child.stdout });
    output.on('line', (line) => {
      lines.push(line);
      const number = Number(/^(?:ack|ledger) (\d+)$/.exec(line)?.[1] ?? Number.NaN);
      if (line.startsWith('ack ')) this.#acknowledged.add(number);
      if (line.startsWith('ledger ')) this.#ledger.add(number);
      if (Number.isFinite(number)) this.#next = Math.max(this.#next, number + POINTS_PER_ROUND);
      onLine(line, end);
    });
    const [[code, signal]] = await Promise.all([once(child, 'exit'), once(output, 'close')]);
    // What a run accepted and never acknowledged must not be told from a later run's points.
    this.#next += 10 * POINTS_PER_ROUND;
    return { code, signal, lines };
  }

  /** Lets one run bring everything to the receiver, and ends it in order. */
  async drain(url: string, flags: readonly string[] = []): Promise<Ended> {
    return await this.run(url, ['drain', ...flags], (line, end) => {
      if (line.startsWith('status') && JSON.parse(line.slice(7)).pending === 0) end('SIGTERM');
    });
  }

  /** Of a spool that had to drop its oldest: which numbers are there, and which acknowledged ones are not. */
  async gone(influxd: Influxd): Promise<{ found: readonly number[]; missing: readonly number[] }> {
    const rows = await influxd.query('SELECT receive_bytes FROM "interface"');
    const found = new Set(rows.map(({ receive_bytes: value }) => Number(BigInt(String(value)) / 1_000_003n)));
    expect(found.size, 'two points of one number').toBe(rows.length);
    const acknowledged = [...this.#acknowledged].flatMap((first) =>
      Array.from({ length: POINTS_PER_ROUND }, (_, index) => first + index),
    );
    return { found: [...found], missing: acknowledged.filter((number) => !found.has(number)) };
  }

  /** Every acknowledged point is there with its value, and nothing is there that was never produced. */
  async judge(influxd: Influxd): Promise<void> {
    const rows = await influxd.query('SELECT receive_bytes, "interface" FROM "interface"');
    const found = new Map<string, unknown>();
    for (const row of rows) {
      const key = `${row['time']} ${row['interface']}`;
      expect(found.has(key), `${key} is there twice`).toBe(false);
      found.set(key, row['receive_bytes']);
    }
    const missing: string[] = [];
    for (const number of this.#acknowledged) {
      for (let index = 0; index < POINTS_PER_ROUND; index++) {
        if (BigInt(String(found.get(`${timeOf(number)} if-${index}`) ?? -1)) !== pointValue(number + index)) {
          missing.push(`${number + index}`);
        }
      }
    }
    expect(missing, 'acknowledged points that are not there as they were').toEqual([]);
    const strange = rows.filter(({ time, interface: name, receive_bytes: value }) => {
      const number = ((Number(time) - START) / 1000) * POINTS_PER_ROUND + Number(String(name).slice(3));
      return BigInt(String(value)) !== pointValue(number);
    });
    expect(strange, 'points that nobody produced').toEqual([]);
  }
}
