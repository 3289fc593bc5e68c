import { isIP } from 'node:net';
import type {
  CollectContext,
  Collector,
  Evidence,
  Milliseconds,
  Observation,
  Problem,
  Question,
  Target,
} from '../contract.ts';
import { ownFaults } from '../icmp/own-side.ts';
import { type Attempt, attemptConnect } from './connect.ts';

/** Connections under way at once, well below the number of files that a process may have open. */
const AT_ONCE = 256;

interface Check {
  readonly target: Target;
  readonly port: number;
}

/** Connects to the TCP ports that must accept for a device to be up (`checks: [tcp/443]`). */
export function createTcpCollector(): Collector {
  return {
    name: 'tcp',
    questions: ['alive'],
    collect,
    forget: () => {},
    close: async () => {},
  };
}

async function collect(
  question: Question,
  targets: readonly Target[],
  context: CollectContext,
): Promise<readonly Observation[]> {
  const started = context.clock.monotonicNow();
  const attempts = await attemptAll(targets, context);
  const faults = await ownFaults([...silentAddresses(attempts)]);
  const at = context.clock.wallNow();
  const took = (context.clock.monotonicNow() - started) as Milliseconds;
  return targets.map((target) => {
    const ports = attempts.get(target) ?? [];
    const verdict = judge(target, ports, faults.get(target.address));
    const timeouts = ports.filter(({ attempt }) => attempt.kind === 'silent').length;
    return {
      device: target.name,
      collector: 'tcp',
      question,
      at,
      took,
      groups: [],
      requests: ports.length,
      timeouts,
      ...verdict,
    };
  });
}

interface PortAttempt {
  readonly port: number;
  readonly attempt: Attempt;
}

async function attemptAll(
  targets: readonly Target[],
  context: CollectContext,
): Promise<ReadonlyMap<Target, readonly PortAttempt[]>> {
  const attempts = new Map<Target, PortAttempt[]>();
  const checks: Check[] = targets
    .filter((target) => isIP(target.address) !== 0)
    .flatMap((target) => target.tcpPorts.map((port) => ({ target, port })));
  const waiting = checks.values();
  const lane = async (): Promise<void> => {
    for (const { target, port } of waiting) {
      const attempt = await attemptConnect(target.address, port, context);
      const list = attempts.get(target) ?? [];
      list.push({ port, attempt });
      attempts.set(target, list);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, checks.length) }, lane));
  return attempts;
}

function silentAddresses(attempts: ReadonlyMap<Target, readonly PortAttempt[]>): ReadonlySet<string> {
  const silent = [...attempts].filter(([, ports]) => ports.some(({ attempt }) => attempt.kind === 'silent'));
  return new Set(silent.map(([target]) => target.address));
}

/** All ports must accept. One that certainly does not outweighs one that could not be asked. */
function judge(
  target: Target,
  ports: readonly PortAttempt[],
  ownFault: Problem | undefined,
): { readonly evidence: Evidence; readonly problems: readonly Problem[] } {
  if (ports.length === 0) return couldNotTell([NOTHING_TO_CHECK]);
  const problems = ports
    .toSorted((a, b) => a.port - b.port)
    .map(({ port, attempt }) => problemOf(target.address, port, attempt, ownFault))
    .filter((problem) => problem !== undefined);
  const kinds = new Set(
    ports.map(({ attempt }) => (attempt.kind === 'silent' && ownFault ? 'could-not-tell' : attempt.kind)),
  );
  if (kinds.has('silent') || kinds.has('refused')) return { evidence: { kind: 'silent' }, problems };
  if (kinds.has('could-not-tell')) return couldNotTell(problems);
  return { evidence: { kind: 'answered' }, problems };
}

function couldNotTell(problems: readonly Problem[]): { evidence: Evidence; problems: readonly Problem[] } {
  return { evidence: { kind: 'could-not-tell', reason: problems[0]?.message ?? 'no port was asked' }, problems };
}

const NOTHING_TO_CHECK: Problem = {
  code: 'TCP_NOTHING_TO_CHECK',
  message: 'it has no address or no TCP port to check',
  hint: 'write its address, and checks: [tcp/443]',
};

function problemOf(
  address: string,
  port: number,
  attempt: Attempt,
  ownFault: Problem | undefined,
): Problem | undefined {
  switch (attempt.kind) {
    case 'accepted':
      return undefined;
    case 'refused':
      return {
        code: 'TCP_PORT_CLOSED',
        message: `${address} is there, but nothing accepts connections on port ${port}`,
        hint: 'check that the service runs, or write another port in checks',
      };
    case 'silent':
      return (
        ownFault ?? {
          code: 'TCP_NO_ANSWER',
          message: `nothing answers on port ${port} of ${address}`,
          hint: 'the host is off, or a firewall drops what is sent to that port',
        }
      );
    case 'could-not-tell':
      return ownProblem(address, port, attempt.code);
    default:
      return attempt satisfies never;
  }
}

function ownProblem(address: string, port: number, code: string): Problem {
  const message = `port ${port} of ${address} could not be asked (${code})`;
  switch (code) {
    case 'ABORTED':
      return {
        code: 'TCP_INTERRUPTED',
        message: `the check of port ${port} of ${address} was broken off`,
        hint: 'nothing, if siteward was stopping; else give the availability interval more time',
      };
    case 'EMFILE':
    case 'ENFILE':
      return { code: 'TCP_NO_FILES', message, hint: 'raise the limit of open files (LimitNOFILE)' };
    case 'EADDRNOTAVAIL':
      return { code: 'TCP_NO_PORTS', message, hint: 'this machine has no local port or address left: see ss -s' };
    case 'EACCES':
    case 'EPERM':
      return { code: 'TCP_NOT_ALLOWED', message, hint: "this machine's own packet filter forbids it" };
    default:
      return { code: 'TCP_NO_WAY', message, hint: "check this machine's addresses, gateway and routes" };
  }
}
