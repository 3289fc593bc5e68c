import type { Oid, Varbind } from '#collectors/snmp/agent.ts';

/** A value, or how to work it out when it is asked for. Undefined: the object does not exist at the moment. */
export type ObjectValue = Varbind | (() => Varbind | undefined);

/** An instance with its name. */
export type ObjectEntry = readonly [oid: Oid, value: ObjectValue];

interface Instance {
  readonly oid: Oid;
  readonly arcs: readonly number[];
  readonly value: ObjectValue;
}

/** What an agent has to say, in the order of OIDs (RFC 3416, section 2.2: by sub-identifiers, not by text). */
export class ObjectTree {
  readonly #instances: readonly Instance[];
  readonly #byOid: ReadonlyMap<Oid, ObjectValue>;

  /** Where an OID is given twice the later one counts, so that a device can differ from what it was made from. */
  constructor(entries: Iterable<ObjectEntry>) {
    this.#byOid = new Map(entries);
    this.#instances = [...this.#byOid]
      .map(([oid, value]) => ({ oid, arcs: arcsOf(oid), value }))
      .sort((a, b) => compareArcs(a.arcs, b.arcs));
  }

  get(oid: Oid): Varbind | undefined {
    const value = this.#byOid.get(oid);
    return typeof value === 'function' ? value() : value;
  }

  /** The first instance behind `oid` that exists now and that `suits`. */
  next(oid: Oid, suits: (value: Varbind) => boolean = () => true): { oid: Oid; value: Varbind } | undefined {
    for (let at = this.#firstBehind(arcsOf(oid)); at < this.#instances.length; at += 1) {
      const instance = this.#instances[at];
      const value = typeof instance?.value === 'function' ? instance.value() : instance?.value;
      if (instance && value && suits(value)) return { oid: instance.oid, value };
    }
    return undefined;
  }

  /**
   * Whether there is an instance beside this one, which makes the lack of it noSuchInstance and not noSuchObject. The
   * tree does not know where an object's name ends and its index begins: it takes the last sub-identifier for the index.
   */
  hasObjectOf(oid: Oid): boolean {
    const object = oid.slice(0, oid.lastIndexOf('.') + 1);
    return this.next(object.slice(0, -1))?.oid.startsWith(object) ?? false;
  }

  #firstBehind(arcs: readonly number[]): number {
    let low = 0;
    let high = this.#instances.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareArcs(this.#instances[middle]?.arcs ?? [], arcs) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function arcsOf(oid: Oid): number[] {
  return oid.split('.').map(Number);
}

function compareArcs(a: readonly number[], b: readonly number[]): number {
  for (const [index, arc] of a.entries()) {
    const difference = arc - (b[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
