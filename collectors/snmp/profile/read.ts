/**
 * Reads a device through its profile. An inventory recognises it, asks the sources of each area in order and remembers
 * which answered; a metrics read then asks just those, in one plan.
 */
import type { Identity, Problem, Question, Reading, ReadingGroup } from '#collectors/contract.ts';
import type { AreaName } from '#config/profile.ts';
import type { Agent, Oid, ReadPlan, ReadResult, Varbind } from '../agent.ts';
import type { CompiledArea, CompiledProfile, CompiledSource } from './compile.ts';
import { identityOf } from './identity.ts';
import { nameText, type Unique } from './labels.ts';
import type { ProfileLibrary } from './library.ts';
import type { DeviceMemory } from './memory.ts';
import { SeriesOutput } from './output.ts';
import { partialProblems, refusalProblems, unknownDevice } from './problems.ts';
import type { CompiledReading } from './readings.ts';
import { type Recognition, recognise, SYS_DESCR, SYS_NAME, SYS_OBJECT_ID, SYS_UP_TIME } from './recognise.ts';
import { Scope } from './scope.ts';
import { Needs } from './value.ts';

export interface DeviceReading {
  /** Who the device is; with `inventory` only. */
  readonly identity?: Identity;
  readonly groups: readonly ReadingGroup[];
  readonly problems: readonly Problem[];
}

export interface ReadRequest {
  readonly agent: Agent;
  readonly library: ProfileLibrary;
  readonly question: Exclude<Question, 'alive'>;
  /** What was learnt about the device; changed by the read. */
  readonly memory: DeviceMemory;
  readonly signal: AbortSignal;
}

/** @throws SnmpError when the agent gives no answer at all. */
export async function readDevice(request: ReadRequest): Promise<DeviceReading> {
  const { question, memory, library } = request;
  const profile = memory.profile === undefined ? undefined : library.get(memory.profile);
  if (question === 'metrics' && profile) {
    const reading = await readMetrics(request, profile);
    // Another device at this address, or one that started anew: what was learnt may no longer hold.
    if (reading) return reading;
  }
  return await readInventory(request);
}

/** Facts that a poll need not ask again. */
const LASTING: readonly string[] = [SYS_DESCR, SYS_OBJECT_ID, SYS_NAME];

async function readInventory({ agent, library, memory, signal }: ReadRequest): Promise<DeviceReading> {
  const recognition = await recognise(agent, library, signal);
  const profile = library.get(recognisedAs(recognition, memory) ?? '');
  if (!profile) {
    const problems = recognition.partial.length > 0 ? partialProblems(recognition.partial) : [unknownDevice()];
    return { groups: [], problems };
  }
  agent.advise(profile.hints);
  const scope = new Scope(recognition.scalars, { remember: true });
  const output = new SeriesOutput(memory.labels, { tracksUse: true });
  const session = new Session(agent, scope, output, signal, new Set(recognition.asked));
  session.want(profile.identityNeeds);

  const stuck = profile.name === memory.profile ? memory.chosen : new Map<AreaName, readonly number[]>();
  const { groups, chosen } = await session.readAreas(
    profile.areas.map(
      (area) =>
        new AreaReading(
          area,
          area.sources.map((_, position) => position),
        ),
    ),
    stuck,
  );

  const gone = [...memory.chosen.keys()].filter((name) => !groups.some((group) => group.name === name));
  memory.profile = profile.name;
  memory.chosen = chosen;
  memory.scalars = new Map([...scope.scalars].filter(([oid]) => LASTING.includes(oid)));
  memory.absent = session.absent();
  memory.slow = scope.used ?? new Map();
  memory.upTime = upTime(scope.scalars);
  memory.polls = 0;
  memory.labels = output.used;
  return {
    identity: identityOf(profile, scope),
    groups: [...groups, ...gone.map((name) => ({ name, readings: [] }))],
    problems: [...partialProblems(session.partial), ...refusalProblems(output.refused)],
  };
}

/** Two members of a cluster that answer in turn, each with an uptime of its own, must not cost an inventory each time. */
const POLLS_BETWEEN_RESTARTS = 5;

/** How often an incomplete answer may leave a device what it was taken for before. */
const MOST_DOUBTS = 2;

/** Half an answer is no evidence of another device, unless the agent never gives a whole one. */
function recognisedAs({ profile, partial, scalars }: Recognition, memory: DeviceMemory): string | undefined {
  if (partial.length > 0 && memory.profile !== undefined && memory.doubts < MOST_DOUBTS) {
    memory.doubts += 1;
    return memory.profile;
  }
  memory.doubts = 0;
  const silent = partial.length > 0 && !scalars.has(SYS_DESCR) && !scalars.has(SYS_OBJECT_ID);
  return silent ? undefined : profile;
}

/** Undefined when the device turns out to be another one, or to have started anew. */
async function readMetrics(request: ReadRequest, profile: CompiledProfile): Promise<DeviceReading | undefined> {
  const { agent, memory, signal } = request;
  agent.advise(profile.hints);
  const known = new Map(memory.scalars);
  const objectId = known.get(SYS_OBJECT_ID)?.value;
  known.delete(SYS_OBJECT_ID);
  const scope = new Scope(known, { remember: false });
  for (const [oid, rows] of memory.slow) scope.columns.set(oid, rows);
  const output = new SeriesOutput(memory.labels, { tracksUse: false });
  const skip = new Set([...memory.absent, ...memory.scalars.keys(), ...memory.slow.keys()]);
  skip.delete(SYS_OBJECT_ID);
  const session = new Session(agent, scope, output, signal, skip);
  const system = new Needs();
  system.scalars.add(SYS_OBJECT_ID).add(SYS_UP_TIME);
  session.want(system);

  const areas = profile.areas
    .filter(({ pace }) => pace === 'metrics')
    .map((area) => new AreaReading(area, memory.chosen.get(area.name) ?? []));
  const { groups } = await session.readAreas(areas, memory.chosen, () => {
    const now = upTime(scope.scalars);
    const restarted =
      memory.polls >= POLLS_BETWEEN_RESTARTS && now !== undefined && memory.upTime !== undefined && now < memory.upTime;
    const other = scope.scalars.get(SYS_OBJECT_ID)?.value;
    return !restarted && (other === undefined || other === objectId);
  });
  memory.upTime = upTime(scope.scalars) ?? memory.upTime;
  memory.polls += 1;
  if (session.abandoned) return undefined;
  return { groups, problems: [...partialProblems(session.partial), ...refusalProblems(output.refused)] };
}

function upTime(scalars: ReadonlyMap<Oid, Varbind>): number | undefined {
  const varbind = scalars.get(SYS_UP_TIME);
  return typeof varbind?.value === 'number' ? varbind.value : undefined;
}

/** How far the sources of one area have been tried. */
class AreaReading {
  readonly area: CompiledArea;
  readonly #order: readonly number[];
  readonly answered: number[] = [];
  readonly readings: Reading[] = [];
  #next = 0;

  constructor(area: CompiledArea, order: readonly number[]) {
    this.area = area;
    this.#order = order;
  }

  /** The sources to try in the next round. */
  takeOpen(): readonly number[] {
    const upTo = this.area.mode === 'all' ? this.#order.length : this.#next + 1;
    const open = this.#order.slice(this.#next, upTo);
    this.#next += open.length;
    return open;
  }

  finish(): void {
    this.#next = this.#order.length;
  }
}

interface Open {
  readonly reading: AreaReading;
  readonly position: number;
  readonly source: CompiledSource;
}

/** One read of one device: plans, asks, and gives the answers to the sources. */
class Session {
  readonly partial: ReadResult['partial'][number][] = [];
  abandoned = false;
  readonly #agent: Agent;
  readonly #scope: Scope;
  readonly #output: SeriesOutput;
  readonly #signal: AbortSignal;
  readonly #asked: Set<Oid>;
  readonly #empty = new Map<string, Set<Oid>>();
  readonly #full = new Set<string>();
  readonly #missing = new Set<Oid>();
  #needs = new Needs();

  constructor(agent: Agent, scope: Scope, output: SeriesOutput, signal: AbortSignal, known: Set<Oid>) {
    this.#agent = agent;
    this.#scope = scope;
    this.#output = output;
    this.#signal = signal;
    this.#asked = known;
  }

  want(needs: Needs): void {
    this.#needs.addAll(needs);
  }

  /** @param goOn looked at after the first answer: false gives the read up. */
  async readAreas(
    readings: readonly AreaReading[],
    learnt: ReadonlyMap<AreaName, readonly number[]>,
    goOn?: () => boolean,
  ): Promise<{ groups: readonly ReadingGroup[]; chosen: Map<AreaName, readonly number[]> }> {
    const chosen = new Map<AreaName, readonly number[]>();
    for (let round = 0; ; round += 1) {
      const open = this.#open(readings);
      if (round > 0 && open.length === 0) break;
      for (const { source } of open) this.want(source.needs);
      await this.#ask();
      if (round === 0 && goOn?.() === false) {
        this.abandoned = true;
        return { groups: [], chosen };
      }
      for (const each of open) this.#run(each, learnt, chosen);
    }
    for (const { area, answered } of readings) if (answered.length > 0) chosen.set(area.name, answered);
    // An area that gave something before and gives nothing now is given empty, so that its old readings go.
    const groups = readings
      .filter(({ area, readings: found }) => found.length > 0 || chosen.has(area.name) || learnt.has(area.name))
      .map(({ area, readings: found }) => ({ name: area.name, readings: found }));
    return { groups, chosen };
  }

  /** Sources whose turn it is. What a source's condition can rule out already is passed over at once. */
  #open(readings: readonly AreaReading[]): readonly Open[] {
    const open: Open[] = [];
    for (const reading of readings) {
      for (let positions = reading.takeOpen(); positions.length > 0; positions = reading.takeOpen()) {
        let taken = false;
        for (const position of positions) {
          const source = reading.area.sources[position];
          if (!source || (this.#knows(source.whenNeeds) && source.when?.(this.#scope) === false)) continue;
          this.want(source.whenNeeds);
          open.push({ reading, position, source });
          taken = true;
        }
        if (taken) break;
      }
    }
    return open;
  }

  #knows(needs: Needs): boolean {
    return needs.columns.size === 0 && [...needs.scalars].every((oid) => this.#asked.has(oid));
  }

  #run(
    { reading, position, source }: Open,
    learnt: ReadonlyMap<AreaName, readonly number[]>,
    chosen: Map<AreaName, readonly number[]>,
  ): void {
    const { area } = reading;
    if (source.when?.(this.#scope) === false) return;
    const answered = runSource(source, this.#scope, this.#output);
    reading.readings.push(...this.#output.take());
    if (answered || (source.mayBeEmpty && area.mode === 'all')) {
      reading.answered.push(position);
      if (answered && area.mode === 'first') reading.finish();
    } else if (area.mode === 'first' && this.#brokeOff(source)) {
      // Half an answer says nothing about what the device has: no other source may step in for one poll.
      reading.finish();
      const before = learnt.get(area.name);
      if (before) chosen.set(area.name, before);
    } else if (source.mayBeEmpty) {
      chosen.set(area.name, [position]);
    }
  }

  #brokeOff({ needs }: CompiledSource): boolean {
    return this.partial.some(
      ({ column }) => needs.scalars.has(column) || [...needs.columns.values()].some((oids) => oids.has(column)),
    );
  }

  async #ask(): Promise<void> {
    const needs = this.#needs;
    this.#needs = new Needs();
    const scalars = [...needs.scalars].filter((oid) => !this.#asked.has(oid));
    const tables = new Map<string, Oid[]>();
    for (const [table, oids] of needs.columns) {
      const open = [...oids].filter((oid) => !this.#asked.has(oid));
      if (open.length > 0) tables.set(table.name, [...(tables.get(table.name) ?? []), ...open]);
    }
    if (scalars.length === 0 && tables.size === 0) return;
    const plan: ReadPlan = { scalars, tables: [...tables.values()].map((oids) => [...new Set(oids)]) };
    const result = await this.#agent.read(plan, this.#signal);
    this.#scope.add(result);
    this.partial.push(...result.partial);
    const broken = new Set(result.partial.map(({ column }) => column));
    for (const oid of scalars) {
      this.#asked.add(oid);
      if (!result.scalars.has(oid) && !broken.has(oid)) this.#missing.add(oid);
    }
    for (const [name, oids] of tables) {
      for (const oid of oids) {
        this.#asked.add(oid);
        if ((result.columns.get(oid)?.size ?? 0) > 0) this.#full.add(name);
        else if (!broken.has(oid)) this.#empty.set(name, (this.#empty.get(name) ?? new Set()).add(oid));
      }
    }
  }

  /** Scalars that are not there, and columns that stay empty in tables that have rows. */
  absent(): Set<Oid> {
    const absent = new Set(this.#missing);
    for (const [name, oids] of this.#empty) if (this.#full.has(name)) for (const oid of oids) absent.add(oid);
    return absent;
  }
}

/** Gives out what a source has. Says whether the device answered any of it. */
export function runSource(source: CompiledSource, scope: Scope, output: SeriesOutput): boolean {
  let answered = false;
  const { table, where, readings } = source;
  try {
    if (!table) {
      for (const { when, emit } of readings) {
        if ((!when || when(scope)) && emitSurely(emit, scope, plainName, output)) answered = true;
      }
      return answered;
    }
    const rows = where ? scope.rows(table).filter((index) => at(scope, index, where)) : scope.rows(table);
    const twice = source.onePerName ? NO_NAMES : doubledNames(source, rows, scope);
    for (const index of rows) {
      scope.index = index;
      for (const { when, emit, nameKey } of readings) {
        if (when && !when(scope)) continue;
        const doubled = twice.get(nameKey);
        const unique: Unique = doubled ? (base) => (doubled.has(base) ? `${base} (${index})` : base) : plainName;
        if (emitSurely(emit, scope, unique, output)) answered = true;
      }
    }
    return answered;
  } finally {
    scope.index = undefined;
    for (const set of source.labelSets) set.forget();
  }
}

/** Nothing where a part of the reading was not answered and something else stood in for it. */
function emitSurely(emit: CompiledReading['emit'], scope: Scope, unique: Unique, output: SeriesOutput): boolean {
  if (scope.broken.size === 0) return emit(scope, unique, output);
  scope.uncertain = false;
  const mark = output.mark;
  const answered = emit(scope, unique, output);
  if (!scope.uncertain) return answered;
  output.undo(mark);
  return false;
}

const plainName: Unique = (base) => base;
const NO_NAMES: ReadonlyMap<string, ReadonlySet<string>> = new Map();

function at<T>(scope: Scope, index: string, evaluate: (scope: Scope) => T): T {
  scope.index = index;
  return evaluate(scope);
}

/** Names that several rows bear, by the kind of name. Each of them gets its index behind it, so that none is mistaken. */
function doubledNames(
  source: CompiledSource,
  rows: readonly string[],
  scope: Scope,
): ReadonlyMap<string, ReadonlySet<string>> {
  const doubled = new Map<string, ReadonlySet<string>>();
  const done = new Set<string>();
  for (const { name, nameKey, when } of source.readings) {
    if (!name || done.has(nameKey)) continue;
    done.add(nameKey);
    const once = new Set<string>();
    const twice = new Set<string>();
    for (const index of rows) {
      scope.index = index;
      if (when && !when(scope)) continue;
      const text = nameText(name(scope));
      if (text === undefined) continue;
      if (once.has(text)) twice.add(text);
      else once.add(text);
    }
    if (twice.size > 0) doubled.set(nameKey, twice);
  }
  return doubled;
}
