import { lookup } from 'node:dns/promises';
import type { Milliseconds, Target } from '#collectors/contract.ts';
import { createCollectors } from '#collectors/registry.ts';
import { SitewardError } from '#config/errors.ts';
import type { LoadedConfig } from '#config/load.ts';
import type { Credential } from '#config/schema.ts';
import { Secret } from '#config/secret.ts';
import { systemClock } from '../clock.ts';
import { isAddress } from '../inventory/watched.ts';
import { profileLibrary } from '../profile-library.ts';
import { configIfAny } from './config-if-any.ts';
import { pollJson } from './poll-json.ts';
import { showObservation } from './poll-text.ts';
import { plain } from './readings-text.ts';
import { EXIT, type Options, type RunVerb, textOption } from './verb.ts';

/** A person waits for it: a slow device gets longer than in the daemon's cycle, a dead one does not. */
const DEADLINE = 60_000 as Milliseconds;

export const run: RunVerb = async (io, [address = ''], options) => {
  const loaded = configIfAny(io, options);
  const target = await targetOf(address, options, loaded);
  const collectors = createCollectors({
    clock: systemClock,
    profiles: (await profileLibrary(loaded)).library,
    maxPacketsPerSecond: loaded?.config.polling.max_packets_per_second ?? 500,
  });
  try {
    const signal = AbortSignal.any([io.signal, systemClock.timeout(DEADLINE)]);
    const [observation] = await collectors.snmp.collect('inventory', [target], { clock: systemClock, signal });
    if (!observation) throw new Error('the SNMP collector gave no observation');
    if (options.json) io.out(`${JSON.stringify(pollJson(target, observation), null, 2)}\n`);
    else showObservation(io, target, observation);
    return observation.evidence.kind === 'answered' ? EXIT.done : EXIT.failed;
  } finally {
    await Promise.all(Object.values(collectors).map((collector) => collector.close()));
  }
};

/** The device that a person means by an address, a host name or a name of the config, and how to ask it. */
export async function targetOf(address: string, options: Options, loaded: LoadedConfig | undefined): Promise<Target> {
  const known = loaded?.config.devices.find((device) => device.name === address || device.address === address);
  const host = known?.address ?? address;
  return {
    name: known?.name ?? address,
    address: isAddress(host) ? host : await resolved(host),
    snmpPort: portOf(options) ?? known?.port ?? 161,
    tcpPorts: [],
    credentials: credentialsOf(options, loaded, known?.credentials),
    ...(known?.class ? { class: known.class } : {}),
  };
}

async function resolved(host: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw new SitewardError(
      'NO_SUCH_HOST',
      `${JSON.stringify(plain(host))} is not an address, and no name that can be resolved`,
      'write an IPv4 or IPv6 address, or the name of a device in the config',
      { cause: error },
    );
  }
}

function portOf(options: Options): number | undefined {
  const text = textOption(options, 'port');
  if (text === undefined) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return port;
  throw new SitewardError('BAD_PORT', `--port ${plain(text)} is not a port`, 'write 1 to 65535');
}

function credentialsOf(
  options: Options,
  loaded: LoadedConfig | undefined,
  ofDevice: readonly string[] | undefined,
): Credential[] {
  const community = textOption(options, 'community');
  if (community !== undefined) return [{ name: 'command line', version: '2c', community: new Secret(community) }];
  const known = loaded?.config.credentials ?? {};
  const name = textOption(options, 'credentials');
  if (name !== undefined && !Object.hasOwn(known, name)) {
    throw new SitewardError(
      'NO_SUCH_CREDENTIAL',
      `there is no ${JSON.stringify(plain(name))} under credentials`,
      `write one of: ${Object.keys(known).join(', ') || 'none is configured; use --community'}`,
    );
  }
  const names = name === undefined ? (ofDevice ?? Object.keys(known)) : [name];
  const found = names.flatMap((each): Credential[] => {
    const settings = known[each];
    return settings ? [{ ...settings, name: each }] : [];
  });
  if (found.length === 0)
    throw new SitewardError(
      'NO_CREDENTIAL',
      'nothing says how to ask this device',
      'add --community public, or --credentials NAME with a config that has it',
    );
  return found;
}
