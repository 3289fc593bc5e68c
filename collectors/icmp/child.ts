import { type ChildProcess, spawn } from 'node:child_process';
import type { CollectContext, Milliseconds } from '../contract.ts';

/** Where tools of the operating system are, if the daemon's own PATH is unusually short. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'] as const;

/** PATH, and after it the folders in which distributions keep fping and ping. */
export function defaultSearchPath(): string {
  return [process.env['PATH'], ...SYSTEM_FOLDERS].filter(Boolean).join(':');
}

export interface ChildRun {
  /** Absolute: nothing is looked up again when it runs. */
  readonly path: string;
  readonly args: readonly string[];
  readonly input?: string;
  /** The child is killed when it takes longer. */
  readonly limit: Milliseconds;
  /** Bytes on standard output and standard error together, beyond which the child is killed. */
  readonly maxOutput: number;
}

/** How a child ended. */
export type ChildEnd =
  | { readonly kind: 'exited'; readonly code: number; readonly stdout: string; readonly stderr: string }
  /** The system refused to start it: ENOENT, EACCES, EPERM, EMFILE, … */
  | { readonly kind: 'not-started'; readonly code: string }
  /** Ended by a signal that did not come from here. */
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'stopped'; readonly because: 'limit' | 'output' | 'aborted' };

/**
 * Runs a program without a shell, in an environment of its own (the daemon's may hold secrets, and a locale changes what
 * tools print) and in a process group of its own, so that whatever it started dies with it.
 */
export async function runChild(run: ChildRun, context: CollectContext): Promise<ChildEnd> {
  if (context.signal.aborted) return { kind: 'stopped', because: 'aborted' };
  const limit = context.clock.timeout(run.limit);
  return await new Promise((resolve) => {
    let child: ChildProcess;
    try {
      child = spawn(run.path, run.args, {
        detached: true,
        env: { LC_ALL: 'C', PATH: SYSTEM_FOLDERS.join(':') },
        stdio: [run.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      });
    } catch (error) {
      resolve({ kind: 'not-started', code: errorCode(error) });
      return;
    }
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[], bytes: 0 };

    const finish = (end: ChildEnd): void => {
      limit.removeEventListener('abort', onLimit);
      context.signal.removeEventListener('abort', onAbort);
      resolve(end);
    };
    // Not waited for: a process that the kernel cannot end at once must not hold up the round.
    const stop = (because: 'limit' | 'output' | 'aborted'): void => {
      killGroup(child);
      child.stdout?.destroy();
      child.stderr?.destroy();
      finish({ kind: 'stopped', because });
    };
    const onLimit = (): void => stop('limit');
    const onAbort = (): void => stop('aborted');
    limit.addEventListener('abort', onLimit, { once: true });
    context.signal.addEventListener('abort', onAbort, { once: true });

    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.on('data', (chunk: Buffer) => {
        output[name].push(chunk);
        output.bytes += chunk.length;
        if (output.bytes > run.maxOutput) stop('output');
      });
    }
    child.once('error', (error) => finish({ kind: 'not-started', code: errorCode(error) }));
    child.once('close', (code, signal) => {
      if (code === null) finish({ kind: 'signalled', signal: signal ?? 'unknown' });
      else finish({ kind: 'exited', code, stdout: asText(output.stdout), stderr: asText(output.stderr) });
    });
    // A child that ends without reading leaves a broken pipe, which its exit status explains better.
    child.stdin?.on('error', () => {});
    child.stdin?.end(run.input);
  });
}

/** What to do when the system refuses to start a tool, by the error that it gave. */
export function startHint(code: string): string {
  switch (code) {
    case 'ENOENT':
      return 'install it, for example: apt-get install fping';
    case 'EACCES':
      return 'make it executable for the user that siteward runs as: chmod a+rx FILE';
    case 'EPERM':
      return 'let siteward keep CAP_NET_RAW (AmbientCapabilities and CapabilityBoundingSet, or --cap-add NET_RAW)';
    case 'EMFILE':
    case 'ENFILE':
      return 'raise the limit of open files (LimitNOFILE)';
    default:
      return 'see what the system log says about it';
  }
}

/** The first thing that a tool said, fit for logs and pages: printable, and not too much of it. */
export function firstLine(text: string): string {
  const line = text.split('\n').find((candidate) => candidate.trim() !== '') ?? 'no message';
  return line
    .replace(/[^\x20-\x7e]/g, '?')
    .trim()
    .slice(0, 200);
}

function asText(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('latin1');
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL'); // it has ended, or has not reached its own group yet
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
