/** What the profile engine asks of an SNMP agent, whoever answers: a device, or a recording in a test. */

/** Dotted decimal without a leading dot. */
export type Oid = string;

/** A value as it came over the wire. Exceptions (noSuchObject, …) are no values: they are left out of results. */
export type Varbind =
  | { readonly type: 'integer' | 'counter32' | 'gauge32' | 'timeticks'; readonly value: number }
  | { readonly type: 'counter64'; readonly value: bigint }
  | { readonly type: 'octet-string' | 'opaque'; readonly value: Uint8Array }
  | { readonly type: 'oid' | 'ip-address'; readonly value: string };

export interface ReadPlan {
  /** Instances, complete with their `.0`. */
  readonly scalars: readonly Oid[];
  /** Columns of one table, asked side by side so that rows stay together. */
  readonly tables: readonly (readonly Oid[])[];
}

/** Why a walk was given up; what was read until then is kept. */
export interface PartialWalk {
  readonly column: Oid;
  readonly reason: 'not-increasing' | 'too-many-rows' | 'too-many-bytes' | 'out-of-time' | 'no-answer' | 'too-big';
}

export interface ReadResult {
  readonly scalars: ReadonlyMap<Oid, Varbind>;
  /** By column, then by index (`1.3` of `COLUMN.1.3`), in the agent's order. An asked column without rows is empty. */
  readonly columns: ReadonlyMap<Oid, ReadonlyMap<string, Varbind>>;
  readonly partial: readonly PartialWalk[];
}

/** What the device's profile says about the way its agent wants to be asked. */
export interface AgentHints {
  /** False: GETNEXT side by side instead of GETBULK. */
  readonly bulk?: boolean;
  /** Most varbinds in one request. */
  readonly maxVarbinds?: number;
}

export interface Agent {
  /**
   * Reads in as few requests as the agent stands.
   * @throws SnmpError when the agent gives no answer at all or refuses the credentials. A walk that breaks off is
   * `partial` instead.
   */
  read(plan: ReadPlan, signal: AbortSignal): Promise<ReadResult>;
  /** Applies hints to the requests that follow. */
  advise(hints: AgentHints): void;
}
