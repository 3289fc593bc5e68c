import type { Credential } from '#config/schema.ts';
import type {
  Clock,
  CollectContext,
  Collector,
  Evidence,
  Milliseconds,
  Monotonic,
  Observation,
  Problem,
  Question,
  Target,
} from '../contract.ts';
import { SnmpError } from './errors.ts';
import { type AgentPool, openAgents, type PooledAgent } from './pool.ts';
import type { ProfileLibrary } from './profile/library.ts';
import { type DeviceMemory, emptyMemory } from './profile/memory.ts';
import { type DeviceReading, readDevice } from './profile/read.ts';
import type { TransportCounters } from './transport.ts';

export interface SnmpCollectorOptions {
  readonly clock: Clock;
  readonly profiles: ProfileLibrary;
  /** Cap on the requests of the whole appliance. */
  readonly maxPacketsPerSecond: number;
}

/** Asks devices by SNMP: whether their agent answers, and everything that their profile reads. */
export interface SnmpCollector extends Collector {
  /** What went over the wire, and what was dropped for which reason. */
  counters(): Readonly<TransportCounters>;
}

export function createSnmpCollector(options: SnmpCollectorOptions): SnmpCollector {
  return new ProfileCollector(options);
}

/** A credential that an agent refused is not offered to it again for so long: some lock the user out. */
const REFUSED_PAUSE = 300_000;

interface Known {
  readonly memory: DeviceMemory;
  /** The credential that worked. From then on no other is tried: an agent that stops taking it is a problem to show. */
  sticky?: string;
  /** When credentials were refused last, by name. */
  readonly refused: Map<string, Monotonic>;
  /** Tries so far, so that a device that never answered is offered one credential per cycle, in turn. */
  tries: number;
}

type Attempt = { readonly reading: DeviceReading } | { readonly error: SnmpError };

class ProfileCollector implements SnmpCollector {
  readonly name = 'snmp';
  readonly questions: readonly Question[] = ['alive', 'metrics', 'inventory'];
  readonly #library: ProfileLibrary;
  readonly #agents: AgentPool;
  readonly #devices = new Map<string, Known>();

  constructor({ clock, profiles, maxPacketsPerSecond }: SnmpCollectorOptions) {
    this.#library = profiles;
    this.#agents = openAgents({ clock, maxPacketsPerSecond });
  }

  async collect(question: Question, targets: readonly Target[], context: CollectContext): Promise<Observation[]> {
    return await Promise.all(
      targets.map((target) =>
        question === 'alive' ? this.#alive(target, context) : this.#poll(question, target, context),
      ),
    );
  }

  counters(): Readonly<TransportCounters> {
    return this.#agents.counters;
  }

  forget(device: string): void {
    this.#devices.delete(device);
    this.#agents.forget(device);
  }

  async close(): Promise<void> {
    await this.#agents.close();
  }

  #known(device: string): Known {
    let known = this.#devices.get(device);
    if (!known) {
      known = { memory: emptyMemory(), refused: new Map(), tries: 0 };
      this.#devices.set(device, known);
    }
    return known;
  }

  async #alive(target: Target, context: CollectContext): Promise<Observation> {
    const known = this.#known(target.name);
    const begin = beginning('alive', target, context);
    const credential = stuck(known, target) ?? target.credentials[0];
    if (!credential)
      return begin.end({
        evidence: { kind: 'could-not-tell', reason: 'no credentials' },
        problems: [noCredentials(target)],
      });
    try {
      const { answered, error, cost } = await this.#agents.alive(target, credential, context.signal);
      const problems = error ? [error] : [];
      return begin.end({ evidence: answered ? { kind: 'answered' } : evidenceOf(error), problems, ...cost });
    } catch (error) {
      const failure = asSnmpError(error, context.signal);
      return begin.end({ evidence: evidenceOf(failure), problems: [failure] });
    }
  }

  async #poll(question: 'metrics' | 'inventory', target: Target, context: CollectContext): Promise<Observation> {
    const known = this.#known(target.name);
    const begin = beginning(question, target, context);
    const offered = this.#offered(known, target, context);
    const cost = { requests: 0, timeouts: 0 };
    let last: SnmpError | undefined;
    for (const credential of offered) {
      const agent = this.#agents.agent(target, credential);
      const attempt = await this.#attempt(question, known, agent, context);
      cost.requests += agent.cost.requests;
      cost.timeouts += agent.cost.timeouts;
      if ('reading' in attempt) {
        known.sticky = credential.name;
        known.refused.delete(credential.name);
        const { identity, groups, problems } = attempt.reading;
        return begin.end({
          evidence: { kind: 'answered' },
          groups,
          problems,
          ...(identity ? { identity: withClass(identity, target) } : {}),
          ...cost,
        });
      }
      last = attempt.error;
      known.tries += 1;
      if (isRefusal(last)) known.refused.set(credential.name, context.clock.monotonicNow());
      if (context.signal.aborted) break;
    }
    if (!last)
      return begin.end({
        evidence: { kind: 'could-not-tell', reason: 'no credentials' },
        problems: [target.credentials.length === 0 ? noCredentials(target) : allRefused(target)],
      });
    return begin.end({ evidence: evidenceOf(last), problems: [last], ...cost });
  }

  /** All in order the first time, then one per cycle; those refused lately not at all. */
  #offered(known: Known, target: Target, { clock }: CollectContext): readonly Credential[] {
    const working = stuck(known, target);
    if (working) return [working];
    const { credentials } = target;
    const now = clock.monotonicNow();
    const free = credentials.filter(({ name }) => {
      const at = known.refused.get(name);
      return at === undefined || now - at >= REFUSED_PAUSE;
    });
    if (known.tries < credentials.length) return free;
    const next = free[known.tries % Math.max(1, free.length)];
    return next ? [next] : [];
  }

  async #attempt(
    question: 'metrics' | 'inventory',
    known: Known,
    agent: PooledAgent,
    { clock, signal }: CollectContext,
  ): Promise<Attempt> {
    const at = clock.monotonicNow();
    try {
      return {
        reading: await readDevice({ agent, library: this.#library, question, memory: known.memory, at, signal }),
      };
    } catch (error) {
      return { error: asSnmpError(error, signal) };
    }
  }
}

function stuck({ sticky }: Known, { credentials }: Target): Credential | undefined {
  return sticky === undefined ? undefined : credentials.find(({ name }) => name === sticky);
}

type Rest = Partial<Observation> & Pick<Observation, 'evidence'>;

function beginning(question: Question, target: Target, { clock }: CollectContext): { end(rest: Rest): Observation } {
  const started = clock.monotonicNow();
  return {
    end: (rest) => ({
      device: target.name,
      collector: 'snmp',
      question,
      at: clock.wallNow(),
      took: (clock.monotonicNow() - started) as Milliseconds,
      groups: [],
      problems: [],
      requests: 0,
      timeouts: 0,
      ...rest,
    }),
  };
}

function withClass(
  identity: NonNullable<DeviceReading['identity']>,
  target: Target,
): NonNullable<DeviceReading['identity']> {
  return target.class ? { ...identity, class: target.class } : identity;
}

/** A fault of our own network says nothing about the device. */
function evidenceOf(error: SnmpError): Evidence {
  if (error.code === 'SNMP_NOT_SENT') return { kind: 'could-not-tell', reason: error.message };
  return { kind: 'silent' };
}

function isRefusal({ code }: SnmpError): boolean {
  return (
    code === 'SNMP_UNKNOWN_USER' ||
    code === 'SNMP_WRONG_AUTH_KEY' ||
    code === 'SNMP_DECRYPTION_ERROR' ||
    code === 'SNMP_PROBABLY_WRONG_PRIVACY_KEY'
  );
}

/** What a deadline cut off is told like a silence; anything else that is no SNMP fault is one of siteward. */
function asSnmpError(error: unknown, signal: AbortSignal): SnmpError {
  if (error instanceof SnmpError) return error;
  if (signal.aborted)
    return new SnmpError(
      'SNMP_OUT_OF_TIME',
      'the deadline of the cycle was over before the agent had answered',
      'if this repeats, give this device a longer interval',
      { answered: false, cause: error },
    );
  throw error;
}

function noCredentials({ name }: Target): Problem {
  return {
    code: 'SNMP_NO_CREDENTIALS',
    message: `nothing says how to ask ${name} by SNMP`,
    hint: 'add credentials: [NAME] to the device',
  };
}

function allRefused({ name }: Target): Problem {
  return {
    code: 'SNMP_ALL_REFUSED',
    message: `${name} refused every credential lately`,
    hint: 'correct user and keys; each is offered again after five minutes',
  };
}
