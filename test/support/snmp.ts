/** Credentials and pools for tests that ask SNMP agents. */
import type { Milliseconds } from '#collectors/contract.ts';
import { type AgentPool, type AgentPoolOptions, openAgents } from '#collectors/snmp/pool.ts';
import type { Credential } from '#config/schema.ts';
import { Secret } from '#config/secret.ts';
import { systemClock } from '#daemon/clock.ts';

/** Long enough for an agent on a busy machine, short enough to wait for one that never answers. */
export const PATIENCE = { timeout: 400 as Milliseconds, retries: 1, backoff: 1 } as const;

export function community(name = 'public', version: '1' | '2c' = '2c'): Credential {
  return { name: `v${version}-${name}`, version, community: new Secret(name) };
}

type UserCredential = Extract<Credential, { version: '3' }>;

export interface UserOptions {
  readonly level?: UserCredential['level'];
  readonly auth?: readonly [NonNullable<UserCredential['auth']>['protocol'], string];
  readonly privacy?: readonly [NonNullable<UserCredential['privacy']>['protocol'], string];
  readonly context?: string;
}

export function user(name: string, { level, auth, privacy, context = '' }: UserOptions = {}): UserCredential {
  return {
    name: `v3-${name}`,
    version: '3',
    user: name,
    level: level ?? (privacy ? 'auth_priv' : auth ? 'auth_no_priv' : 'no_auth_no_priv'),
    ...(auth ? { auth: { protocol: auth[0], key: new Secret(auth[1]) } } : {}),
    ...(privacy ? { privacy: { protocol: privacy[0], key: new Secret(privacy[1]) } } : {}),
    context,
  };
}

export type TestPool = AgentPool & AsyncDisposable;

/** A pool that is closed with the test: `await using pool = testPool()`. */
export function testPool(options: Partial<AgentPoolOptions> = {}): TestPool {
  const pool = openAgents({ clock: systemClock, maxPacketsPerSecond: 100_000, ...PATIENCE, ...options });
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.close() });
}

/** The agent that listens there, as a device. */
export const device = (at: { readonly address: string; readonly port: number }, name = 'device') => ({
  name,
  address: at.address,
  snmpPort: at.port,
});

export const SYS = {
  descr: '1.3.6.1.2.1.1.1.0',
  objectId: '1.3.6.1.2.1.1.2.0',
  upTime: '1.3.6.1.2.1.1.3.0',
  contact: '1.3.6.1.2.1.1.4.0',
  name: '1.3.6.1.2.1.1.5.0',
  location: '1.3.6.1.2.1.1.6.0',
} as const;

export const forever = new AbortController().signal;
