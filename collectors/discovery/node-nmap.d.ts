/** The part of `node-nmap` that `nmap-worker.ts` uses; the package has no types. */
declare module 'node-nmap' {
  import type { ChildProcess } from 'node:child_process';
  import type { EventEmitter } from 'node:events';

  class NmapScan extends EventEmitter {
    /** Starts nmap at once. Arrays are passed on as they are; a text would be split at its blanks into options. */
    constructor(range: readonly string[], options: readonly string[]);
    readonly child: ChildProcess;
    killChild: () => void;
    stopTimer(): void;
    rawDataHandler(data: string): void;
  }
  const library: { NmapScan: typeof NmapScan; nmapLocation: string };
  export default library;
}
