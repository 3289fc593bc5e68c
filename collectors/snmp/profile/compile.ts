/** A profile made ready to run: values as functions, and for every source the objects that it needs. */
import type { FlatArea, FlatSource, Profile } from '#config/profiles.ts';
import { AREAS, type AreaName, IDENTITY_FIELDS, type IdentityField } from '#config/words.ts';
import type { AgentHints, Oid } from '../agent.ts';
import type { LabelSet } from './labels.ts';
import { type CompiledReading, compileReading } from './readings.ts';
import type { TableShape } from './scope.ts';
import { saysNoSerial } from './text.ts';
import { type CompileContext, compileConditions, compileValue, type Evaluate, Needs, type Test } from './value.ts';

/** Physical addresses are part of who a device is (IF-MIB, RFC 2863). */
export const IF_PHYS_ADDRESS = '1.3.6.1.2.1.2.2.1.6';
const INTERFACES: TableShape = { name: 'if', columns: new Map(), slow: new Set() };

export interface CompiledSource {
  readonly from: string;
  readonly table: TableShape | undefined;
  readonly mayBeEmpty: boolean;
  /** Rows of the same name are one thing. */
  readonly onePerName: boolean;
  /** Whether it applies to the device at all, from these objects. */
  readonly when: Test | undefined;
  readonly whenNeeds: Needs;
  readonly where: Test | undefined;
  /** Everything that its readings are made from. */
  readonly needs: Needs;
  readonly readings: readonly CompiledReading[];
  /** One reading for each kind of name that the rows are called by. */
  readonly naming: readonly CompiledReading[];
  readonly labelSets: readonly LabelSet[];
}

export interface CompiledArea {
  readonly name: AreaName;
  readonly mode: FlatArea['mode'];
  readonly pace: FlatArea['pace'];
  readonly sources: readonly CompiledSource[];
}

export interface CompiledProfile {
  readonly name: string;
  readonly class: Profile['class'];
  readonly vendor: string | undefined;
  readonly hints: AgentHints;
  /** What to try for each fact, in order. */
  readonly identity: Readonly<Record<IdentityField, readonly Evaluate[]>>;
  readonly identityNeeds: Needs;
  readonly areas: readonly CompiledArea[];
}

export function compileProfile(profile: Profile): CompiledProfile {
  const tables = new Map<string, TableShape>();
  for (const [name, { columns, slow }] of Object.entries(profile.tables)) {
    const slowOids = slow.map((column) => columns[column]).filter((oid) => oid !== undefined);
    tables.set(name, { name, columns: new Map(Object.entries(columns)), slow: new Set<Oid>(slowOids) });
  }
  const identityNeeds = new Needs();
  const fact = (field: IdentityField): readonly Evaluate[] => {
    const context: CompileContext = {
      tables,
      needs: identityNeeds,
      ...(field === 'serial' && { blank: saysNoSerial }),
    };
    return profile.identity[field].map((value) => compileValue(value, context));
  };
  const interfaces = [...tables.values()].find(({ columns }) => [...columns.values()].includes(IF_PHYS_ADDRESS));
  identityNeeds.column(interfaces ?? INTERFACES, IF_PHYS_ADDRESS);
  const { bulk, max_varbinds: maxVarbinds } = profile.agent;
  const areas = (Object.keys(AREAS) as AreaName[]).flatMap((name) => {
    const area = profile.areas[name];
    return area && area.sources.length > 0 ? [compileArea(name, area, tables)] : [];
  });
  return {
    name: profile.name,
    class: profile.class,
    vendor: profile.vendor,
    hints: { ...(bulk !== undefined && { bulk }), ...(maxVarbinds !== undefined && { maxVarbinds }) },
    identity: Object.fromEntries(IDENTITY_FIELDS.map((field) => [field, fact(field)])) as CompiledProfile['identity'],
    identityNeeds,
    areas,
  };
}

function compileArea(name: AreaName, area: FlatArea, tables: ReadonlyMap<string, TableShape>): CompiledArea {
  const sources = area.sources.map((source) => compileSource(source, tables));
  return { name, mode: area.mode, pace: area.pace, sources };
}

function compileSource(source: FlatSource, tables: ReadonlyMap<string, TableShape>): CompiledSource {
  const table = source.rows === undefined ? undefined : tables.get(source.rows);
  const needs = new Needs();
  const whenNeeds = new Needs();
  const labelSets = new Map<string, LabelSet>();
  const inRow = { tables, needs, ...(table && { rows: table }) };
  // Its objects come last: those that name a row stay at the head of the plan.
  const speedNeeds = new Needs();
  const speed = source.speed === undefined ? undefined : compileValue(source.speed, { ...inRow, needs: speedNeeds });
  const context = { ...inRow, labelSets, ...(speed && { speed }) };
  const where = source.where && compileConditions(source.where, context);
  const readings = source.readings.map((reading) => compileReading(reading, context));
  needs.addAll(speedNeeds);
  return {
    from: source.from,
    table,
    mayBeEmpty: source.may_be_empty,
    onePerName: source.one_per_name,
    when: source.when && compileConditions(source.when, { tables, needs: whenNeeds }),
    whenNeeds,
    where,
    needs,
    readings,
    naming: readings.filter(
      ({ name, nameKey }, position) => name && readings.findIndex((other) => other.nameKey === nameKey) === position,
    ),
    labelSets: [...labelSets.values()],
  };
}
