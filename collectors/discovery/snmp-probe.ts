/** Asks one address who it is by SNMP, with as few offers of credentials as possible. */
import type { Credential } from '#config/schema.ts';
import type { Clock, Identity, Milliseconds } from '../contract.ts';
import { SnmpError } from '../snmp/errors.ts';
import { type AgentPool, openAgents, type PooledAgent } from '../snmp/pool.ts';
import { identify } from '../snmp/profile/identify.ts';
import type { ProfileLibrary } from '../snmp/profile/library.ts';
import { TokenBucket } from '../snmp/token-bucket.ts';
import { type Ring, ring } from './doorbell.ts';
import type { AllowedAddress } from './gate.ts';
import { byStrength, MOST_REFUSALS_PER_SCAN, type Tries } from './tries.ts';

export interface SnmpProbeOptions {
  readonly clock: Clock;
  readonly profiles: ProfileLibrary;
  readonly port: number;
  readonly packetsPerSecond: number;
  readonly tries: Tries;
  /** Definite refusals in this scan by credential; shared by all probes of the scan. */
  readonly refusals: Map<string, number>;
}

export interface SnmpFinding {
  /**
   * `silent`: nothing came back. `refused`: an agent is there and does not take what it was offered. `held-back`: nothing
   * was offered, since a wrong try is too near.
   */
  readonly agent: 'answered' | 'refused' | 'silent' | 'held-back';
  readonly identity?: Identity;
  /** The one that worked. */
  readonly credential?: Credential;
  /** Why the agent could not be read. */
  readonly error?: SnmpError;
}

/** One packet decides whether a credential works: a repetition of a wrong one would be a second failed try. */
const KNOCK = { timeout: 1_500 as Milliseconds, retries: 0, backoff: 1 } as const;
const READ = { timeout: 2_000 as Milliseconds, retries: 2, backoff: 1.5 } as const;

/**
 * Rings, knocks and reads go on side by side, each at its part of the rate. Those that answered echo are rung at and most
 * of them read; of those that did not, nearly all will be knocked at in vain.
 */
const SHARES = {
  answering: { rings: 0.3, knocks: 0.2, reads: 0.5 },
  silent: { rings: 0, knocks: 0.9, reads: 0.1 },
} as const;

export interface ProbeRequest {
  readonly credentials: readonly Credential[];
  /** What worked for the device that is known at this address: nothing else is offered. */
  readonly sticky: string | undefined;
  /** Whether something answered there already, so that a closed port would be refused. */
  readonly isThere: boolean;
}

export class SnmpProbe {
  readonly #options: SnmpProbeOptions;
  readonly #bell: TokenBucket;
  #rings = 0;
  readonly #knocks: AgentPool;
  readonly #reads: AgentPool;

  constructor(options: SnmpProbeOptions) {
    const { clock, packetsPerSecond } = options;
    this.#options = options;
    this.#bell = new TokenBucket(clock, packetsPerSecond);
    this.#knocks = openAgents({ clock, maxPacketsPerSecond: packetsPerSecond, ...KNOCK });
    this.#reads = openAgents({ clock, maxPacketsPerSecond: packetsPerSecond, ...READ });
    this.expect('answering');
  }

  /** SNMP packets sent so far. */
  get packets(): number {
    return this.#rings + this.#knocks.counters.requests + this.#reads.counters.requests;
  }

  /** Divides the rate for what is asked next. */
  expect(kind: keyof typeof SHARES): void {
    const rate = (share: number) => Math.max(1, share * this.#options.packetsPerSecond);
    const { rings, knocks, reads } = SHARES[kind];
    this.#bell.rate = rate(rings);
    this.#knocks.setMaxPacketsPerSecond(rate(knocks));
    this.#reads.setMaxPacketsPerSecond(rate(reads));
  }

  /** @throws the signal's reason when it aborts */
  async probe(
    address: AllowedAddress,
    { credentials, sticky, isThere }: ProbeRequest,
    signal: AbortSignal,
  ): Promise<SnmpFinding> {
    const { tries, clock } = this.#options;
    if (isThere && credentials.length > 0 && (await this.#ring(address, signal)) === 'refused')
      return { agent: 'silent' };
    const stuck = credentials.filter(({ name }) => name === sticky);
    const offered = stuck.length > 0 ? stuck : tries.inOrder(address, byStrength(credentials));
    let speaksV3 = true;
    for (const credential of offered) {
      if (credential.version === '3' && !speaksV3) continue;
      if (!tries.mayOffer(address, clock.wallNow())) return { agent: 'held-back' };
      if ((this.#options.refusals.get(credential.name) ?? 0) >= MOST_REFUSALS_PER_SCAN) continue;
      const target = { name: address, address, snmpPort: this.#options.port };
      const alive = await this.#knocks.alive(target, credential, signal);
      if (alive.answered && !alive.error) return await this.#read(address, credential, signal);
      if (alive.error?.code === 'SNMP_NOT_SENT') return { agent: 'silent', error: alive.error };
      if (credential.version === '3' && !alive.answered) {
        // The engine was not told, so no user was offered and nothing has failed.
        speaksV3 = false;
        continue;
      }
      tries.failed(address, credential.name, clock.wallNow());
      if (alive.answered) {
        this.#options.refusals.set(credential.name, (this.#options.refusals.get(credential.name) ?? 0) + 1);
        return { agent: 'refused', ...(alive.error ? { error: alive.error } : {}) };
      }
      return { agent: 'silent', ...(alive.error ? { error: alive.error } : {}) };
    }
    return { agent: 'silent' };
  }

  /** An agent with a credential that works. It costs nothing until it is asked. */
  agent(address: AllowedAddress, credential: Credential): PooledAgent {
    return this.#reads.agent({ name: address, address, snmpPort: this.#options.port }, credential);
  }

  /** Forgets the sessions of addresses that are done with. */
  forget(addresses: readonly AllowedAddress[]): void {
    for (const address of addresses) {
      this.#knocks.forget(address);
      this.#reads.forget(address);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#knocks.close(), this.#reads.close()]);
  }

  /** What is refused here has heard no secret, so nothing has failed. */
  async #ring(address: AllowedAddress, signal: AbortSignal): Promise<Ring> {
    await new Promise<void>((resolve) =>
      this.#bell.wait(() => {
        resolve();
        return true;
      }),
    );
    signal.throwIfAborted();
    this.#rings += 1;
    return await ring(address, this.#options.port, { clock: this.#options.clock, signal });
  }

  async #read(address: AllowedAddress, credential: Credential, signal: AbortSignal): Promise<SnmpFinding> {
    this.#options.tries.succeeded(address);
    try {
      const identity = await identify(this.agent(address, credential), this.#options.profiles, signal);
      return { agent: 'answered', credential, ...(identity ? { identity } : {}) };
    } catch (error) {
      if (error instanceof SnmpError) return { agent: 'answered', credential, error };
      throw error;
    }
  }
}
