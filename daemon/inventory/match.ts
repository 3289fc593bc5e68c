/** Which known device each found one is. Pure, and the same for any order of devices. */
import type { Found } from './found.ts';
import { compare, type Distrusted, distrustedIn, type Verdict, worthAsking } from './identity.ts';
import type { DeviceRecord, Doubt } from './record.ts';

export interface Match {
  readonly found: Found;
  /** Absent: a device that was not known. */
  readonly record?: DeviceRecord;
  /** It might be one of these too. */
  readonly doubts: readonly Doubt[];
}

interface Candidate {
  readonly record: DeviceRecord;
  readonly verdict: Verdict;
}

/**
 * A device is recognised by its evidence. Where that settles nothing, the one that is known at the address goes on, unless
 * the two contradict each other: then another device has taken its place.
 */
export function matches(found: readonly Found[], records: readonly DeviceRecord[]): readonly Match[] {
  const live = records.filter(({ state }) => state !== 'joined');
  const distrusted = distrustedIn(found.map(({ evidence }) => evidence));
  const index = new FactIndex(live);
  const taken = new Set<DeviceRecord>();
  const byEvidence = found.map((each) => {
    const candidates = index
      .near(each)
      .map((record) => ({ record, verdict: compare(record.evidence, each.evidence, distrusted) }));
    return { found: each, candidates };
  });
  const settled = new Map<Found, DeviceRecord>();
  for (const { found: each, candidates } of byEvidence) {
    const best = candidates.filter(({ verdict }) => verdict.kind === 'same').toSorted(by(each))[0];
    if (!best || taken.has(best.record)) continue;
    taken.add(best.record);
    settled.set(each, best.record);
  }
  for (const { found: each } of byEvidence) {
    if (settled.has(each)) continue;
    const here = index.at(each).filter((record) => !taken.has(record));
    const goesOn = here.filter((record) => continues(record, each, distrusted)).toSorted(byStanding)[0];
    if (!goesOn) continue;
    taken.add(goesOn);
    settled.set(each, goesOn);
  }
  return byEvidence.map(({ found: each, candidates }) => {
    const record = settled.get(each);
    const doubts = candidates.flatMap(({ record: other, verdict }): Doubt[] => {
      const isDoubt =
        other !== record && (verdict.kind === 'ambiguous' || verdict.kind === 'same') && worthAsking(verdict);
      return isDoubt ? [{ device: other.id, agree: verdict.agree, against: verdict.against }] : [];
    });
    return { found: each, ...(record && { record }), doubts };
  });
}

/** Whether the device that was known at this address may still be the one there. */
function continues(record: DeviceRecord, found: Found, distrusted: Distrusted): boolean {
  const { kind, agree, against } = compare(record.evidence, found.evidence, distrusted);
  if (against.includes('serial')) return false;
  if (kind === 'unrelated' || kind === 'same') return true;
  // It was renamed, or its engine was set anew; two of these at once, or another model, is another device.
  const grave = against.filter((fact) => fact !== 'sysName' && fact !== 'engine ID');
  return grave.length === 0
    ? against.length <= 1 || worthAsking({ kind, agree, against })
    : worthAsking({ kind, agree, against }) && grave.length < agree.length;
}

function by(found: Found): (a: Candidate, b: Candidate) => number {
  const here = (record: DeviceRecord) =>
    Number(found.sightings.some(({ address }) => record.addresses.includes(address)));
  return (a, b) =>
    b.verdict.agree.length - a.verdict.agree.length ||
    here(b.record) - here(a.record) ||
    byStanding(a.record, b.record);
}

const STANDING = { configured: 0, adopted: 1, ignored: 2, candidate: 3, joined: 4 } as const;

function byStanding(a: DeviceRecord, b: DeviceRecord): number {
  return STANDING[a.state] - STANDING[b.state] || a.id.localeCompare(b.id);
}

/** Records by each fact and address, so that nothing is compared that has nothing in common. */
class FactIndex {
  readonly #byKey = new Map<string, Set<DeviceRecord>>();

  constructor(records: readonly DeviceRecord[]) {
    for (const record of records)
      for (const key of [...factKeys(record.evidence), ...record.addresses.map((address) => `a ${address}`)])
        this.#byKey.set(key, (this.#byKey.get(key) ?? new Set()).add(record));
  }

  near({ evidence }: Found): readonly DeviceRecord[] {
    return this.#all(factKeys(evidence));
  }

  at({ sightings }: Found): readonly DeviceRecord[] {
    return this.#all(sightings.map(({ address }) => `a ${address}`));
  }

  #all(keys: readonly string[]): readonly DeviceRecord[] {
    return [...new Set(keys.flatMap((key) => [...(this.#byKey.get(key) ?? [])]))];
  }
}

function factKeys({ serial, engineId, macs = [], sysName }: Found['evidence']): readonly string[] {
  return [
    ...(serial === undefined ? [] : [`s ${serial.toUpperCase().replace(/[^\p{L}\p{N}]/gu, '')}`]),
    ...(engineId === undefined ? [] : [`e ${engineId}`]),
    ...(sysName === undefined ? [] : [`n ${sysName.toLowerCase()}`]),
    ...macs.map((mac) => `m ${mac}`),
  ];
}
