/** What a new sight of a device changes in what is kept of it, and what of that is worth telling. Pure. */
import type { WallTime } from '#collectors/contract.ts';
import type { OpenPort } from '#collectors/discovery/nmap.ts';
import type { Found } from './found.ts';
import type { Evidence } from './identity.ts';
import type { DeviceRecord, Doubt, EventKind, InventoryEvent } from './record.ts';

export interface Changes {
  readonly record: DeviceRecord;
  readonly events: readonly InventoryEvent[];
}

export interface SeenContext {
  readonly now: WallTime;
  /** Name of the configured range of an address. */
  readonly rangeOf: (address: string) => string | undefined;
  /** Whether the address was asked this time. */
  readonly scanned: (address: string) => boolean;
  readonly doubts: readonly Doubt[];
}

const MOST_HINTS = 8;

/** A device that was not known. */
export function firstSeen(id: string, found: Found, { now, rangeOf, doubts }: SeenContext): Changes {
  const addresses = found.sightings.map(({ address }) => address);
  const range = rangeOf(addresses[0] ?? '');
  const facts = told(found);
  const record: DeviceRecord = {
    id,
    state: 'candidate',
    addresses,
    silent: [],
    snmpPort: found.sightings[0]?.snmpPort ?? 161,
    ...(range !== undefined && { range }),
    evidence: found.evidence,
    ...facts,
    settings: {},
    doubts,
    firstSeen: now,
    lastSeen: now,
  };
  return { record, events: isBare(record) ? [] : [newEvent(record, now)] };
}

/** An address of which nothing is known but that something answers there: no device yet, and no news. */
export function isBare({ evidence, identity, hints, ports, agent }: DeviceRecord): boolean {
  const knowsNothing = Object.keys(evidence).length === 0 && !identity && hints.length === 0 && ports.length === 0;
  return knowsNothing && (agent === 'silent' || agent === 'held-back');
}

function newEvent(record: DeviceRecord, now: WallTime): InventoryEvent {
  const { addresses, identity, evidence } = record;
  const detail = {
    address: addresses[0] ?? '',
    class: identity?.class ?? '',
    model: evidence.model ?? '',
    ...(record.credential && { credential: credentialText(record) }),
  };
  return event(record, now, 'new', detail);
}

/** A known device, seen again. Facts that it told this time replace what it told before; what it left out stays. */
export function seenAgain(before: DeviceRecord, found: Found, context: SeenContext): Changes {
  const { now, rangeOf, scanned, doubts } = context;
  const sighted = found.sightings.map(({ address }) => address as string);
  const kept = before.addresses.filter(
    (address) => sighted.includes(address) || (!before.silent.includes(address) && !scanned(address)),
  );
  const addresses = [...new Set([...kept, ...sighted])];
  const range = rangeOf(addresses[0] ?? '') ?? before.range;
  const facts = told(found);
  const { gone: _gone, ...present } = before;
  const record: DeviceRecord = {
    ...present,
    addresses,
    silent: [],
    snmpPort: found.sightings[0]?.snmpPort ?? before.snmpPort,
    ...(range !== undefined && { range }),
    evidence: { ...before.evidence, ...found.evidence },
    ...facts,
    agent: facts.agent === 'held-back' ? before.agent : facts.agent,
    hints: [...new Set([...facts.hints, ...before.hints])].slice(0, MOST_HINTS),
    ports: facts.ports.length > 0 ? facts.ports : before.ports,
    doubts,
    lastSeen: now,
  };
  return { record, events: differences(before, record, now) };
}

/** What its sightings tell together: the first that has an answer speaks for all of them. */
function told(found: Found): Pick<DeviceRecord, 'identity' | 'credential' | 'agent' | 'hints' | 'ports'> {
  const speaker =
    found.sightings.find(({ identity }) => identity) ?? found.sightings.find(({ credential }) => credential);
  const first = speaker ?? found.sightings[0];
  const hints = found.sightings.flatMap(({ names }) => names.map(({ name }) => name));
  return {
    ...(speaker?.identity && {
      identity: {
        class: speaker.identity.class,
        profile: speaker.identity.profile,
        ...(speaker.identity.version !== undefined && { version: speaker.identity.version }),
      },
    }),
    ...(speaker?.credential && { credential: speaker.credential }),
    agent: first?.agent ?? 'silent',
    hints: [...new Set(hints)].slice(0, MOST_HINTS),
    ports: found.sightings.find(({ ports }) => ports.length > 0)?.ports ?? [],
  };
}

function differences(before: DeviceRecord, after: DeviceRecord, now: WallTime): InventoryEvent[] {
  const events: InventoryEvent[] = [];
  const tell = (kind: EventKind, detail: InventoryEvent['detail']) => events.push(event(after, now, kind, detail));
  if (before.state === 'candidate' && isBare(before) && !isBare(after)) events.push(newEvent(after, now));
  if (before.gone !== undefined) tell('returned', { since: new Date(before.gone).toISOString() });
  const [from = '', to = ''] = [before.addresses[0], after.addresses[0]];
  if (before.range !== undefined && after.range !== before.range)
    tell('moved', { from: before.range, to: after.range ?? '', address: to });
  else if (from !== to) tell('re-addressed', { from, to });
  const versions = [before.identity?.version, after.identity?.version];
  if (versions[0] !== undefined && versions[1] !== undefined && versions[0] !== versions[1])
    tell('firmware-changed', { from: versions[0], to: versions[1] });
  const ports = [portsText(before.ports), portsText(after.ports)];
  if (before.ports.length > 0 && ports[0] !== ports[1])
    tell('ports-changed', { from: ports[0] ?? '', to: ports[1] ?? '' });
  const facts = factChanges(before.evidence, after.evidence);
  if (Object.keys(facts).length > 0) tell('identity-changed', facts);
  if (before.credential && after.credential && before.credential.name !== after.credential.name)
    tell('credential-changed', { from: credentialText(before), to: credentialText(after) });
  if (before.credential && before.agent !== 'refused' && after.agent === 'refused')
    tell('credential-refused', { credential: credentialText(before) });
  return events;
}

/** Facts that were told before and are told otherwise now, as `old -> new`. */
function factChanges(before: Evidence, after: Evidence): Record<string, string> {
  const changes: Record<string, string> = {};
  for (const key of ['serial', 'vendor', 'engineId', 'sysName', 'model'] as const) {
    const [old, fresh] = [before[key], after[key]];
    if (old !== undefined && fresh !== undefined && old !== fresh) changes[key] = `${old} -> ${fresh}`;
  }
  const [old = [], fresh = []] = [before.macs, after.macs];
  if (old.length > 0 && fresh.length > 0 && !old.some((mac) => fresh.includes(mac)))
    changes['macs'] = `${old.slice(0, 4).join(' ')} -> ${fresh.slice(0, 4).join(' ')}`;
  return changes;
}

export function credentialText({ credential }: Pick<DeviceRecord, 'credential'>): string {
  return credential ? `${credential.name} (v${credential.version})` : 'none';
}

function portsText(ports: readonly OpenPort[]): string {
  return ports
    .map(({ protocol, port }) => `${protocol}/${port}`)
    .toSorted()
    .join(' ');
}

export function event(
  { id }: Pick<DeviceRecord, 'id'>,
  at: WallTime,
  kind: EventKind,
  detail: InventoryEvent['detail'],
): InventoryEvent {
  return { at, device: id, kind, detail };
}
