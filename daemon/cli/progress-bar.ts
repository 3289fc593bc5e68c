import type { ScanProgress } from '#collectors/discovery/scan.ts';
import type { CliIo } from './verb.ts';

const WIDTH = 30;
const FRAME_MS = 100;

/** How far a scan is, on one line of a terminal. Silent where nobody looks. */
export class ProgressBar {
  readonly #io: CliIo;
  #shown = 0;

  constructor(io: CliIo) {
    this.#io = io;
  }

  show({ done, total, found, packets }: ScanProgress): void {
    const now = performance.now();
    if (!this.#io.isTerminal || (now - this.#shown < FRAME_MS && done < total)) return;
    this.#shown = now;
    const filled = total === 0 ? WIDTH : Math.round((WIDTH * done) / total);
    const bar = `${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}`;
    this.#io.err(`\r[${bar}] ${done}/${total} addresses, ${found} found, ${packets} packets `);
  }

  /** Wipes the line. */
  end(): void {
    if (this.#io.isTerminal && this.#shown > 0) this.#io.err('\r\u001b[K');
  }
}
