/**
 * The agents of all devices over one transport. What was learnt about a device and its v3 session outlive the poll, and
 * a reload of the config that does not change its address or credential.
 */
import { createHash } from 'node:crypto';
import type { Clock, Milliseconds, Target } from '#collectors/contract.ts';
import type { Credential } from '#config/schema.ts';
import type { Agent, Varbind } from './agent.ts';
import { CommunitySession } from './community-session.ts';
import { SnmpError } from './errors.ts';
import { Manners } from './manners.ts';
import { PolledAgent } from './polled-agent.ts';
import type { Patience, Session } from './session.ts';
import { type Cost, Transport, type TransportCounters } from './transport.ts';
import { UsmSession } from './usm-session.ts';
import { isValue } from './walk.ts';

export interface AgentPoolOptions {
  readonly clock: Clock;
  /** Cap on SNMP packets of the whole appliance. */
  readonly maxPacketsPerSecond?: number;
  /** How long the first try waits for an answer. */
  readonly timeout?: Milliseconds;
  /** Tries after the first. */
  readonly retries?: number;
  /** Each further try waits this many times longer. */
  readonly backoff?: number;
}

export type AgentTarget = Pick<Target, 'name' | 'address' | 'snmpPort'>;

/** An agent for one poll. */
export interface PooledAgent extends Agent {
  /** What this object's reads have cost: the pool gives a new one, with counts at 0, for each poll. */
  readonly cost: Readonly<Cost>;
}

/** Whether a device answers by SNMP. A refusal is an answer too. */
export type Alive =
  | { readonly answered: true; readonly uptime?: Varbind; readonly error?: SnmpError; readonly cost: Readonly<Cost> }
  | { readonly answered: false; readonly error: SnmpError; readonly cost: Readonly<Cost> };

export interface AgentPool {
  readonly counters: Readonly<TransportCounters>;
  /** The device's agent, asked with this credential. Costs nothing until it is asked. */
  agent(target: AgentTarget, credential: Credential): PooledAgent;
  /**
   * One GET of sysUpTime, in v3 after the engine was discovered.
   * @throws the signal's reason when it aborts.
   */
  alive(target: AgentTarget, credential: Credential, signal: AbortSignal): Promise<Alive>;
  setMaxPacketsPerSecond(rate: number): void;
  /** Forgets what was learnt about a device that is watched no longer. */
  forget(device: string): void;
  close(): Promise<void>;
}

const SYS_UP_TIME = '1.3.6.1.2.1.1.3.0';
/** Credentials tried on one device whose sessions are kept; more come and go. */
const MAX_SESSIONS = 4;
const DEFAULTS = { maxPacketsPerSecond: 2_000, timeout: 2_000 as Milliseconds, retries: 1, backoff: 1.5 } as const;

interface Device {
  /** Address and port: another place is another agent. */
  readonly place: string;
  readonly sessions: Map<string, { readonly session: Session; readonly manners: Manners }>;
}

export function openAgents(options: AgentPoolOptions): AgentPool {
  return new Pool(options);
}

class Pool implements AgentPool {
  readonly #clock: Clock;
  readonly #patience: Patience;
  readonly #transport: Transport;
  readonly #devices = new Map<string, Device>();
  readonly #fingerprints = new WeakMap<Credential, string>();

  constructor(options: AgentPoolOptions) {
    const { clock, maxPacketsPerSecond, timeout, retries, backoff } = { ...DEFAULTS, ...options };
    this.#clock = clock;
    this.#patience = { timeout, tries: retries + 1, backoff };
    this.#transport = new Transport({ clock, maxPacketsPerSecond });
  }

  get counters(): Readonly<TransportCounters> {
    return this.#transport.counters;
  }

  agent(target: AgentTarget, credential: Credential): PolledAgent {
    const { session, manners } = this.#open(target, credential);
    return new PolledAgent(session, manners);
  }

  async alive(target: AgentTarget, credential: Credential, signal: AbortSignal): Promise<Alive> {
    const { session } = this.#open(target, credential);
    const cost: Cost = { requests: 0, timeouts: 0 };
    try {
      const pdu = await session.request({ type: 'get', names: [SYS_UP_TIME] }, { signal, cost });
      const uptime = pdu.first === 0 && pdu.count > 0 && pdu.oid(0) === SYS_UP_TIME ? pdu.value(0) : undefined;
      return { answered: true, cost, ...(uptime && isValue(uptime) ? { uptime } : {}) };
    } catch (error) {
      if (!(error instanceof SnmpError)) throw error;
      return { answered: error.answered, error, cost };
    }
  }

  setMaxPacketsPerSecond(rate: number): void {
    this.#transport.maxPacketsPerSecond = rate;
  }

  forget(device: string): void {
    this.#devices.delete(device);
  }

  async close(): Promise<void> {
    this.#devices.clear();
    await this.#transport.close();
  }

  #open(target: AgentTarget, credential: Credential): { session: Session; manners: Manners } {
    const place = `${target.address} ${target.snmpPort}`;
    let device = this.#devices.get(target.name);
    if (device?.place !== place) {
      device = { place, sessions: new Map() };
      this.#devices.set(target.name, device);
    }
    const fingerprint = this.#fingerprint(credential);
    const known = device.sessions.get(fingerprint);
    if (known) {
      device.sessions.delete(fingerprint); // to the end: the one unused for longest goes first
      device.sessions.set(fingerprint, known);
      return known;
    }
    const options = { transport: this.#transport, clock: this.#clock, patience: this.#patience };
    const session =
      credential.version === '3'
        ? new UsmSession(target, credential, options)
        : new CommunitySession(target, credential, options);
    const opened = { session, manners: new Manners() };
    const [oldest] = device.sessions.keys();
    if (device.sessions.size >= MAX_SESSIONS && oldest !== undefined) device.sessions.delete(oldest);
    device.sessions.set(fingerprint, opened);
    return opened;
  }

  /** Tells credentials apart by what is in them, so that a reload that changes nothing keeps the sessions. */
  #fingerprint(credential: Credential): string {
    let fingerprint = this.#fingerprints.get(credential);
    if (fingerprint === undefined) {
      fingerprint = createHash('sha256')
        .update(JSON.stringify(revealed(credential)))
        .digest('base64');
      this.#fingerprints.set(credential, fingerprint);
    }
    return fingerprint;
  }
}

function revealed(credential: Credential): readonly unknown[] {
  if (credential.version !== '3') return [credential.version, credential.community.reveal()];
  const { user, level, auth, privacy, context } = credential;
  const key = (part: typeof auth | typeof privacy) => part && [part.protocol, part.key.reveal()];
  return ['3', user, level, context, key(auth), key(privacy)];
}
