/**
 * All that is known of the site's devices, in memory. Takes what was seen and gives what changed; keeping it on disk and
 * watching what is adopted is for others. Everything that decides is pure and lies in other files.
 */
import { randomBytes } from 'node:crypto';
import type { Identity, WallTime } from '#collectors/contract.ts';
import type { Sighting } from '#collectors/discovery/scan.ts';
import { SitewardError } from '#config/errors.ts';
import { event, firstSeen, seenAgain } from './changes.ts';
import { found } from './found.ts';
import { compare } from './identity.ts';
import { type Match, matches } from './match.ts';
import { type AdoptedSettings, type DeviceRecord, evidenceOf, type InventoryEvent } from './record.ts';

/** What a step changed: records to be written, events to be told. */
export interface BookChanges {
  readonly records: readonly DeviceRecord[];
  readonly events: readonly InventoryEvent[];
  /** By record: what was seen of it this time. */
  readonly seen: ReadonlyMap<string, readonly Sighting[]>;
}

export interface ScanContext {
  readonly now: WallTime;
  readonly rangeOf: (address: string) => string | undefined;
  readonly scanned: (address: string) => boolean;
}

/** Seen so lately, a device elsewhere counts as being there at the same time. */
const SAME_TIME = 86_400_000;

export class Book {
  readonly #records: Map<string, DeviceRecord>;
  readonly #newId: () => string;

  constructor(records: readonly DeviceRecord[] = [], newId = () => randomBytes(8).toString('hex')) {
    this.#records = new Map(records.map((record) => [record.id, record]));
    this.#newId = newId;
  }

  all(): readonly DeviceRecord[] {
    return [...this.#records.values()];
  }

  get(id: string): DeviceRecord | undefined {
    return this.#records.get(id);
  }

  named(name: string): DeviceRecord | undefined {
    return this.#records.values().find((record) => record.name === name);
  }

  /** The device that is known at an address. */
  at(address: string): DeviceRecord | undefined {
    const here = this.all().filter((record) => record.state !== 'joined' && record.addresses.includes(address));
    return here.find(({ addresses }) => addresses[0] === address) ?? here[0];
  }

  names(): ReadonlySet<string> {
    return new Set(this.all().flatMap(({ name }) => name ?? []));
  }

  /** Takes what a scan, or a slice of one, has seen. */
  ingest(sightings: readonly Sighting[], { now, rangeOf, scanned }: ScanContext): BookChanges {
    const before = this.all();
    const sighted = new Set<string>(sightings.map(({ address }) => address));
    const elsewhere = before.filter(
      ({ lastSeen, addresses }) => now - lastSeen < SAME_TIME && !addresses.some((address) => sighted.has(address)),
    );
    const pinned = new Map(
      before.flatMap((record) => (record.pinned === undefined ? [] : [[record.pinned, record] as const])),
    );
    const results = [
      ...sightings.flatMap((sighting): Match[] => {
        const record = pinned.get(sighting.address);
        const alone = { sightings: [sighting], evidence: evidenceOf(sighting), doubts: [] };
        return record ? [{ found: alone, record, doubts: [] }] : [];
      }),
      ...matches(
        found(
          sightings.filter(({ address }) => !pinned.has(address)),
          elsewhere.map(({ evidence }) => evidence),
        ),
        before.filter((record) => record.pinned === undefined),
      ),
    ];
    const steps = results.map(({ found: each, record, doubts }) => {
      const context = { now, rangeOf, scanned, doubts };
      const change = record ? seenAgain(record, each, context) : firstSeen(this.#newId(), each, context);
      return { ...change, sightings: each.sightings };
    });
    const owner = new Map(
      steps.flatMap(({ record, sightings: own }) => own.map(({ address }) => [address as string, record])),
    );
    const changed = new Set(steps.map(({ record }) => record.id));
    const left = before.filter(({ id, state }) => !changed.has(id) && state !== 'joined');
    const displaced = left.flatMap((record) => displacedBy(record, owner, scanned, now));
    return this.#apply(
      [...steps.map(({ record }) => record), ...displaced.map(({ record }) => record)],
      [...steps.flatMap(({ events }) => events), ...displaced.flatMap(({ events }) => events)],
      new Map(steps.map(({ record, sightings: own }) => [record.id, own])),
    );
  }

  /** What a poll learnt of a watched device. An address that turns out to be another device's is taken from it. */
  learn(name: string, address: string, identity: Identity, now: WallTime): BookChanges {
    const record = this.named(name);
    if (!record) return this.#apply([], []);
    const evidence = evidenceOf({ identity });
    const verdict = compare(record.evidence, evidence);
    const isReplaced = verdict.kind === 'different' && verdict.against.includes('serial');
    const replaced = isReplaced
      ? [event(record, now, 'replaced', { address, serial: `${record.evidence.serial} -> ${evidence.serial}` })]
      : [];
    // Another device is there now. Where this one is, only a scan can tell; until then it has no address to be asked at.
    if (isReplaced && record.state === 'adopted') {
      if (!record.addresses.includes(address)) return this.#apply([], []);
      return this.#apply([{ ...record, addresses: record.addresses.filter((each) => each !== address) }], replaced);
    }
    const next: DeviceRecord = {
      ...record,
      addresses: record.addresses.includes(address) ? record.addresses : [address, ...record.addresses],
      silent: record.silent.filter((each) => each !== address),
      // The config says that what is there bears this name, so nothing of the one before is kept.
      evidence: isReplaced ? evidence : { ...record.evidence, ...evidence },
      identity: {
        class: identity.class,
        profile: identity.profile,
        ...(identity.version !== undefined && { version: identity.version }),
      },
      lastSeen: now,
    };
    const version = record.identity?.version;
    const isNewFirmware = version !== undefined && identity.version !== undefined && version !== identity.version;
    const events = isNewFirmware
      ? [event(record, now, 'firmware-changed', { from: version, to: identity.version ?? '' })]
      : [];
    const same = JSON.stringify({ ...record, lastSeen: 0 }) === JSON.stringify({ ...next, lastSeen: 0 });
    // A new time alone is not worth a write: a scan or a change brings it.
    if (same) {
      this.#records.set(next.id, next);
      return this.#apply([], []);
    }
    return this.#apply([next], [...replaced, ...events]);
  }

  /** Devices that the config names: they are known under that name, wherever their evidence is found. */
  configure(devices: readonly { name: string; address: string; port: number }[], now: WallTime): BookChanges {
    const names = new Set(devices.map(({ name }) => name));
    const dropped = this.all()
      .filter(({ state, name }) => state === 'configured' && !names.has(name ?? ''))
      .map(({ name: _name, ...record }): DeviceRecord => ({ ...record, state: 'candidate' }));
    const changed = devices.flatMap((device): DeviceRecord[] => {
      const known = this.named(device.name) ?? this.#unnamedAt(device.address);
      if (!known) return [configuredRecord(this.#newId(), device, now)];
      if (known.state === 'configured' && known.name === device.name && known.addresses.length > 0) return [];
      const addresses = known.addresses.length > 0 ? known.addresses : [device.address];
      return [{ ...known, state: 'configured', name: device.name, addresses }];
    });
    return this.#apply([...dropped, ...changed], []);
  }

  adopt(id: string, name: string, settings: AdoptedSettings, now: WallTime, by: string): BookChanges {
    const record = this.#waiting(id);
    if (this.names().has(name) && record.name !== name)
      throw new SitewardError('NAME_TAKEN', `there is a device ${name} already`, 'write another name');
    const next: DeviceRecord = { ...record, state: 'adopted', name, settings, doubts: [] };
    return this.#apply([next], [event(next, now, 'adopted', { name, by })]);
  }

  /** Ignored for ever, until it changes: a device with other evidence is another one. */
  ignore(id: string, now: WallTime, by: string): BookChanges {
    const record = this.#waiting(id);
    return this.#apply([{ ...record, state: 'ignored' }], [event(record, now, 'ignored', { by })]);
  }

  /** A person says that `id` is the device `into`: that one goes on, at the address and with the evidence of this one. */
  join(id: string, into: string, now: WallTime, by: string): BookChanges {
    const record = this.#waiting(id);
    const goesOn = this.get(into) ?? this.named(into);
    if (!goesOn || goesOn.id === id || goesOn.state === 'joined')
      throw new SitewardError(
        'NO_SUCH_DEVICE',
        `there is no other device ${JSON.stringify(into)}`,
        'write the name of a device',
      );
    const { credential } = record;
    const next: DeviceRecord = {
      ...goesOn,
      addresses: record.addresses,
      silent: record.silent,
      snmpPort: record.snmpPort,
      evidence: { ...goesOn.evidence, ...record.evidence },
      ...(record.identity && { identity: record.identity }),
      ...(record.range !== undefined && { range: record.range }),
      ...(credential && { credential }),
      agent: record.agent,
      doubts: [],
      lastSeen: now,
    };
    const { name: _name, ...nameless } = record;
    return this.#apply(
      [next, { ...nameless, state: 'joined', into: next.id, addresses: [], doubts: [] }],
      [
        event(record, now, 'joined', { into: next.id, by }),
        event(next, now, 'joined', { from: record.id, by, address: record.addresses[0] ?? '' }),
      ],
    );
  }

  /** A person says that what is at this address is not the device that it was taken for. */
  split(id: string, address: string, now: WallTime, by: string): BookChanges {
    const record = this.get(id);
    if (!record?.addresses.includes(address))
      throw new SitewardError('NO_SUCH_DEVICE', `no such device is known at ${address}`, 'write one of its addresses');
    const { name: _name, credential: _credential, ...rest } = record;
    const fresh: DeviceRecord = {
      ...rest,
      id: this.#newId(),
      state: 'candidate',
      addresses: [address],
      silent: [],
      pinned: address,
      evidence: {},
      settings: {},
      doubts: [],
      firstSeen: now,
      lastSeen: now,
    };
    const addresses = record.addresses.filter((each) => each !== address);
    return this.#apply(
      [{ ...record, addresses }, fresh],
      [
        event(record, now, 'split', { address, into: fresh.id, by }),
        event(fresh, now, 'split', { address, from: record.id, by }),
      ],
    );
  }

  /** Marks what has not been seen for `after` milliseconds as gone. */
  miss(isDue: (record: DeviceRecord) => boolean, after: number, now: WallTime): BookChanges {
    const missed = this.all().filter(
      (record) =>
        record.gone === undefined && record.state !== 'joined' && now - record.lastSeen >= after && isDue(record),
    );
    return this.#apply(
      missed.map((record) => ({ ...record, gone: record.lastSeen })),
      missed.map((record) => event(record, now, 'gone', { address: record.addresses[0] ?? '' })),
    );
  }

  /** Replaces records by others of the same id, such as those with a better guess of their parent. */
  update(records: readonly DeviceRecord[]): BookChanges {
    return this.#apply(records, []);
  }

  #apply(
    records: readonly DeviceRecord[],
    events: readonly InventoryEvent[],
    seen: BookChanges['seen'] = new Map(),
  ): BookChanges {
    for (const record of records) this.#records.set(record.id, record);
    return { records, events, seen };
  }

  #waiting(id: string): DeviceRecord {
    const record = this.get(id);
    if (record && (record.state === 'candidate' || record.state === 'ignored')) return record;
    throw new SitewardError(
      'NO_SUCH_DISCOVERY',
      record ? `${record.name ?? id} is a device already` : `there is no discovery ${JSON.stringify(id)}`,
      'GET /api/v1/discoveries lists them',
    );
  }

  #unnamedAt(address: string): DeviceRecord | undefined {
    return this.all().find(
      ({ state, addresses }) => (state === 'candidate' || state === 'ignored') && addresses.includes(address),
    );
  }
}

function displacedBy(
  record: DeviceRecord,
  owner: ReadonlyMap<string, DeviceRecord>,
  scanned: (address: string) => boolean,
  now: WallTime,
): { readonly record: DeviceRecord; readonly events: readonly InventoryEvent[] }[] {
  // Somebody in doubt shares the address until a person has decided.
  const isTaken = (address: string) => {
    const other = owner.get(address);
    return other !== undefined && !other.doubts.some(({ device }) => device === record.id);
  };
  const addresses = record.addresses.filter((address) => !isTaken(address));
  const silent = addresses.filter((address) => scanned(address) && !owner.has(address));
  const lost = record.addresses.filter(isTaken);
  if (lost.length === 0 && silent.every((address) => record.silent.includes(address))) return [];
  const events = lost.map((address) => event(record, now, 'replaced', { address, by: owner.get(address)?.id ?? '' }));
  return [{ record: { ...record, addresses, silent: [...new Set([...record.silent, ...silent])] }, events }];
}

function configuredRecord(
  id: string,
  { name, address, port }: { name: string; address: string; port: number },
  now: WallTime,
): DeviceRecord {
  return {
    id,
    state: 'configured',
    name,
    addresses: [address],
    silent: [],
    snmpPort: port,
    evidence: {},
    hints: [],
    ports: [],
    agent: 'silent',
    settings: {},
    doubts: [],
    firstSeen: now,
    lastSeen: now,
  };
}
