/** A farm of SNMP agents that answers from recordings, where the recordings are at hand beside the project. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const SHARED = resolve(import.meta.dirname, '../../../shared');
const SOURCE = join(SHARED, 'bench/fleet.c');

/** Says loudly why tests that need the recordings are left out. */
export function fleetIsThere(): boolean {
  if (existsSync(SOURCE)) return true;
  console.warn(`\n*** ${SOURCE} is not there: tests over recorded devices are LEFT OUT ***\n`);
  return false;
}

export interface RecordedDevice {
  readonly name: string;
  readonly category: string;
  readonly path: string;
}

export function recordedDevices(): readonly RecordedDevice[] {
  const [, ...lines] = readFileSync(join(SHARED, 'devices/INDEX.tsv'), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [name = '', category = ''] = line.split('\t');
    return { name, category, path: join(SHARED, 'devices/recordings', `${name}.snmprec`) };
  });
}

export interface Fleet extends AsyncDisposable {
  readonly child: ChildProcess;
  stop(): Promise<void>;
}

/** Serves recordings on named addresses of 127.0.0.0/8. `through` is a command that runs what follows it. */
export async function startFleet(
  port: number,
  devices: readonly (readonly [path: string, address: string])[],
  { options = [], through = [] }: { readonly options?: readonly string[]; readonly through?: readonly string[] } = {},
): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), 'siteward-fleet-'));
  const program = join(folder, 'fleet');
  execFileSync('gcc', ['-O2', '-w', '-o', program, SOURCE]);
  const named = devices.map(([path, address]) => (address === '' ? path : `${path}=${address}`));
  const [command = program, ...args] = [...through, program, '-p', `${port}`, ...options, ...named];
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  await Promise.race([
    once(child.stderr, 'data'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the farm of agents ended with ${code}: is port ${port} taken?`);
    }),
  ]);
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  };
  return { child, stop, [Symbol.asyncDispose]: stop };
}
