/** A real snmpd on loopback with a configuration and a state of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface SnmpdUser {
  readonly name: string;
  readonly level: 'noauth' | 'auth' | 'priv';
  /** As snmpd.conf writes it: `MD5`, `SHA`, `SHA-256`, … */
  readonly auth?: { readonly protocol: string; readonly key: string };
  /** `DES`, `AES`, `AES-256`, `AES-256-C` */
  readonly privacy?: { readonly protocol: string; readonly key: string };
  /** Left out: everything. */
  readonly view?: string;
}

export interface SnmpdOptions {
  /** Read-only communities that see everything. */
  readonly communities?: readonly string[];
  readonly users?: readonly SnmpdUser[];
  /** Further lines of snmpd.conf. */
  readonly conf?: readonly string[];
  /** Also listens on ::1. */
  readonly ipv6?: boolean;
  /** True: does not count its restarts, as cheap agents do. */
  readonly forgetsBoots?: boolean;
  /** Left out: a free one. */
  readonly port?: number;
}

export interface Snmpd extends AsyncDisposable {
  readonly address: '127.0.0.1';
  readonly port: number;
  /** Stops it; `restart` brings it back. */
  halt(): Promise<void>;
  /** Stops it if it runs and starts it on the same port: its engine boots go up by one. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts `snmpd` (Debian package snmpd) and waits until it answers. */
export async function startSnmpd(options: SnmpdOptions = {}): Promise<Snmpd> {
  const folder = await mkdtemp(join(tmpdir(), 'siteward-snmpd-'));
  const state = join(folder, 'state');
  await mkdir(state);
  const conf = join(folder, 'snmpd.conf');
  await writeFile(conf, `${lines(options).join('\n')}\n`);
  const port = options.port ?? (await freeUdpPort());
  const listening = [`udp:127.0.0.1:${port}`, ...(options.ipv6 ? [`udp6:[::1]:${port}`] : [])];
  const start = () => launch(conf, state, listening, options.forgetsBoots === true);
  let running = await start();
  const end = async () => {
    if (running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill('SIGTERM');
    await ended;
  };
  const stop = async () => {
    await end();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    address: '127.0.0.1',
    port,
    halt: end,
    restart: async () => {
      await end();
      running = await start();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function lines({ communities = [], users = [], conf = [] }: SnmpdOptions): string[] {
  const secret = (part: SnmpdUser['auth']) => (part ? ` ${part.protocol} "${part.key}"` : '');
  return [
    ...communities.flatMap((community) => [`rocommunity ${community}`, `rocommunity6 ${community}`]),
    ...users.flatMap((user) => [
      `createUser ${user.name}${secret(user.auth)}${secret(user.privacy)}`,
      `rouser ${user.name} ${user.level}${user.view ? ` -V ${user.view}` : ''}`,
    ]),
    ...conf,
  ];
}

async function launch(
  conf: string,
  state: string,
  listening: readonly string[],
  forgets: boolean,
): Promise<ChildProcess> {
  // With -C it reads nothing but this file, so not the count of its restarts either.
  const only = forgets ? ['-C', '-c', conf] : [];
  const child = spawn('snmpd', ['-f', '-Lo', ...only, ...listening], {
    env: { ...process.env, SNMPCONFPATH: `${dirname(conf)}:${state}`, SNMP_PERSISTENT_DIR: state, MIBS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('NET-SNMP version')) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`snmpd ended: ${said}`)));
  });
  return child;
}

/** A UDP port of loopback that nobody has now. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
