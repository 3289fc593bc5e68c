/**
 * Reads a device through its profile. An inventory recognises it, asks the sources of each area in order and remembers
 * which answered; a metrics read then asks just those, in one plan.
 */
import type { Identity, Monotonic, Problem, Question, Reading, ReadingGroup } from '#collectors/contract.ts';
import type { AreaName } from '#config/words.ts';
import type { Agent, Oid, ReadResult, Varbind } from '../agent.ts';
import { Shared, sharedOids } from '../shared.ts';
import type { CompiledArea, CompiledProfile, CompiledSource } from './compile.ts';
import { type Clocks, clocksOf, courseOf } from './continuity.ts';
import { CarriedCounters, noCounters, retainCounters } from './counters.ts';
import { identityOf } from './identity.ts';
import { keptColumns, keptValue } from './kept-columns.ts';
import type { ProfileLibrary } from './library.ts';
import type { DeviceMemory, FirstRound, Round } from './memory.ts';
import { SeriesOutput } from './output.ts';
import { partialProblems, refusalProblems, unknownDevice } from './problems.ts';
import { type Recognition, recognise, SYS_DESCR, SYS_NAME, SYS_OBJECT_ID, SYS_UP_TIME } from './recognise.ts';
import { Scope, type TableShape } from './scope.ts';
import { noteShapes, outdatedColumns } from './slow-columns.ts';
import { runSource } from './source.ts';
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
  /** Now. Left out for a device that is read once: what passed since the last read matters only then. */
  readonly at?: Monotonic;
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

const sharedChoices = new Shared<DeviceMemory['chosen']>();
/** By profile, so that they go with it when profiles are read anew. */
const sharedRounds = new WeakMap<CompiledProfile, Shared<FirstRound>>();

/** Facts that a poll need not ask again. */
const LASTING: readonly string[] = [SYS_DESCR, SYS_OBJECT_ID, SYS_NAME];

function lastingScalars(scalars: ReadonlyMap<Oid, Varbind>): Map<Oid, Varbind> {
  return new Map([...scalars].filter(([oid]) => LASTING.includes(oid)).map(([oid, value]) => [oid, keptValue(value)]));
}

async function readInventory({ agent, library, memory, at, signal }: ReadRequest): Promise<DeviceReading> {
  const recognition = await recognise(agent, library, signal);
  const profile = library.get(recognisedAs(recognition, memory) ?? '');
  if (!profile) {
    const problems = recognition.partial.length > 0 ? partialProblems(recognition.partial) : [unknownDevice()];
    return { groups: [], problems };
  }
  agent.advise(profile.hints);
  const scope = new Scope(recognition.scalars, { remember: true });
  if (isAnother(profile, recognition, memory)) memory.counters = noCounters();
  scope.counters = new CarriedCounters(memory.counters, courseOf(memory.clocks, clocksOf(scope.scalars, at)));
  const { labels, names, doubles } = memory.series;
  const output = new SeriesOutput(labels, { noteUsed: true });
  const session = new Session(agent, scope, output, signal, recognition.asked);
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
  memory.chosen = sharedChoices.of(chosen);
  memory.scalars = lastingScalars(scope.scalars);
  memory.absent = sharedOids.of(session.absent());
  memory.slow = keptColumns(scope.used ?? []);
  noteShapes(chosenSources(profile.areas, chosen), scope, memory);
  memory.clocks = laterClocks(memory.clocks, clocksOf(scope.scalars, at));
  memory.polls = 0;
  memory.firstRound = undefined;
  // What they were made from was read anew, and labels may have other numbers now.
  names.clear();
  doubles.clear();
  // Of half an answer it is not known which series are gone. Where no whole one ever comes, that must end somewhere.
  if (session.partial.length === 0 || labels.size > MOST_UNSURE)
    retainCounters(memory.counters, labels.retain(output.used ?? []));
  return {
    identity: identityOf(profile, scope),
    groups: [...groups, ...gone.map((name) => ({ name, readings: [] }))],
    problems: [...partialProblems(session.partial), ...refusalProblems(output.refused)],
  };
}

/** Whether it is not the device that was at this address before. */
function isAnother(profile: CompiledProfile, { scalars }: Recognition, memory: DeviceMemory): boolean {
  const objectId = scalars.get(SYS_OBJECT_ID)?.value;
  const before = memory.scalars.get(SYS_OBJECT_ID)?.value;
  return profile.name !== memory.profile || (objectId !== undefined && before !== undefined && objectId !== before);
}

/** What a read did not bring is taken from the one before only as a whole: its times belong together. */
function laterClocks(before: Clocks | undefined, now: Clocks): Clocks | undefined {
  return now.upTime === undefined ? before : now;
}

/** Two members of a cluster that answer in turn, each with an uptime of its own, must not cost an inventory each time. */
const POLLS_BETWEEN_RESTARTS = 5;

/** Labels that half an answer leaves a device, though it may have none of their series any more. */
const MOST_UNSURE = 20_000;

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
  const { agent, memory, at, signal } = request;
  agent.advise(profile.hints);
  const known = new Map(memory.scalars);
  const objectId = known.get(SYS_OBJECT_ID)?.value;
  known.delete(SYS_OBJECT_ID);
  const scope = new Scope(known, { remember: false });
  for (const [oid, rows] of memory.slow) scope.columns.set(oid, rows);
  scope.names = memory.series.names;
  scope.doubles = memory.series.doubles;
  const output = new SeriesOutput(memory.series.labels, { noteUsed: false });
  const firstRound = memory.firstRound?.profile === profile ? memory.firstRound : undefined;
  const session = new Session(agent, scope, output, signal, firstRound?.known ?? knownOf(memory));
  session.want(SYSTEM);

  const areas: AreaReading[] = [];
  for (const area of profile.areas)
    if (area.pace === 'metrics') areas.push(new AreaReading(area, memory.chosen.get(area.name) ?? []));
  const goOn = async () => {
    const course = courseOf(memory.clocks, clocksOf(scope.scalars, at));
    const restarted = memory.polls >= POLLS_BETWEEN_RESTARTS && course.agentRestarted;
    const other = scope.scalars.get(SYS_OBJECT_ID)?.value;
    if (restarted || (other !== undefined && other !== objectId)) return false;
    scope.counters = new CarriedCounters(memory.counters, course);
    await renewSlowColumns(session, scope, memory);
    return true;
  };
  const { groups } = await session.readAreas(areas, memory.chosen, { goOn, firstRound });
  if (session.abandoned) return undefined;
  keepRenewed(scope, memory);
  memory.clocks = laterClocks(memory.clocks, clocksOf(scope.scalars, at));
  memory.polls += 1;
  memory.firstRound = firstRound ?? session.firstRound(profile);
  return { groups, problems: [...partialProblems(session.partial), ...refusalProblems(output.refused)] };
}

/** What tells a device that started anew, or is another one. */
const SYSTEM = new Needs();
SYSTEM.scalars.add(SYS_OBJECT_ID).add(SYS_UP_TIME);

/** What a poll need not ask: objects that the device does not have, and those that an inventory remembered. */
function knownOf({ absent, scalars, slow }: DeviceMemory): ReadonlySet<Oid> {
  const known = new Set([...absent, ...scalars.keys(), ...slow.keys()]);
  known.delete(SYS_OBJECT_ID);
  return known;
}

/** The sources that polls read. */
function chosenSources(
  areas: readonly CompiledArea[],
  chosen: ReadonlyMap<AreaName, readonly number[]>,
): readonly CompiledSource[] {
  return areas
    .filter(({ pace }) => pace === 'metrics')
    .flatMap(({ name, sources }) => sources.filter((_, position) => chosen.get(name)?.includes(position)));
}

/** Names that are remembered by index are asked again when the rows of their table are others. */
async function renewSlowColumns(session: Session, scope: Scope, memory: DeviceMemory): Promise<void> {
  const outdated = outdatedColumns(scope, memory);
  if (outdated.size === 0) return;
  scope.used = new Map();
  await session.askAgain(outdated);
}

function keepRenewed(scope: Scope, memory: DeviceMemory): void {
  if (!scope.used) return;
  const whole = [...scope.used].filter(([oid]) => !scope.broken.has(oid));
  for (const [oid, column] of keptColumns(whole)) memory.slow.set(oid, column);
}

/** How far the sources of one area have been tried. */
class AreaReading {
  readonly area: CompiledArea;
  readonly #order: readonly number[];
  readonly answered: number[] = [];
  #readings: readonly Reading[] = [];
  #next = 0;

  constructor(area: CompiledArea, order: readonly number[]) {
    this.area = area;
    this.#order = order;
  }

  get readings(): readonly Reading[] {
    return this.#readings;
  }

  add(readings: readonly Reading[]): void {
    this.#readings = this.#readings.length === 0 ? readings : [...this.#readings, ...readings];
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
  readonly #known: ReadonlySet<Oid>;
  readonly #rounds: Round[] = [];
  #needs = new Needs();

  /** @param known objects that are not asked */
  constructor(agent: Agent, scope: Scope, output: SeriesOutput, signal: AbortSignal, known: ReadonlySet<Oid>) {
    this.#agent = agent;
    this.#scope = scope;
    this.#output = output;
    this.#signal = signal;
    this.#known = known;
  }

  want(needs: Needs): void {
    this.#needs.addAll(needs);
  }

  /** What was asked first, and what was not. */
  firstRound(profile: CompiledProfile): FirstRound | undefined {
    const [round] = this.#rounds;
    if (!round) return undefined;
    const shared = sharedRounds.get(profile) ?? new Shared<FirstRound>();
    sharedRounds.set(profile, shared);
    return shared.of({ profile, known: this.#known, round });
  }

  /**
   * @param goOn looked at after the first answer: false gives the read up
   * @param firstRound of an earlier read, when it asked the same
   */
  async readAreas(
    readings: readonly AreaReading[],
    learnt: ReadonlyMap<AreaName, readonly number[]>,
    { goOn, firstRound }: { readonly goOn?: () => Promise<boolean>; readonly firstRound?: FirstRound | undefined } = {},
  ): Promise<{ groups: readonly ReadingGroup[]; chosen: Map<AreaName, readonly number[]> }> {
    const chosen = new Map<AreaName, readonly number[]>();
    for (let round = 0; ; round += 1) {
      const open = this.#open(readings);
      if (round > 0 && open.length === 0) break;
      await this.#ask(round === 0 && firstRound ? firstRound.round : this.#planned(open));
      if (round === 0 && goOn && !(await goOn())) {
        this.abandoned = true;
        return { groups: [], chosen };
      }
      for (const each of open) this.#run(each, learnt, chosen);
    }
    for (const { area, answered } of readings) if (answered.length > 0) chosen.set(area.name, [...answered]);
    // An area that gave something before and gives nothing now is given empty, so that its old readings go.
    const groups: ReadingGroup[] = [];
    for (const { area, readings: found } of readings)
      if (found.length > 0 || chosen.has(area.name) || learnt.has(area.name))
        groups.push({ name: area.name, readings: found });
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
          open.push({ reading, position, source });
          taken = true;
        }
        if (taken) break;
      }
    }
    return open;
  }

  #knows(needs: Needs): boolean {
    return needs.columns.size === 0 && [...needs.scalars].every((oid) => this.#wasAsked(oid));
  }

  #run(
    { reading, position, source }: Open,
    learnt: ReadonlyMap<AreaName, readonly number[]>,
    chosen: Map<AreaName, readonly number[]>,
  ): void {
    const { area } = reading;
    if (source.when?.(this.#scope) === false) return;
    const answered = runSource(source, this.#scope, this.#output);
    reading.add(this.#output.take());
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

  async askAgain(columns: ReadonlyMap<TableShape, readonly Oid[]>): Promise<void> {
    await this.#ask(roundOf([], columns));
  }

  #brokeOff({ needs }: CompiledSource): boolean {
    return this.partial.some(
      ({ column }) => needs.scalars.has(column) || [...needs.columns.values()].some((oids) => oids.has(column)),
    );
  }

  #wasAsked(oid: Oid): boolean {
    if (this.#known.has(oid)) return true;
    for (const { plan } of this.#rounds) {
      if (plan.scalars.includes(oid)) return true;
      for (const columns of plan.tables) if (columns.includes(oid)) return true;
    }
    return false;
  }

  /** What these sources, and whatever else is wanted, need beside what was asked. */
  #planned(open: readonly Open[]): Round {
    for (const { source } of open) {
      this.want(source.whenNeeds);
      this.want(source.needs);
    }
    const needs = this.#needs;
    this.#needs = new Needs();
    const columns: (readonly [TableShape, readonly Oid[]])[] = [];
    for (const [table, oids] of needs.columns) columns.push([table, this.#notAsked(oids)]);
    return roundOf(this.#notAsked(needs.scalars), columns);
  }

  #notAsked(oids: ReadonlySet<Oid>): Oid[] {
    const open: Oid[] = [];
    for (const oid of oids) if (!this.#wasAsked(oid)) open.push(oid);
    return open;
  }

  async #ask(round: Round): Promise<void> {
    const { plan } = round;
    if (plan.scalars.length === 0 && plan.tables.length === 0) return;
    this.#rounds.push(round);
    const result = await this.#agent.read(plan, this.#signal);
    this.#scope.add(result);
    this.partial.push(...result.partial);
  }

  /** Scalars that are not there, and columns that stay empty in tables that have rows. */
  absent(): Set<Oid> {
    const { scalars, columns, broken } = this.#scope;
    const hasRows = (oid: Oid) => (columns.get(oid)?.size ?? 0) > 0;
    const full = new Set<string>();
    for (const { tables } of this.#rounds) for (const [name, oids] of tables) if (oids.some(hasRows)) full.add(name);
    const absent = new Set<Oid>();
    for (const { plan, tables } of this.#rounds) {
      for (const oid of plan.scalars) if (!scalars.has(oid) && !broken.has(oid)) absent.add(oid);
      for (const [name, oids] of tables)
        if (full.has(name)) for (const oid of oids) if (!hasRows(oid) && !broken.has(oid)) absent.add(oid);
    }
    return absent;
  }
}

/** Columns of tables of one name are asked together. */
function roundOf(scalars: readonly Oid[], columns: Iterable<readonly [TableShape, readonly Oid[]]>): Round {
  const tables = new Map<string, readonly Oid[]>();
  for (const [{ name }, oids] of columns)
    if (oids.length > 0) tables.set(name, [...new Set([...(tables.get(name) ?? []), ...oids])]);
  return { plan: { scalars, tables: [...tables.values()] }, tables };
}
