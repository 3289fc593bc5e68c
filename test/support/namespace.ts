/**
 * Two network namespaces joined by a cable: `near`, from which siteward looks, and `far`, which owns many addresses at
 * no cost (a local route makes the kernel answer for a whole range) and lets a part of them fall silent. Nothing outside
 * them is touched, and they go with the process that made them, with every process that runs in them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Answers echo requests and refuses connections. */
export const aliveAddress = (n: number): string => `10.78.${1 + Math.floor(n / 250)}.${1 + (n % 250)}`;
/** Reached, and never answers. */
export const deadAddress = (n: number): string => `10.78.200.${1 + n}`;
export const ALIVE_IPV6 = 'fd00:78::1:1';
export const DEAD_IPV6 = 'fd00:78::dead:1';
/** To which no route leads. */
export const ROUTELESS_ADDRESS = '10.99.0.1';

const HOLDER = `
set -e
unshare --net sh -c 'echo $$; exec sleep infinity' >"$0" &
far=$!
net_of() { readlink "/proc/$1/ns/net" 2>/dev/null || :; }
leave() {
  inner=$(net_of "$far"); outer=$(net_of $$)
  # What cannot be told must not match what cannot be told of others.
  inner=\${inner:-none}; outer=\${outer:-none}
  for process in /proc/[0-9]*; do
    pid=\${process#/proc/}
    case "$(net_of "$pid")" in "$inner"|"$outer") [ "$pid" = $$ ] || kill -9 "$pid" 2>/dev/null || : ;; esac
  done
  rm -f "$0"
}
while [ ! -s "$0" ]; do :; done
trap leave EXIT
in_far() { nsenter --target "$far" --net "$@"; }
ip link set lo up
ip link add near type veth peer name far netns "$far"
ip address add 10.77.0.1/24 dev near
ip -6 address add fd00:77::1/64 dev near nodad
ip link set near up
in_far ip link set lo up
in_far ip address add 10.77.0.2/24 dev far
in_far ip -6 address add fd00:77::2/64 dev far nodad
in_far ip link set far up
in_far ip route add local 10.78.0.0/16 dev lo
in_far ip route add blackhole 10.78.200.0/24 table local
in_far ip -6 route add local fd00:78::/64 dev lo
in_far ip -6 route add blackhole fd00:78::dead:0/112 table local
ip route add 10.78.0.0/16 via 10.77.0.2
ip -6 route add fd00:78::/64 via fd00:77::2
for _ in 1 2 3 4 5 6 7 8 9 10; do ping -q -c 1 -W 1 fd00:78::1:1 >/dev/null 2>&1 && break; done
echo "ready $far"
read -r _ || true
`;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Namespaces {
  /** Runs a program in the namespace from which siteward looks. */
  near(command: string, args: readonly string[], input?: string): Promise<Finished>;
  /** Runs a program where the devices are. */
  far(command: string, args: readonly string[]): Promise<Finished>;
  /** What runs the command behind it in a namespace, for programs that go on. */
  entering(where: 'near' | 'far'): readonly string[];
  close(): Promise<void>;
}

/** @throws where this machine lets nobody make network namespaces, with what `unshare` says about it. */
export async function openNamespaces(): Promise<Namespaces> {
  const note = `/tmp/siteward-namespace-${process.pid}-${Date.now()}`;
  const root = process.getuid?.() === 0;
  const holder = spawn('unshare', [...(root ? [] : ['--user', '--map-root-user']), '--net', 'sh', '-c', HOLDER, note], {
    stdio: 'pipe',
  });
  const far = await readyLine(holder);
  const entry = (pid: number): readonly string[] => [
    'nsenter',
    '--target',
    `${pid}`,
    ...(root ? [] : ['--user', '--preserve-credentials']),
    '--net',
    '--',
  ];
  const enter = (pid: number, command: string, args: readonly string[], input?: string) => {
    const [program = '', ...rest] = entry(pid);
    return finished(spawn(program, [...rest, command, ...args], { stdio: 'pipe' }), input);
  };
  return {
    near: (command, args, input) => enter(holder.pid ?? 0, command, args, input),
    far: (command, args) => enter(far, command, args),
    entering: (where) => entry(where === 'near' ? (holder.pid ?? 0) : far),
    close: async () => {
      holder.stdin.end();
      if (holder.exitCode === null) await once(holder, 'exit');
    },
  };
}

async function readyLine(holder: ChildProcess): Promise<number> {
  return await new Promise((resolve, reject) => {
    const said = { stdout: '', stderr: '' };
    holder.stderr?.on('data', (chunk) => {
      said.stderr += chunk;
    });
    holder.stdout?.on('data', (chunk) => {
      said.stdout += chunk;
      const far = /^ready (\d+)$/m.exec(said.stdout)?.[1];
      if (far !== undefined) resolve(Number(far));
    });
    holder.once('error', reject);
    holder.once('exit', () =>
      reject(
        new Error(
          `no network namespaces on this machine (run the tests as root, or in a privileged container): ${said.stderr}`,
        ),
      ),
    );
  });
}

async function finished(child: ChildProcess, input?: string): Promise<Finished> {
  const said = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => {
    said.stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    said.stderr += chunk;
  });
  child.stdin?.end(input);
  const [code] = await once(child, 'close');
  return { code, ...said };
}
