/** The contract's JSON of `discover`. */
import type { Sighting } from '#collectors/discovery/scan.ts';
import type { Found } from './found.ts';

/** A found device as it is printed. */
export interface FoundRow {
  readonly address: string;
  readonly addresses: readonly string[];
  readonly mac: string | null;
  readonly class: string | null;
  readonly vendor: string | null;
  readonly model: string | null;
  readonly serial: string | null;
  readonly sys_name: string | null;
  readonly profile: string | null;
  /** How it was found, and what is lacking. */
  readonly reason: string;
  /** Name of the device that it is, where it is known. */
  readonly known_as: string | null;
  readonly version: string | null;
  readonly names: readonly string[];
  readonly open_ports: readonly string[];
  readonly credential: string | null;
  /** What adoption would make of it. */
  readonly adoption: { readonly adopt: boolean; readonly name: string | null; readonly reason: string };
}

/** An echo reply and nothing else is an address, not a device. */
export function isDevice({ sightings, evidence }: Found): boolean {
  return (
    sightings.some(
      ({ identity, ports, names, agent }) =>
        identity || ports.length > 0 || names.length > 0 || agent === 'refused' || agent === 'answered',
    ) || (evidence.macs?.length ?? 0) > 0
  );
}

export function foundRow(found: Found, knownAs: string | undefined, adoption: FoundRow['adoption']): FoundRow {
  const { sightings, evidence } = found;
  const speaker = sightings.find(({ identity }) => identity);
  const { class: deviceClass, profile, version } = speaker?.identity ?? {};
  return {
    address: sightings[0]?.address ?? '',
    addresses: sightings.map(({ address }) => address),
    mac: sightings.find(({ mac }) => mac !== undefined)?.mac ?? evidence.macs?.[0] ?? null,
    class: deviceClass ?? null,
    vendor: evidence.vendor ?? null,
    model: evidence.model ?? null,
    serial: evidence.serial ?? null,
    sys_name: evidence.sysName ?? null,
    profile: profile ?? null,
    reason: reasonOf(sightings),
    known_as: knownAs ?? null,
    version: version ?? null,
    names: [...new Set(sightings.flatMap(({ names }) => names.map(({ name }) => name)))],
    open_ports: [
      ...new Set(sightings.flatMap(({ ports }) => ports.map(({ protocol, port }) => `${protocol}/${port}`))),
    ],
    credential: speaker?.credential?.name ?? null,
    adoption,
  };
}

/** In one sentence: what answered, and what would tell more. */
export function reasonOf(sightings: readonly Sighting[]): string {
  const speaker =
    sightings.find(({ identity }) => identity) ?? sightings.find(({ agent }) => agent !== 'silent') ?? sightings[0];
  if (!speaker) return 'nothing answered';
  const { agent, credential, echo, mac, ports, problem, identity } = speaker;
  const seen = echo ? 'answers echo requests' : mac !== undefined ? 'answers ARP' : 'is there';
  switch (agent) {
    case 'answered':
      return identity
        ? `SNMPv${credential?.version} with ${credential?.name} told who it is`
        : `SNMP answers, but could not be read: ${problem?.message ?? 'no profile fits'}`;
    case 'refused':
      return `an SNMP agent refuses the credential: ${problem?.message ?? 'no access'}`;
    case 'held-back':
      return `${seen}; no credential was offered, since a wrong one was less than five minutes ago`;
    case 'silent':
      return `${seen}; SNMP is silent${portHint(ports)}`;
    default:
      return agent satisfies never;
  }
}

/** What open ports suggest: a guess, so it is a sentence and no class. */
function portHint(ports: Sighting['ports']): string {
  const open = new Set(ports.map(({ port }) => port));
  if (open.has(9100) || open.has(515) || open.has(631)) return '; its ports are those of a printer';
  if (open.has(8006)) return '; its ports are those of a hypervisor';
  if (open.has(3389) || open.has(445) || open.has(135)) return '; its ports are those of a Windows machine';
  if (open.has(554)) return '; its ports are those of a camera';
  if (open.size > 0) return `; open: ${ports.map(({ protocol, port }) => `${protocol}/${port}`).join(' ')}`;
  return '';
}
