/**
 * Run in a process and a process group of its own, one per scan: the only file that knows `node-nmap`. The package starts
 * nmap and hears it end; everything else of it is put out of action, since by itself it ends the process over an open port
 * without a name, takes any warning for a failure, holds all output in memory and leaves a timer and three handlers behind.
 */
import library from 'node-nmap';
import { NmapReader, type NmapRun } from './nmap-xml.ts';

/** What the parent sends. Addresses have passed the gate, options come from a fixed table. */
export interface NmapOrder {
  readonly nmapPath: string;
  readonly options: readonly string[];
  readonly addresses: readonly string[];
}

export interface NmapReply {
  readonly run: NmapRun;
  /** How nmap ended. */
  readonly code: number | null;
  /** What it printed on standard error, the beginning of it. */
  readonly said: string;
}

const MOST_SAID = 2_000;
const DRAIN_MS = 500;

class QuietScan extends library.NmapScan {
  readonly reader = new NmapReader();
  said = '';

  constructor(addresses: readonly string[], options: readonly string[], done: (reply: NmapReply) => void) {
    super(addresses, options);
    for (const event of ['SIGINT', 'uncaughtException', 'exit']) process.removeListener(event, this.killChild);
    this.stopTimer();
    this.on('error', (error) => this.#say(`${error}`));
    const { stdout, stderr } = this.child;
    const reply = (code: number | null) => done({ run: this.reader.result(), code, said: this.said });
    stdout?.removeAllListeners('data').on('data', (chunk: Buffer) => {
      if (this.reader.write(chunk)) return;
      this.child.kill('SIGKILL');
      reply(null);
    });
    stderr?.removeAllListeners('data').on('data', (chunk: Buffer) => this.#say(chunk.toString('latin1')));
    this.child.once('close', reply);
    // What it started may hold its output open; what it printed itself has been read by then.
    this.child.once('exit', (code) => setTimeout(reply, DRAIN_MS, code));
  }

  /** The package calls this when nmap has ended; the reader has it all by then. */
  override rawDataHandler(): void {}

  #say(text: string): void {
    this.said = (this.said + text).slice(0, MOST_SAID);
  }
}

process.once('message', ({ nmapPath, options, addresses }: NmapOrder) => {
  library.nmapLocation = nmapPath;
  let replied = false;
  const scan = new QuietScan(addresses, options, (reply) => {
    if (!replied) process.send?.(reply, () => process.disconnect());
    replied = true;
  });
  // Told to stop: end nmap, reap it, and go. The parent ends the whole group a moment later, whatever is left of it.
  process.once('message', () => scan.child.kill('SIGKILL'));
  // The parent is gone or has heard enough: so nothing of this group is wanted any more.
  process.once('disconnect', () => process.kill(-process.pid, 'SIGKILL'));
});
