/**
 * A recorded device: a `.snmprec` text (snmpsim's format, `OID|type|value` per line) as an {@link Agent}. `profiles test`,
 * `profiles propose` and the tests read devices from it through the same engine as from the wire.
 */
import type { Agent, AgentHints, Oid, ReadPlan, ReadResult, Varbind } from './agent.ts';

/** A line that is no varbind, with what to write instead. */
export interface RecordingFault {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface Recording {
  /** In the order of OIDs. */
  readonly varbinds: ReadonlyMap<Oid, Varbind>;
  readonly faults: readonly RecordingFault[];
}

const OID = /^\.?([0-2](?:\.\d{1,10}){1,127})$/;
/** More is no device's walk but a mistake. */
const MAX_LINES = 500_000;

/**
 * Parses a `.snmprec` text. `type` is the BER tag number (2 INTEGER, 4 OCTET STRING, 5 NULL, 6 OID, 64 IpAddress,
 * 65 Counter32, 66 Gauge32, 67 TimeTicks, 68 Opaque, 70 Counter64), with `x` behind it where the value is hex.
 * Damaged lines are faults; the others still count.
 */
export function parseRecording(text: string): Recording {
  const found: { oid: Oid; parts: number[]; varbind: Varbind }[] = [];
  const faults: RecordingFault[] = [];
  const lines = text.split('\n');
  for (const [index, raw] of lines.entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line.trim() === '' || line.startsWith('#')) continue;
    if (index >= MAX_LINES) {
      faults.push({ line: index + 1, message: `has more than ${MAX_LINES} lines; the rest is not read` });
      break;
    }
    const parsed = parseLine(line);
    if (typeof parsed === 'string') faults.push({ line: index + 1, message: parsed });
    else if (parsed) found.push({ ...parsed, parts: parsed.oid.split('.').map(Number) });
  }
  found.sort((a, b) => compareParts(a.parts, b.parts));
  return { varbinds: new Map(found.map(({ oid, varbind }) => [oid, varbind])), faults };
}

/** Undefined for NULL, which is no value; a text says what is wrong. */
function parseLine(line: string): { oid: Oid; varbind: Varbind } | string | undefined {
  const first = line.indexOf('|');
  const second = line.indexOf('|', first + 1);
  if (first < 0 || second < 0) return 'is not OID|type|value (write 1.3.6.1.2.1.1.5.0|4|name)';
  const oid = OID.exec(line.slice(0, first).trim())?.[1];
  if (oid === undefined) return `${JSON.stringify(line.slice(0, first))} is not an OID (write dotted numbers)`;
  const type = line.slice(first + 1, second).trim();
  const value = line.slice(second + 1);
  const hex = type.endsWith('x');
  const tag = Number(hex ? type.slice(0, -1) : type);
  if (tag === 5) return undefined;
  const varbind = hex ? hexVarbind(tag, value.trim()) : plainVarbind(tag, value);
  return varbind ? { oid, varbind } : `${JSON.stringify(value.slice(0, 40))} is no value of type ${type}`;
}

function hexVarbind(tag: number, text: string): Varbind | undefined {
  if (!/^([0-9a-f]{2})*$/i.test(text)) return undefined;
  const octets = new Uint8Array(Buffer.from(text, 'hex'));
  if (tag === 4) return { type: 'octet-string', value: octets };
  if (tag === 68) return { type: 'opaque', value: octets };
  if (tag === 64 && octets.length === 4) return { type: 'ip-address', value: octets.join('.') };
  return undefined;
}

function plainVarbind(tag: number, text: string): Varbind | undefined {
  const whole = /^\s*-?\d{1,20}\s*$/.test(text) ? BigInt(text.trim()) : undefined;
  const signed = whole === undefined ? undefined : Number(BigInt.asIntN(32, whole));
  const unsigned = whole === undefined ? undefined : Number(BigInt.asUintN(32, whole));
  switch (tag) {
    case 2:
      // Some recordings hold unsigned values under the tag of INTEGER.
      return whole === undefined || signed === undefined
        ? undefined
        : { type: 'integer', value: whole > 0x7fff_ffffn && whole <= 0xffff_ffffn ? Number(whole) : signed };
    case 4:
      return { type: 'octet-string', value: new TextEncoder().encode(text) };
    case 6: {
      const value = OID.exec(text.trim())?.[1] ?? (text.trim() === '0.0' ? '0.0' : undefined);
      return value === undefined ? undefined : { type: 'oid', value };
    }
    case 64:
      return /^\d{1,3}(\.\d{1,3}){3}$/.test(text.trim()) ? { type: 'ip-address', value: text.trim() } : undefined;
    case 65:
      return unsigned === undefined ? undefined : { type: 'counter32', value: unsigned };
    case 66:
      return unsigned === undefined ? undefined : { type: 'gauge32', value: unsigned };
    case 67:
      return unsigned === undefined ? undefined : { type: 'timeticks', value: unsigned };
    case 68:
      return { type: 'opaque', value: new TextEncoder().encode(text) };
    case 70:
      return whole === undefined ? undefined : { type: 'counter64', value: BigInt.asUintN(64, whole) };
    default:
      return undefined;
  }
}

function compareParts(a: readonly number[], b: readonly number[]): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Answers from a recording, in this process and at once. */
export class RecordedAgent implements Agent {
  readonly #varbinds: ReadonlyMap<Oid, Varbind>;
  readonly #oids: readonly Oid[];
  /** Position of the first OID of each column already asked for. */
  readonly #columns = new Map<Oid, ReadonlyMap<string, Varbind>>();
  /** Objects asked for, as a measure of what a profile costs. */
  asked = 0;
  reads = 0;

  constructor(recording: Recording) {
    this.#varbinds = recording.varbinds;
    this.#oids = [...recording.varbinds.keys()];
  }

  async read(plan: ReadPlan, signal: AbortSignal): Promise<ReadResult> {
    signal.throwIfAborted();
    this.reads += 1;
    const scalars = new Map<Oid, Varbind>();
    for (const oid of plan.scalars) {
      this.asked += 1;
      const varbind = this.#varbinds.get(oid);
      if (varbind) scalars.set(oid, varbind);
    }
    const columns = new Map<Oid, ReadonlyMap<string, Varbind>>();
    for (const column of plan.tables.flat()) {
      this.asked += 1;
      columns.set(column, this.#column(column));
    }
    return { scalars, columns, partial: [] };
  }

  advise(_hints: AgentHints): void {}

  #column(column: Oid): ReadonlyMap<string, Varbind> {
    const known = this.#columns.get(column);
    if (known) return known;
    const rows = new Map<string, Varbind>();
    const prefix = `${column}.`;
    for (const oid of this.#oids) {
      const varbind = oid.startsWith(prefix) ? this.#varbinds.get(oid) : undefined;
      if (varbind) rows.set(oid.slice(prefix.length), varbind);
    }
    this.#columns.set(column, rows);
    return rows;
  }
}
