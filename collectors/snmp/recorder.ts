/**
 * Records a real device, so that its profile can be written and tested without it. Only subtrees that profiles read are
 * walked; communities, contacts, locations and e-mail addresses are left out of what is kept.
 */
import type { Agent, Oid, PartialWalk, Varbind } from './agent.ts';
import { decodeText } from './profile/text.ts';

/**
 * What is walked, in this order. Left out: routes, connections, ARP and forwarding tables, processes and installed software
 * (large, and about people), and the tables of SNMP itself that hold users and communities.
 */
export const RECORDED_SUBTREES: readonly { readonly root: Oid; readonly title: string }[] = [
  { root: '1.3.6.1.2.1.1', title: 'system' },
  { root: '1.3.6.1.6.3.10.2.1', title: 'SNMP engine' },
  { root: '1.3.6.1.2.1.2', title: 'interfaces' },
  { root: '1.3.6.1.2.1.31.1', title: 'interfaces, 64 bit' },
  { root: '1.3.6.1.2.1.10.7', title: 'Ethernet' },
  { root: '1.3.6.1.2.1.16.19', title: 'probe configuration' },
  { root: '1.3.6.1.2.1.17.1', title: 'bridge' },
  { root: '1.3.6.1.2.1.25.1', title: 'host' },
  { root: '1.3.6.1.2.1.25.2', title: 'host storage' },
  { root: '1.3.6.1.2.1.25.3', title: 'host devices' },
  { root: '1.3.6.1.2.1.33', title: 'UPS' },
  { root: '1.3.6.1.2.1.43', title: 'printer' },
  { root: '1.3.6.1.2.1.47', title: 'entities' },
  { root: '1.3.6.1.2.1.99', title: 'entity sensors' },
  { root: '1.3.6.1.2.1.105', title: 'power over Ethernet' },
  { root: '1.3.6.1.2.1.131', title: 'entity states' },
  { root: '1.2.840.10036.3.1.2', title: 'wireless adapters' },
  { root: '1.0.8802.1.1.2.1.3', title: 'LLDP, own part' },
  { root: '1.3.6.1.4.1', title: "the maker's own objects" },
];

export interface RecordProgress {
  /** The subtree that was just walked. */
  readonly title: string;
  readonly done: number;
  readonly of: number;
  /** Objects so far. */
  readonly objects: number;
}

export interface RecordedDevice {
  readonly varbinds: ReadonlyMap<Oid, Varbind>;
  /** Subtrees of which the agent gave only a part. */
  readonly partial: readonly PartialWalk[];
}

/**
 * Walks a device, one subtree after the other.
 * @throws SnmpError when the agent gives no answer at all.
 */
export async function recordDevice(
  agent: Agent,
  signal: AbortSignal,
  progress: (state: RecordProgress) => void = () => undefined,
): Promise<RecordedDevice> {
  const varbinds = new Map<Oid, Varbind>();
  const partial: PartialWalk[] = [];
  for (const [position, { root, title }] of RECORDED_SUBTREES.entries()) {
    const result = await agent.read({ scalars: [], tables: [[root]] }, signal);
    for (const [column, rows] of result.columns) {
      for (const [index, varbind] of rows) varbinds.set(`${column}.${index}`, varbind);
    }
    partial.push(...result.partial);
    progress({ title, done: position + 1, of: RECORDED_SUBTREES.length, objects: varbinds.size });
  }
  return { varbinds, partial };
}

const SYS_CONTACT = '1.3.6.1.2.1.1.4.0';
const SYS_LOCATION = '1.3.6.1.2.1.1.6.0';
const E_MAIL = /[\w.+-]+@[\w-]+(\.[\w-]+)+/gu;
/** Shorter texts (`IT`, `2`) stand in too many other words to be taken out of them. */
const SHORTEST_PRIVATE = 4;
const REMOVED = 'removed';

export interface PrivateTexts {
  /** Communities and other secrets that the recording was made with. */
  readonly secrets: readonly string[];
}

/** A recording without what is nobody's business, as `.snmprec` text. */
export function formatRecording(varbinds: ReadonlyMap<Oid, Varbind>, { secrets }: PrivateTexts): string {
  const personal = [SYS_CONTACT, SYS_LOCATION].map((oid) => textAt(varbinds, oid)).filter((text) => text !== '');
  const hidden = [...personal, ...secrets].filter(
    (text) => text.length >= SHORTEST_PRIVATE && !/^(public|private)$/.test(text),
  );
  const lines: string[] = [];
  for (const [oid, varbind] of varbinds) {
    if (oid === SYS_CONTACT || oid === SYS_LOCATION) lines.push(`${oid}|4|`);
    else if (!holdsSecret(varbind, secrets)) lines.push(`${oid}|${formatted(withoutPrivate(varbind, hidden))}`);
  }
  return `${lines.join('\n')}\n`;
}

function textAt(varbinds: ReadonlyMap<Oid, Varbind>, oid: Oid): string {
  const value = varbinds.get(oid)?.value;
  return value instanceof Uint8Array ? decodeText(value) : '';
}

/** A table of communities or trap receivers holds the community itself: such an object is left out as a whole. */
function holdsSecret({ value }: Varbind, secrets: readonly string[]): boolean {
  return value instanceof Uint8Array && secrets.includes(Buffer.from(value).toString('latin1'));
}

function withoutPrivate(varbind: Varbind, hidden: readonly string[]): Varbind {
  if (varbind.type !== 'octet-string') return varbind;
  const before = Buffer.from(varbind.value).toString('latin1');
  let after = before.replace(E_MAIL, `${REMOVED}@example.com`);
  for (const text of hidden) {
    for (const spelling of new Set([text, Buffer.from(text, 'utf8').toString('latin1')]))
      after = after.replaceAll(spelling, REMOVED);
  }
  return after === before ? varbind : { type: 'octet-string', value: new Uint8Array(Buffer.from(after, 'latin1')) };
}

const TAGS = {
  integer: 2,
  'octet-string': 4,
  oid: 6,
  'ip-address': 64,
  counter32: 65,
  gauge32: 66,
  timeticks: 67,
  opaque: 68,
  counter64: 70,
} as const;

/** `type|value`, octets as text where they are printable ASCII, else as hex. */
function formatted({ type, value }: Varbind): string {
  if (!(value instanceof Uint8Array)) return `${TAGS[type]}|${value}`;
  const printable = type === 'octet-string' && value.every((octet) => octet >= 0x20 && octet < 0x7f);
  const octets = Buffer.from(value);
  return printable ? `${TAGS[type]}|${octets.toString('latin1')}` : `${TAGS[type]}x|${octets.toString('hex')}`;
}
