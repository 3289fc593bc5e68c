/** Asks nmap which of a few well-known ports are open, in a process group that ends when its time is over. */
import { fork } from 'node:child_process';
import { isIP, isIPv6 } from 'node:net';
import type { CollectContext, Milliseconds, Problem } from '../contract.ts';
import { defaultSearchPath, firstLine } from '../icmp/child.ts';
import { findExecutable } from '../icmp/tool.ts';
import type { AllowedAddress } from './gate.ts';
import type { NmapOrder, NmapReply } from './nmap-worker.ts';
import type { OpenPort } from './nmap-xml.ts';

export type { OpenPort } from './nmap-xml.ts';

export interface PortScan {
  readonly hosts: ReadonlyMap<AllowedAddress, readonly OpenPort[]>;
  readonly problem?: Problem;
}

export interface NmapOptions {
  readonly packetsPerSecond: number;
  /** Left out: looked for on the path. */
  readonly nmapPath?: string;
  /** Left out: what the slice takes at its rate, and some. */
  readonly deadline?: Milliseconds;
}

/** Ports that tell the kinds of device apart: management, printing, file service, remote desktops, cameras. */
const PORTS = [22, 23, 80, 135, 139, 443, 445, 515, 554, 631, 3389, 5900, 8006, 8080, 8443, 9100] as const;
const TRIES = 2;
/** Addresses that nmap asks side by side. It warns of more. */
const GROUP = 100;
/** Beyond the time that the probes of a group take at their rate. */
const GROUP_PATIENCE = 30;
/** Beyond all groups. */
const LAST_PATIENCE = 15;
/** Between asking the worker to end and ending it. */
const GRACE = 1_000 as Milliseconds;
const WORKER_MEMORY_MB = 96;

/** Open ports of these addresses. Never throws: an nmap that fails is a problem, and nothing of it is left behind. */
export async function scanPorts(
  addresses: readonly AllowedAddress[],
  options: NmapOptions,
  context: CollectContext,
): Promise<PortScan> {
  const nmapPath = options.nmapPath ?? (await findExecutable('nmap', defaultSearchPath()));
  if (nmapPath === undefined)
    return failure('DISCOVERY_NO_NMAP', 'nmap is not installed', 'install it, for example: apt-get install nmap');
  const hosts = new Map<AllowedAddress, readonly OpenPort[]>();
  let problem: Problem | undefined;
  for (const family of [addresses.filter((each) => !isIPv6(each)), addresses.filter((each) => isIPv6(each))]) {
    if (family.length === 0 || context.signal.aborted) continue;
    const end = await runWorker(orderFor(nmapPath, family, options), deadlineFor(family.length, options), context);
    const judged = judge(end, nmapPath);
    if ('problem' in judged) problem = judged.problem;
    else for (const { address, ports } of judged.hosts) if (includes(family, address)) hosts.set(address, ports);
  }
  return { hosts, ...(problem ? { problem } : {}) };
}

/** Fixed options and addresses, never a text of anybody's. */
function orderFor(nmapPath: string, addresses: readonly AllowedAddress[], options: NmapOptions): NmapOrder {
  const wrong = addresses.find((address) => isIP(address) === 0 || address.includes('%'));
  if (wrong !== undefined) throw new Error('what is no address must not reach nmap');
  const rate = `${options.packetsPerSecond}`;
  const group = `${Math.min(addresses.length, GROUP)}`;
  return {
    nmapPath,
    // biome-ignore format: an option and its value side by side
    options: [
      '-n', '-Pn', '-sT', '--unprivileged', '--open',
      ...(addresses.some((address) => isIPv6(address)) ? ['-6'] : []),
      '-p', PORTS.join(','), '--max-retries', `${TRIES - 1}`,
      // By itself it takes silence for a sign of congestion and begins with groups of five: where nobody answers it would
      // send a few probes a second, and each group would take until its hosts are given up, with all that was found.
      '--max-rate', rate, '--min-rate', rate, '--min-hostgroup', group, '--max-hostgroup', group,
      '--initial-rtt-timeout', '500ms', '--max-rtt-timeout', '1s',
      '--host-timeout', `${secondsPerGroup(addresses.length, options)}s`,
    ],
    addresses,
  };
}

/** Twice what its probes take at their rate, and some. */
function secondsPerGroup(count: number, { packetsPerSecond }: NmapOptions): number {
  const probes = TRIES * Math.min(count, GROUP) * PORTS.length;
  return Math.ceil((2 * probes) / packetsPerSecond + GROUP_PATIENCE);
}

function deadlineFor(count: number, options: NmapOptions): Milliseconds {
  const seconds = Math.ceil(count / GROUP) * secondsPerGroup(count, options) + LAST_PATIENCE;
  return options.deadline ?? ((seconds * 1000) as Milliseconds);
}

type WorkerEnd =
  | { readonly kind: 'replied'; readonly reply: NmapReply }
  | { readonly kind: 'died'; readonly how: string }
  | { readonly kind: 'stopped'; readonly because: 'deadline' | 'aborted' };

async function runWorker(order: NmapOrder, deadline: Milliseconds, context: CollectContext): Promise<WorkerEnd> {
  const limit = context.clock.timeout(deadline);
  const worker = fork(new URL('./nmap-worker.ts', import.meta.url), {
    detached: true,
    execArgv: [`--max-old-space-size=${WORKER_MEMORY_MB}`],
    env: { LC_ALL: 'C', PATH: defaultSearchPath() },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => resolve());
    worker.once('error', () => resolve());
  });
  const stop = new AbortController();
  try {
    return await new Promise<WorkerEnd>((resolve) => {
      const told = (because: 'deadline' | 'aborted') => () => resolve({ kind: 'stopped', because });
      limit.addEventListener('abort', told('deadline'), { signal: stop.signal });
      context.signal.addEventListener('abort', told('aborted'), { signal: stop.signal });
      worker.once('message', (reply) => resolve({ kind: 'replied', reply: reply as NmapReply }));
      worker.once('error', (error) => resolve({ kind: 'died', how: error.message }));
      // Comes after every message, where `exit` may overtake one.
      worker.once('disconnect', () => resolve({ kind: 'died', how: 'it ended before it had replied' }));
      worker.send(order, () => {});
      if (context.signal.aborted) resolve({ kind: 'stopped', because: 'aborted' });
    });
  } finally {
    stop.abort();
    // First by its own worker, which reaps it; then whatever it started, with the group.
    if (worker.connected) worker.send('stop', () => {});
    const patience = new AbortController();
    await Promise.race([ended, context.clock.sleep(GRACE, patience.signal).catch(() => {})]);
    patience.abort();
    killGroup(worker.pid);
    await ended;
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // Nobody is left in it, which is what was wanted.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function judge(
  end: WorkerEnd,
  nmapPath: string,
): { readonly problem: Problem } | { readonly hosts: readonly { address: string; ports: readonly OpenPort[] }[] } {
  if (end.kind === 'stopped')
    return end.because === 'aborted'
      ? problemOf('DISCOVERY_NMAP_STOPPED', `${nmapPath} was stopped with the scan`, 'nothing')
      : problemOf(
          'DISCOVERY_NMAP_HANGS',
          `${nmapPath} did not end in time and was killed`,
          `run ${nmapPath} by hand and see`,
        );
  if (end.kind === 'died')
    return problemOf(
      'DISCOVERY_NMAP_DIED',
      `the process that runs ${nmapPath} failed: ${end.how}`,
      'look in the system log',
    );
  const { run, code, said } = end.reply;
  if (run.ok) return { hosts: run.hosts };
  const more = said.trim() === '' ? '' : `; it said: ${firstLine(said)}`;
  return problemOf(
    'DISCOVERY_NMAP_FAILED',
    `${nmapPath} brought nothing that can be used (status ${code ?? 'none'}): ${run.why}${more}`,
    `run ${nmapPath} by hand and see`,
  );
}

function includes(addresses: readonly AllowedAddress[], address: string): address is AllowedAddress {
  return (addresses as readonly string[]).includes(address);
}

function problemOf(code: string, message: string, hint: string): { readonly problem: Problem } {
  return { problem: { code, message, hint } };
}

function failure(code: string, message: string, hint: string): PortScan {
  return { hosts: new Map(), ...problemOf(code, message, hint) };
}
