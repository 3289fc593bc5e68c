/**
 * Corrupted copies of recordings, read through the engine: whatever a device sends, nothing wrong may come out.
 *
 *     npx node test/profiles/mutation.ts [--copies 10000] [--seed 1]
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CATALOGUE } from '#collectors/catalogue.ts';
import type { Reading } from '#collectors/contract.ts';
import type { Oid, Varbind } from '#collectors/snmp/agent.ts';
import type { ProfileLibrary } from '#collectors/snmp/profile/library.ts';
import { emptyMemory } from '#collectors/snmp/profile/memory.ts';
import { readDevice } from '#collectors/snmp/profile/read.ts';
import { RecordedAgent, type Recording } from '#collectors/snmp/recording.ts';
import { recordingOf, SHARED_DEVICES, shippedProfiles } from './recordings.ts';

/** Numbers from a seed, the same on every machine (mulberry32). */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Random = () => number;

/** A copy with some of its values garbled, of other types, or gone. */
export function corrupted(recording: Recording, random: Random): Recording {
  const varbinds = new Map<Oid, Varbind>();
  const share = [0.02, 0.1, 0.5][Math.floor(random() * 3)] ?? 0.1;
  for (const [oid, varbind] of recording.varbinds) {
    if (random() >= share) varbinds.set(oid, varbind);
    else {
      const changed = mutant(varbind, random);
      if (changed) varbinds.set(movedIndex(oid, random), changed);
    }
  }
  return { varbinds, faults: [] };
}

function movedIndex(oid: Oid, random: Random): Oid {
  if (random() > 0.1) return oid;
  return random() > 0.5
    ? `${oid}.${Math.floor(random() * 300)}`
    : oid.replace(/\d+$/, String(Math.floor(random() * 1000)));
}

const TEXTS = [
  '',
  'N/A',
  '   12 %',
  '1234 km',
  '12 pages',
  '-5',
  '1e9',
  '0x1f',
  '99999999999999999999999',
  '3.5',
  'NaN',
  'Infinity',
  '\u0000\u0000\u0000',
  'a\nb\u0007',
  '1.3.6.1.2.1',
  '__proto__',
];

const NUMBERS = [0, -1, -2, -3, 1, 100, 101, 65_535, 2_147_483_647, -2_147_483_648, 4_294_967_295, -1_000_000_000];

function mutant(varbind: Varbind, random: Random): Varbind | undefined {
  const pick = <T>(list: readonly T[], otherwise: T): T => list[Math.floor(random() * list.length)] ?? otherwise;
  switch (Math.floor(random() * 10)) {
    case 0:
      return undefined;
    case 1:
      return { type: 'octet-string', value: new TextEncoder().encode(pick(TEXTS, '')) };
    case 2:
      return {
        type: 'octet-string',
        value: Uint8Array.from({ length: Math.floor(random() * 40) }, () => random() * 256),
      };
    case 3:
      return { type: 'integer', value: pick(NUMBERS, 0) };
    case 4:
      return {
        type: pick(['counter32', 'gauge32', 'timeticks'] as const, 'gauge32'),
        value: Math.floor(random() * 2 ** 32),
      };
    case 5:
      return { type: 'counter64', value: BigInt(Math.floor(random() * 2 ** 32)) << BigInt(Math.floor(random() * 33)) };
    case 6:
      return { type: 'oid', value: pick(['0.0', '1.3.6.1.4.1.9', '1.3.6.1.2.1.25.3.1.5'], '0.0') };
    case 7:
      return { type: 'ip-address', value: '192.0.2.1' };
    case 8:
      return {
        type: 'opaque',
        value: Uint8Array.of(0x9f, 0x78, 4, ...Array.from({ length: 4 }, () => random() * 256)),
      };
    default:
      return typeof varbind.value === 'number'
        ? ({ ...varbind, value: Math.floor(random() * 2 ** 32) - 2 ** 31 } as Varbind)
        : { type: 'integer', value: Math.floor(random() * 1000) };
  }
}

/** What is wrong with readings, whatever the device sent; empty when nothing is. */
export function violations(readings: readonly Reading[]): readonly string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  for (const { metric, labels, value, source } of readings) {
    const { type, unit, influx, labels: names } = CATALOGUE[metric];
    const series = `${metric}${JSON.stringify(labels)}`;
    const wrong = (what: string) => found.push(`${series} ${value}: ${what}`);
    if (seen.has(series)) wrong('twice');
    seen.add(series);
    if (
      type === 'counter'
        ? typeof value !== 'bigint' || value < 0n
        : typeof value !== 'number' || !Number.isFinite(value)
    )
      wrong('is no value of its type');
    if (influx.type === 'integer' && typeof value === 'number' && !Number.isSafeInteger(value)) wrong('is not whole');
    if (unit === 'ratio' && !(Number(value) >= 0 && Number(value) <= 1)) wrong('is outside 0 to 1');
    if (/bytes|seconds|rpm/.test(unit) && Number(value) < 0) wrong('is below zero');
    const own = Object.keys(labels).toSorted().join();
    if (own !== names.toSorted().join()) wrong(`has labels ${own}`);
    for (const text of Object.values(labels)) {
      if (text.length > 220 || /[\p{Cc}\p{Cs}]/u.test(text)) wrong('has a label unfit to show');
    }
    if (source && !source.raw.split('+').every((raw) => /^\d+$/.test(raw) || raw.startsWith('0x')))
      wrong(`is no count: ${source.raw} at ${source.oid}`);
  }
  return found;
}

export interface MutationResult {
  readonly copies: number;
  readonly readings: number;
  readonly faults: readonly string[];
}

/** Reads `copies` corrupted recordings twice each: as an inventory, and as the next poll of a device that changed. */
export async function mutationRun(
  library: ProfileLibrary,
  recordings: ReadonlyMap<string, Recording>,
  options: { readonly copies: number; readonly seed: number },
): Promise<MutationResult> {
  const random = randomSource(options.seed);
  const names = [...recordings.keys()];
  const faults: string[] = [];
  const { signal } = new AbortController();
  let readings = 0;
  for (let copy = 0; copy < options.copies && faults.length < 50; copy += 1) {
    const name = names[copy % names.length] ?? '';
    const recording = recordings.get(name);
    if (!recording) continue;
    const memory = emptyMemory();
    try {
      for (const question of ['inventory', 'metrics'] as const) {
        const agent = new RecordedAgent(corrupted(recording, random));
        const { groups } = await readDevice({ agent, library, question, memory, signal });
        const all = groups.flatMap((group) => group.readings);
        readings += all.length;
        faults.push(...violations(all).map((what) => `${name} copy ${copy} ${question}: ${what}`));
      }
    } catch (error) {
      faults.push(`${name} copy ${copy}: threw ${error instanceof Error ? error.stack : error}`);
    }
  }
  return { copies: options.copies, readings, faults };
}

/** Recordings of a folder by name. */
export function recordingsIn(folder: string): ReadonlyMap<string, Recording> {
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.snmprec')) : [];
  return new Map(files.map((file) => [file.replace(/\.snmprec$/, ''), recordingOf(join(folder, file))]));
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { copies: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } },
  });
  const own = recordingsIn(join(import.meta.dirname, 'recordings'));
  const shared = recordingsIn(join(SHARED_DEVICES, 'recordings'));
  const started = performance.now();
  const result = await mutationRun(shippedProfiles(), new Map([...own, ...shared]), {
    copies: Number(values.copies),
    seed: Number(values.seed),
  });
  for (const fault of result.faults) console.log(fault);
  const took = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `${result.copies} corrupted copies, ${result.readings} readings, ${result.faults.length} faults, ${took} s`,
  );
  process.exitCode = result.faults.length > 0 ? 1 : 0;
}
