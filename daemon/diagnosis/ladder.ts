/**
 * Why a device does not answer, step by step: from the cable of the appliance to the counters of the device. What lies
 * below a rung that fails is asked all the same where its answer says more; a person reads the first one that is bad.
 */
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import type { Clock, Evidence, Observation, Problem, Target } from '#collectors/contract.ts';
import { ownGateway } from '#collectors/discovery/own-network.ts';
import type { Collectors } from '#collectors/registry.ts';
import { isAddress, type WatchedDevice } from '../inventory/watched.ts';

export const RUNGS = ['link', 'gateway', 'dns', 'echo', 'port', 'version', 'user', 'view', 'counters'] as const;
export type RungName = (typeof RUNGS)[number];

export interface Rung {
  readonly name: RungName;
  /** `unsure`: it may be a fault, and may be meant so. `skipped`: nothing to ask. */
  readonly outcome: 'good' | 'bad' | 'unsure' | 'skipped';
  readonly message: string;
  readonly hint?: string;
}

export interface LadderOptions {
  readonly clock: Clock;
  readonly collectors: Pick<Collectors, 'icmp' | 'snmp' | 'tcp'>;
  readonly signal: AbortSignal;
}

type Step = Omit<Rung, 'name'>;

/** Climbs the ladder for a device that is watched. Asks nothing but that device and the appliance's own gateway. */
export async function* climb(device: WatchedDevice, options: LadderOptions): AsyncGenerator<Rung> {
  yield { name: 'link', ...link() };
  yield { name: 'gateway', ...(await gateway(options)) };
  const { step, address } = await name(device);
  yield { name: 'dns', ...step };
  if (address === undefined) return;
  const target = { ...device.target, address };
  yield { name: 'echo', ...(await echo(target, options)) };
  yield { name: 'port', ...(await ports(target, options)) };
  if (target.credentials.length === 0) {
    const message = 'the device has no SNMP credentials, so only echo requests and ports are asked';
    yield { name: 'version', outcome: 'skipped', message };
    return;
  }
  const observation = await ask('inventory', options.collectors.snmp, target, options);
  for (const name of ['version', 'user', 'view', 'counters'] as const)
    yield { name, ...snmpStep(name, target, observation) };
}

function link(): Step {
  const running = Object.entries(networkInterfaces()).filter(([, entries]) =>
    entries?.some(({ internal }) => !internal),
  );
  if (running.length === 0)
    return {
      outcome: 'unsure',
      message: 'no network interface of this appliance has an address but loopback',
      hint: 'look at the cable and the port of the switch, then at the address settings of the appliance',
    };
  const shown = running.map(([name, entries]) => `${name} (${entries?.[0]?.address})`).slice(0, 4);
  return { outcome: 'good', message: `this appliance is connected by ${shown.join(', ')}` };
}

async function gateway(options: LadderOptions): Promise<Step> {
  const address = await ownGateway();
  if (address === undefined)
    return { outcome: 'skipped', message: 'this appliance has no gateway: it reaches its own network only' };
  const target: Target = { name: '', address, snmpPort: 161, tcpPorts: [], credentials: [] };
  const { evidence } = await ask('alive', options.collectors.icmp, target, options);
  if (evidence.kind === 'answered') return { outcome: 'good', message: `the gateway ${address} answers` };
  return {
    outcome: 'unsure',
    message: `the gateway ${address} does not answer echo requests`,
    hint: 'some gateways never do; if other networks cannot be reached either, look at the gateway first',
  };
}

async function name({ host }: WatchedDevice): Promise<{ step: Step; address?: string }> {
  if (isAddress(host))
    return { step: { outcome: 'skipped', message: `${host} is an address, no name is needed` }, address: host };
  try {
    const { address } = await lookup(host);
    return { step: { outcome: 'good', message: `${host} is ${address}` }, address };
  } catch (error) {
    return {
      step: {
        outcome: 'bad',
        message: `${host} cannot be resolved: ${error instanceof Error ? error.message : error}`,
        hint: 'correct the name in the config, or write the address; look at the DNS server of this appliance',
      },
    };
  }
}

async function echo(target: Target, options: LadderOptions): Promise<Step> {
  const observation = await ask('alive', options.collectors.icmp, target, options);
  switch (observation.evidence.kind) {
    case 'answered': {
      const readings = observation.groups.flatMap(({ readings }) => readings);
      const mean = readings.find(
        ({ metric, labels }) => metric === 'siteward_icmp_rtt_seconds' && labels['stat'] === 'mean',
      );
      const time = mean === undefined ? '' : ` in ${(Number(mean.value) * 1000).toFixed(1)} ms`;
      return { outcome: 'good', message: `${target.address} answers echo requests${time}` };
    }
    case 'silent':
      return {
        outcome: 'unsure',
        message: `${target.address} does not answer echo requests`,
        hint: 'it is off, gone from the network, or told not to answer: see whether the next steps are answered',
      };
    case 'could-not-tell':
      return couldNotTell(observation.evidence, observation.problems);
    default:
      return observation.evidence satisfies never;
  }
}

async function ports(target: Target, options: LadderOptions): Promise<Step> {
  if (target.tcpPorts.length === 0) return { outcome: 'skipped', message: 'no TCP port of it is checked' };
  const { evidence, problems } = await ask('alive', options.collectors.tcp, target, options);
  const list = target.tcpPorts.join(', ');
  if (evidence.kind === 'answered') return { outcome: 'good', message: `TCP ${list} takes connections` };
  if (evidence.kind === 'could-not-tell') return couldNotTell(evidence, problems);
  return {
    outcome: 'bad',
    message: problems[0]?.message ?? `TCP ${list} takes no connection`,
    hint: problems[0]?.hint ?? 'look at the service on the device and at what filters on the way',
  };
}

/** Codes that stop at a rung. What answered with a fault of a higher rung has passed the lower ones. */
const STOPS: Readonly<Record<string, RungName>> = {
  SNMP_TIMEOUT: 'version',
  SNMP_NOT_SENT: 'version',
  SNMP_UNKNOWN_USER: 'user',
  SNMP_WRONG_AUTH_KEY: 'user',
  SNMP_PROBABLY_WRONG_PRIVACY_KEY: 'user',
  SNMP_DECRYPTION_ERROR: 'user',
  SNMP_NOT_IN_TIME_WINDOW: 'user',
  SNMP_UNSUPPORTED_SECURITY_LEVEL: 'user',
  SNMP_UNKNOWN_CONTEXT: 'user',
  SNMP_ENGINE_ID_CHANGES: 'user',
  SNMP_VIEW_TOO_SMALL: 'view',
  SNMP_NO_SUCH_OBJECT: 'view',
  SNMP_TOO_BIG: 'view',
  SNMP_GENERAL_ERROR: 'view',
  PROFILE_NONE: 'counters',
  SNMP_PARTIAL: 'counters',
  SNMP_OUT_OF_TIME: 'counters',
};
const ORDER: readonly RungName[] = ['version', 'user', 'view', 'counters'];

function snmpStep(rung: RungName, target: Target, { evidence, problems, groups, identity }: Observation): Step {
  if (evidence.kind === 'could-not-tell')
    return rung === 'version' ? couldNotTell(evidence, problems) : { outcome: 'skipped', message: 'not asked' };
  const problem = problems.find(({ code }) => STOPS[code] !== undefined);
  const stop = problem && STOPS[problem.code];
  if (problem && stop === rung)
    return { outcome: rung === 'counters' ? 'unsure' : 'bad', message: problem.message, hint: problem.hint };
  if (stop !== undefined && ORDER.indexOf(rung) > ORDER.indexOf(stop))
    return { outcome: 'skipped', message: 'not reached' };
  const versions = [...new Set(target.credentials.map(({ version }) => `v${version}`))].join(', ');
  switch (rung) {
    case 'version':
      return { outcome: 'good', message: `its agent answers on UDP ${target.snmpPort} (${versions})` };
    case 'user':
      return {
        outcome: 'good',
        message: `it takes the credential (${target.credentials.map(({ name }) => name).join(', ')})`,
      };
    case 'view':
      return {
        outcome: 'good',
        message: `it says what it is: ${identity?.sysDescr?.slice(0, 120) ?? identity?.profile ?? 'known'}`,
      };
    default: {
      const count = groups.reduce((sum, { readings }) => sum + readings.length, 0);
      return count > 0
        ? { outcome: 'good', message: `${count} readings by the profile ${identity?.profile ?? ''}` }
        : {
            outcome: 'bad',
            message: 'it answers, and no reading could be made of what it says',
            hint: 'record it with `siteward profiles record ADDRESS` and write a profile (docs/profiles.md)',
          };
    }
  }
}

function couldNotTell({ reason }: Extract<Evidence, { kind: 'could-not-tell' }>, problems: readonly Problem[]): Step {
  const hint = problems[0]?.hint;
  return { outcome: 'unsure', message: `could not ask: ${reason}`, ...(hint === undefined ? {} : { hint }) };
}

async function ask(
  question: 'alive' | 'inventory',
  collector: Collectors[keyof Collectors],
  target: Target,
  { clock, signal }: LadderOptions,
): Promise<Observation> {
  const [observation] = await collector.collect(question, [target], { clock, signal });
  if (!observation) throw new Error(`the collector ${collector.name} gave no observation`);
  return observation;
}
