import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { until as look } from '../support/until.ts';

export const ROOT = resolve(import.meta.dirname, '../..');
export const SHARED = resolve(ROOT, '../shared');

const TICKS_PER_SECOND = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100;

/** Seconds of processor time that a process and its ended children have used (proc(5)). */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) * 1024;
}

/**
 * Scrapes every 15 s until V8 has mostly ended compiling what runs only now and then: what a daemon costs that is to run for
 * years shows after that.
 */
export async function settled(scrape: () => Promise<unknown>, minutes = 5): Promise<void> {
  for (let turn = 0; turn < minutes * 4; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 15_000));
    await scrape();
  }
}

export interface Started {
  readonly pid: number;
  readonly child: ChildProcess;
  stop(): Promise<void>;
}

export function start(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  stdout: 'ignore' | 'pipe' = 'ignore',
): Started {
  const child = spawn(command, args, {
    cwd: ROOT,
    stdio: ['ignore', stdout, 'pipe'],
    env: { ...process.env, ...env },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} could not be started`);
  return {
    pid,
    child,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Asks again until the answer comes; servers need a moment to start. */
export async function until(what: string, ready: () => Promise<boolean>, patience = 30_000): Promise<void> {
  await look(what, () => ready().catch(() => false), { patience, every: 50 });
}

export function workFolder(): string {
  return mkdtempSync(join(tmpdir(), 'siteward-bench-'));
}

/** The farm of SNMP agents, compiled from the shared folder, and how many requests it was asked. */
export class Fleet {
  readonly #started: Started;
  readonly #lines: string[] = [];

  constructor(port: number, recordings: readonly string[], options: readonly string[] = []) {
    const source = join(SHARED, 'bench/fleet.c');
    if (!existsSync(source)) throw new Error(`${source} is not there: this part of the bench needs the shared folder`);
    const binary = join(workFolder(), 'fleet');
    const compiled = spawnSync('gcc', ['-O2', '-o', binary, source], { encoding: 'utf8' });
    if (compiled.status !== 0) throw new Error(`the farm of agents cannot be compiled: ${compiled.stderr}`);
    this.#started = start(binary, [
      '-p',
      String(port),
      ...options,
      ...recordings.map((name) => (name.includes('/') ? name : join(SHARED, 'devices/recordings', name))),
    ]);
    this.#started.child.stderr
      ?.setEncoding('utf8')
      .on('data', (text: string) => this.#lines.push(...text.split('\n').filter(Boolean)));
  }

  /** Requests served since the start. */
  async requests(): Promise<number> {
    const before = this.#lines.length;
    process.kill(this.#started.pid, 'SIGUSR1');
    await until('a count from the farm', async () => this.#lines.length > before);
    return Number(/requests (\d+)/.exec(this.#lines.at(-1) ?? '')?.[1]);
  }

  async stop(): Promise<void> {
    await this.#started.stop();
  }
}
