/** siteward as its users have it: a process that is started, asked over HTTP, and ended by a signal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { ECHO_REQUESTS } from '#collectors/icmp/prober.ts';
import { parseExposition, type Sample, samplesOf, sampleValue, seriesKey } from './exposition.ts';
import { until } from './until.ts';

export const ROOT = resolve(import.meta.dirname, '../..');
/** For what takes a second on an idle machine: where everything runs at once, a start alone may take half a minute. */
export const PATIENCE = 90_000;
export const SITEWARD = join(ROOT, 'scripts/siteward');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** Runs one verb to its end. */
export async function siteward(
  args: readonly string[],
  {
    env = process.env,
    cwd = ROOT,
    through = [],
  }: {
    readonly env?: NodeJS.ProcessEnv;
    readonly cwd?: string;
    /** A command that runs what follows it. */
    readonly through?: readonly string[];
  } = {},
): Promise<Finished> {
  const started = performance.now();
  const [command = SITEWARD, ...rest] = [...through, SITEWARD, ...args];
  const child = spawn(command, rest, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said.stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said, seconds: (performance.now() - started) / 1000 };
}

/** A line of the daemon's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly level: string; readonly message: string };

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly seconds: number;
}

export interface DaemonOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** A command that runs what follows it, such as `unshare --mount`. It must end by becoming it. */
  readonly through?: readonly string[];
  /** Where config and data are. Left out: a new folder, which goes with the daemon. */
  readonly folder?: string;
}

export class RunningDaemon implements AsyncDisposable {
  readonly folder: string;
  readonly configFile: string;
  readonly child: ChildProcess;
  readonly log: LogLine[] = [];
  /** All that it printed, on both streams. */
  printed = '';
  readonly #ownFolder: boolean;
  readonly #ended: Promise<void>;
  readonly #waiting = new Set<() => void>();
  #url = '';

  constructor(child: ChildProcess, folder: string, configFile: string, ownFolder: boolean) {
    this.child = child;
    this.folder = folder;
    this.configFile = configFile;
    this.#ownFolder = ownFolder;
    this.#ended = once(child, 'close').then(() => this.#wake());
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#hear(line));
    }
  }

  get url(): string {
    return this.#url;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves with the first line of the log, said already or to come, of which this is true. */
  async logged(what: string, wanted: (line: LogLine) => boolean, patience = PATIENCE): Promise<LogLine> {
    return await this.#until(`a log line (${what})`, () => this.log.find(wanted), patience);
  }

  /** Reads `/metrics` until `wanted` gives something. */
  async metrics<T>(
    what: string,
    wanted: (samples: readonly Sample[]) => T | undefined,
    patience = PATIENCE,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    return await until(what, async () => wanted(await this.scrape(headers)), {
      patience,
      tail: () => `: ${this.#tail()}`,
    });
  }

  /** Waits until every device has been sent the echo requests of so many more rounds. */
  async rounds(count: number): Promise<void> {
    const sent = (samples: readonly Sample[]) => samplesOf(samples, 'siteward_icmp_packets_sent_total');
    const before = new Map(sent(await this.scrape()).map((sample) => [seriesKey(sample), sample.value]));
    const isFurther = (sample: Sample) => sample.value >= (before.get(seriesKey(sample)) ?? 0) + count * ECHO_REQUESTS;
    await this.metrics(`${count} more rounds`, (samples) => {
      const now = sent(samples);
      return (now.length > 0 && now.every(isFurther)) || undefined;
    });
  }

  /** @throws where a point of an output is unaccounted for: whatever a test is about, that holds in every scrape. */
  async scrape(headers: Readonly<Record<string, string>> = {}): Promise<Sample[]> {
    const samples = parseExposition(await this.get('/metrics', headers));
    expectConserved(samples);
    return samples;
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const response = await fetch(`${this.#url}${path}`, { headers });
    return await response.text();
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    const started = performance.now();
    if (this.isRunning) this.child.kill(signal);
    await this.#ended;
    return { code: this.child.exitCode, signal: this.child.signalCode, seconds: (performance.now() - started) / 1000 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
    if (this.#ownFolder) await rm(this.folder, { recursive: true, force: true });
  }

  /** Resolves when it says where its page is. */
  async started(): Promise<void> {
    const { url } = await this.logged('that siteward watches', ({ message }) => message === 'siteward watches');
    this.#url = String(url);
  }

  async #until<T>(what: string, look: () => T | undefined, patience: number): Promise<T> {
    const end = performance.now() + patience;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (!this.isRunning) throw new Error(`siteward ended before ${what}: ${this.#tail()}`);
      const left = end - performance.now();
      if (left <= 0) throw new Error(`${what} did not come in ${patience / 1000} s: ${this.#tail()}`);
      await new Promise<void>((wake) => {
        const timer = setTimeout(done, left);
        const waiting = this.#waiting;
        function done(): void {
          clearTimeout(timer);
          waiting.delete(done);
          wake();
        }
        waiting.add(done);
      });
    }
  }

  #hear(line: string): void {
    this.printed += `${line}\n`;
    if (line.startsWith('{')) {
      try {
        this.log.push(JSON.parse(line) as LogLine);
      } catch {
        // Not a line of the log: it is kept in `printed`.
      }
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #tail(): string {
    return this.printed.split('\n').slice(-12).join('\n');
  }
}

/** produced = written + pending + quarantined + dropped, for each output. */
function expectConserved(samples: readonly Sample[]): void {
  for (const { labels, value: produced } of samplesOf(samples, 'siteward_output_points_produced_total')) {
    const { output = '' } = labels;
    const terms = {
      written: sampleValue(samples, 'siteward_output_points_total', { output, outcome: 'written' }) ?? 0,
      pending: sampleValue(samples, 'siteward_spool_points', { output }) ?? 0,
      quarantined: sampleValue(samples, 'siteward_spool_quarantined_points', { output }) ?? 0,
      dropped: samplesOf(samples, 'siteward_output_points_dropped_total', { output }).reduce(
        (sum, { value }) => sum + value,
        0,
      ),
    };
    const sum = terms.written + terms.pending + terms.quarantined + terms.dropped;
    if (sum !== produced) throw new Error(`${produced} points produced for ${output}, and ${JSON.stringify(terms)}`);
  }
}

/** Starts the daemon on a config and waits until it watches. `site` and a free port are filled in where they are missing. */
export async function startDaemon(config: Readonly<Record<string, unknown>>, options: DaemonOptions = {}) {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'siteward-e2e-'));
  const configFile = join(folder, 'siteward.yaml');
  await writeConfig(configFile, config);
  const [command = SITEWARD, ...args] = [...(options.through ?? []), SITEWARD, 'run', '--config', configFile];
  const child = spawn(command, args, {
    cwd: folder,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.once('error', () => {}); // its end is seen as `close`
  const daemon = new RunningDaemon(child, folder, configFile, options.folder === undefined);
  try {
    await daemon.started();
    return daemon;
  } catch (error) {
    await daemon[Symbol.asyncDispose]();
    throw error;
  }
}

/** Every JSON document is a YAML document, so that nothing has to be quoted by hand. */
export async function writeConfig(file: string, config: Readonly<Record<string, unknown>>): Promise<void> {
  const whole = {
    site: { id: 'acme-hq', client: 'ACME Ltd', timezone: 'Europe/Berlin' },
    http: { listen: '127.0.0.1:0' },
    ...config,
  };
  await writeFile(file, JSON.stringify(whole, null, 2));
}
