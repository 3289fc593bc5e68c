/**
 * Who is who: whether two pieces of evidence are of one device. Pure, and symmetric: neither the order of facts nor the
 * order of devices changes a verdict. An address is no fact: devices move.
 */
import { saysNoSerial } from '#collectors/snmp/profile/text.ts';

/** What a device told of itself, or others told of it. */
export interface Evidence {
  readonly serial?: string;
  readonly vendor?: string;
  /** snmpEngineID as lower-case hex. */
  readonly engineId?: string;
  readonly macs?: readonly string[];
  readonly sysName?: string;
  readonly model?: string;
}

export type Fact = 'serial' | 'engine ID' | 'MAC' | 'sysName' | 'model';

/**
 * `same`: enough agrees, and hardly anything speaks against it. `different`: they contradict each other. `ambiguous`: some
 * things agree that should not, or too little: a person decides. `unrelated`: nothing is known that both have.
 */
export interface Verdict {
  readonly kind: 'same' | 'different' | 'ambiguous' | 'unrelated';
  readonly agree: readonly Fact[];
  readonly against: readonly Fact[];
}

/** Facts that more than one device has: cloned engine IDs, addresses of virtual routers, serials that are none. */
export interface Distrusted {
  readonly serials: ReadonlySet<string>;
  readonly engineIds: ReadonlySet<string>;
  readonly macs: ReadonlySet<string>;
}

export const NOTHING_DISTRUSTED: Distrusted = { serials: new Set(), engineIds: new Set(), macs: new Set() };

/** How much a fact weighs when it agrees, and when it does not. A serial weighs this only where its vendor agrees too. */
const FOR = { serial: 6, loneSerial: 3, 'engine ID': 2, MAC: 2, sysName: 1, model: 1 } as const;
const AGAINST = { serial: 5, vendor: 5, 'engine ID': 1, MAC: 2, sysName: 1, model: 3 } as const;
/** Without a serial, agreement must outweigh contradiction this many times over. */
const CLEAR = 2;

/** Compares two pieces of evidence. */
export function compare(left: Evidence, right: Evidence, distrusted: Distrusted = NOTHING_DISTRUSTED): Verdict {
  const a = voting(left, distrusted);
  const b = voting(right, distrusted);
  const facts = {
    serial: equal(a.serial, b.serial),
    model: equal(a.model, b.model),
    sysName: equal(a.sysName, b.sysName),
  };
  const engine = equal(a.engineId, b.engineId);
  const macs = sharedMacs(a.macs, b.macs);
  const agree: Fact[] = [];
  const against: Fact[] = [];
  const note = (fact: Fact, same: boolean | undefined) => {
    if (same !== undefined) (same ? agree : against).push(fact);
  };
  note('serial', facts.serial);
  note('engine ID', engine);
  note('MAC', macs);
  note('sysName', facts.sysName);
  note('model', facts.model);

  const vendor = equal(a.vendor, b.vendor);
  const serialWithVendor = facts.serial === true && vendor === true;
  const proof = serialWithVendor || independentPair(agree, a, b);
  const weightFor = agree.reduce(
    (sum, fact) => sum + (fact === 'serial' && !serialWithVendor ? FOR.loneSerial : FOR[fact]),
    0,
  );
  const weightAgainst = against.reduce((sum, fact) => sum + AGAINST[fact], 0) + (vendor === false ? AGAINST.vendor : 0);
  return { kind: judge({ proof, serialWithVendor, weightFor, weightAgainst, agree, against }), agree, against };
}

interface Weighed {
  readonly proof: boolean;
  readonly serialWithVendor: boolean;
  readonly weightFor: number;
  readonly weightAgainst: number;
  readonly agree: readonly Fact[];
  readonly against: readonly Fact[];
}

function judge({ proof, serialWithVendor, weightFor, weightAgainst, agree, against }: Weighed): Verdict['kind'] {
  if (proof) {
    if (weightFor > weightAgainst * (serialWithVendor ? 1 : CLEAR) || weightAgainst === 0) return 'same';
    return 'ambiguous';
  }
  // One fact that only one device should have: a person may know why the rest is missing or differs.
  if (agree.some((fact) => fact === 'serial' || fact === 'engine ID' || fact === 'MAC'))
    return weightAgainst >= AGAINST.serial ? 'different' : 'ambiguous';
  if (weightAgainst > 0) return 'different';
  return agree.length === 0 && against.length === 0 ? 'unrelated' : 'ambiguous';
}

/**
 * Whether two facts agree of which neither follows from the other. Engine IDs and names are often made from a MAC address,
 * names from the serial or the model; machines made from one template share engine ID, name and model.
 */
function independentPair(agree: readonly Fact[], a: Evidence, b: Evidence): boolean {
  const has = (fact: Fact) => agree.includes(fact);
  const macs = (a.macs ?? []).filter((mac) => b.macs?.includes(mac));
  const name = plain(a.sysName);
  const nameFromMac = macs.some((mac) => name.includes(plain(mac).slice(-6)));
  const nameFromSerial = has('serial') && a.serial !== undefined && name.includes(plain(a.serial));
  const nameFromModel = a.model !== undefined && (plain(a.model).includes(name) || name.includes(plain(a.model)));
  const engineFromMac = macs.some((mac) => a.engineId?.includes(hex(mac)));
  const engineFromName = a.sysName !== undefined && a.engineId?.includes(Buffer.from(a.sysName).toString('hex'));
  if (has('serial') && (has('engine ID') || has('MAC') || has('model') || (has('sysName') && !nameFromSerial)))
    return true;
  if (has('engine ID') && has('MAC') && !engineFromMac) return true;
  if (has('engine ID') && has('sysName') && !engineFromName && !nameFromModel) return true;
  if (has('MAC') && has('sysName') && !nameFromMac && !nameFromModel) return true;
  return has('MAC') && has('model');
}

/** The facts that may vote: no placeholders, nothing that several devices have. */
function voting(evidence: Evidence, distrusted: Distrusted): Evidence {
  const { serial, vendor, engineId, sysName, model } = evidence;
  const macs = (evidence.macs ?? []).filter((mac) => macVotes(mac) && !distrusted.macs.has(mac));
  const trusted = serial !== undefined && serialVotes(evidence) && !distrusted.serials.has(serialKey(evidence));
  return {
    ...(trusted && { serial: plain(serial) }),
    ...(vendor !== undefined && { vendor: plain(vendor) }),
    ...(engineId !== undefined && engineVotes(engineId) && !distrusted.engineIds.has(engineId) && { engineId }),
    ...(macs.length > 0 && { macs }),
    ...(sysName !== undefined && nameVotes(sysName, evidence) && { sysName: sysName.toLowerCase() }),
    ...(model !== undefined && { model: plain(model) }),
  };
}

/** What makers, and people who fill in forms, write where no serial is. */
const NO_SERIALS = new Set(
  `0123456789 123456789 1234567890 12345678 1234567 123456 00000001 SERIALNUMBER SERIAL SERIALNO DEFAULT DEFAULTSTRING
  TOBEFILLEDBYOEM SYSTEMSERIALNUMBER NOTAVAILABLE NOTSPECIFIED NOTAPPLICABLE UNKNOWN PRIVATE REMOVED HIDDEN XXXX TEST EMPTY
  BLANK INVALID OEM CHASSISSERIALNUMBER BASEBOARDSERIALNUMBER SNUNKNOWN NOSERIAL NOSERIALNUMBER ABCDEFGH`.split(/\s+/),
);
const SHORTEST_SERIAL = 4;

export function serialVotes({ serial = '', vendor, model, sysName }: Evidence): boolean {
  const text = plain(serial);
  if (saysNoSerial(serial) || /[<>]/.test(serial) || text.length < SHORTEST_SERIAL || NO_SERIALS.has(text))
    return false;
  // The name of the thing in place of its number.
  return text !== plain(vendor) && text !== plain(model) && (text !== plain(sysName) || /\d{3}/.test(text));
}

/** RFC 3411, section 5 asks for at least 5 octets; those of all zeros or all ones are nobody's. */
function engineVotes(engineId: string): boolean {
  return /^([0-9a-f]{2}){5,32}$/.test(engineId) && !/^(.{8})?(00|ff)+$/.test(engineId);
}

const SHARED_MACS = [
  '00:00:5e:00:01:', // VRRP, RFC 5798
  '00:00:5e:00:02:',
  '00:00:0c:07:ac:', // HSRP
  '00:00:0c:9f:f', // HSRP, version 2
  '00:07:b4:00:', // GLBP
  '02:42:', // Docker's bridges, made from addresses that every Docker has
  '00:09:0f:09:', // FortiGate clusters
];

function macVotes(mac: string): boolean {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) || SHARED_MACS.some((prefix) => mac.startsWith(prefix))) return false;
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0 && !/^(00:){5}|^(..)(:\2){5}$/.test(mac);
}

const NO_NAMES = new Set([
  'localhost',
  'localhost.localdomain',
  'unknown',
  'none',
  'default',
  'router',
  'switch',
  'server',
  'printer',
  'private',
  'snmpd',
  'linux',
]);

/** Whether a name is one that a person gave it, and not what it was delivered with. */
export function nameVotes(sysName: string, { vendor }: Pick<Evidence, 'vendor'>): boolean {
  const name = sysName.trim().toLowerCase();
  return name.length >= 3 && !NO_NAMES.has(name) && !/[<>]/.test(name) && plain(name) !== plain(vendor);
}

function equal(a: string | undefined, b: string | undefined): boolean | undefined {
  return a === undefined || b === undefined ? undefined : a === b;
}

function sharedMacs(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean | undefined {
  if (!a || !b) return undefined;
  return a.some((mac) => b.includes(mac));
}

function plain(text: string | undefined): string {
  return (text ?? '').toUpperCase().replace(/[^\p{L}\p{N}]/gu, '');
}

function hex(mac: string): string {
  return mac.replaceAll(':', '');
}

function serialKey({ vendor, serial }: Evidence): string {
  return `${plain(vendor)} ${plain(serial)}`;
}

/**
 * The facts that devices share although other facts tell them apart, found from all that is there at one time, so that a
 * cloned engine ID does not vote for the first two machines that have it either.
 */
export function distrustedIn(all: readonly Evidence[]): Distrusted {
  const shared = (keysOf: (evidence: Evidence) => readonly string[], apart: (a: Evidence, b: Evidence) => boolean) => {
    const owners = new Map<string, Evidence[]>();
    for (const evidence of all)
      for (const key of keysOf(evidence)) {
        const list = owners.get(key) ?? [];
        // A tar pit says the same ten thousand times: the first few different ones tell as much.
        if (list.length < 16 && !list.includes(evidence)) list.push(evidence);
        owners.set(key, list);
      }
    return new Set([...owners].flatMap(([key, list]) => (anyPair(list, apart) ? [key] : [])));
  };
  const bySerial = (a: Evidence, b: Evidence) =>
    serialVotes(a) &&
    serialVotes(b) &&
    serialKey(a) !== serialKey(b) &&
    a.serial !== undefined &&
    b.serial !== undefined;
  const byMacs = (a: Evidence, b: Evidence) =>
    sharedMacs(voting(a, NOTHING_DISTRUSTED).macs, voting(b, NOTHING_DISTRUSTED).macs) === false;
  const byName = (a: Evidence, b: Evidence) => equal(a.sysName?.toLowerCase(), b.sysName?.toLowerCase()) === false;
  const byModel = (a: Evidence, b: Evidence) => equal(plain(a.model), plain(b.model)) === false;
  const byEngine = (a: Evidence, b: Evidence) => equal(a.engineId, b.engineId) === false;
  return {
    serials: shared(
      (evidence) => (serialVotes(evidence) ? [serialKey(evidence)] : []),
      (a, b) => byMacs(a, b) && (byModel(a, b) || byName(a, b)),
    ),
    engineIds: shared(
      ({ engineId }) => (engineId === undefined ? [] : [engineId]),
      (a, b) => bySerial(a, b) || byMacs(a, b),
    ),
    macs: shared(
      ({ macs }) => macs ?? [],
      (a, b) => bySerial(a, b) || (byEngine(a, b) && byName(a, b)),
    ),
  };
}

function anyPair<T>(list: readonly T[], test: (a: T, b: T) => boolean): boolean {
  return list.some((a, index) => list.slice(index + 1).some((b) => test(a, b)));
}

/** Everything that both know, of one device. Symmetric but for its texts, of which the lesser is kept. */
export function joined(a: Evidence, b: Evidence): Evidence {
  const pick = (key: 'serial' | 'vendor' | 'engineId' | 'sysName' | 'model') => {
    const values = [a[key], b[key]].filter((value) => value !== undefined).toSorted();
    return values[0] === undefined ? {} : { [key]: values[0] };
  };
  const macs = [...new Set([...(a.macs ?? []), ...(b.macs ?? [])])].toSorted();
  return {
    ...pick('serial'),
    ...pick('vendor'),
    ...pick('engineId'),
    ...pick('sysName'),
    ...pick('model'),
    ...(macs.length > 0 && { macs }),
  };
}

export interface Group<T> {
  readonly members: readonly T[];
  /** Members of other groups that might be this device. */
  readonly doubts: readonly { readonly member: T; readonly verdict: Verdict }[];
}

/**
 * Groups what belongs to one device. Where a chain of agreements would tie two together that contradict each other, none
 * of the chain is merged: a person decides.
 */
export function grouped<T>(
  things: readonly T[],
  evidenceOf: (thing: T) => Evidence,
  distrusted: Distrusted,
): readonly Group<T>[] {
  const parent = things.map((_, index) => index);
  const root = (index: number): number => {
    let at = index;
    while (parent[at] !== at && parent[at] !== undefined) at = parent[at] ?? at;
    return at;
  };
  const verdicts: { a: number; b: number; verdict: Verdict }[] = [];
  for (const [a, b] of pairsWithSomethingInCommon(things, evidenceOf)) {
    const [left, right] = [things[a], things[b]];
    if (left === undefined || right === undefined) continue;
    const verdict = compare(evidenceOf(left), evidenceOf(right), distrusted);
    verdicts.push({ a, b, verdict });
    if (verdict.kind === 'same') parent[root(a)] = root(b);
  }
  const torn = new Set<number>();
  const byRoot = Map.groupBy(things.keys(), root);
  for (const [top, members] of byRoot)
    if (
      members.length > 2 &&
      contradict(
        members.map((index) => evidenceOf(things[index] as T)),
        distrusted,
      )
    )
      torn.add(top);
  const groupOf = things.map((_, index) => (torn.has(root(index)) ? `alone ${index}` : `${root(index)}`));
  return [...Map.groupBy(things.keys(), (index) => groupOf[index] ?? '')].map(([key, members]) => ({
    members: members.map((index) => things[index] as T),
    doubts: verdicts.flatMap(({ a, b, verdict }) => {
      if (verdict.kind !== 'ambiguous' && verdict.kind !== 'same') return [];
      const other =
        groupOf[a] === key && groupOf[b] !== key ? b : groupOf[b] === key && groupOf[a] !== key ? a : undefined;
      return other === undefined || !worthAsking(verdict) ? [] : [{ member: things[other] as T, verdict }];
    }),
  }));
}

/** Two of one model are no riddle; one physical address or one serial at two places is. */
export function worthAsking({ agree }: Verdict): boolean {
  return agree.some((fact) => fact === 'serial' || fact === 'engine ID' || fact === 'MAC');
}

const MOST_COMPARED = 64;

function contradict(all: readonly Evidence[], distrusted: Distrusted): boolean {
  return anyPair(all.slice(0, MOST_COMPARED), (a, b) => compare(a, b, distrusted).kind === 'different');
}

/** Only what shares a fact can be one device: so ten thousand devices are no fifty million comparisons. */
function pairsWithSomethingInCommon<T>(
  things: readonly T[],
  evidenceOf: (thing: T) => Evidence,
): readonly (readonly [number, number])[] {
  const owners = new Map<string, number[]>();
  for (const [index, thing] of things.entries()) {
    const { serial, engineId, macs = [], sysName } = evidenceOf(thing);
    const keys = [serial && `s${plain(serial)}`, engineId && `e${engineId}`, sysName && `n${sysName.toLowerCase()}`];
    for (const key of [...keys, ...macs.map((mac) => `m${mac}`)])
      if (key) owners.set(key, [...(owners.get(key) ?? []), index]);
  }
  const pairs = new Map<string, readonly [number, number]>();
  for (const list of owners.values()) {
    for (const [place, a] of list.entries()) {
      // In a crowd each is compared with the first and its neighbour: enough to tie them together or not.
      const others = list.length <= MOST_COMPARED ? list.slice(place + 1) : [list[place + 1], list[0]];
      for (const b of others) if (b !== undefined && b !== a) pairs.set(`${Math.min(a, b)} ${Math.max(a, b)}`, [a, b]);
    }
  }
  return [...pairs.values()];
}
