/** Reads what a plan asks for in as few requests as the agent stands, and remembers what it stands. */
import type { Agent, AgentHints, Oid, PartialWalk, ReadPlan, ReadResult, Varbind } from './agent.ts';
import type { PduView } from './ber.ts';
import { outOfTime, refused, SnmpError, viewTooSmall } from './errors.ts';
import { GUESSED_OCTETS, MAX_REPETITIONS, type Manners, type TableMemory } from './manners.ts';
import { entryOf, IndexTexts } from './oid.ts';
import { isUnfinished, nextRequest, type Planned, type Progress, type Slot, type TableWalk } from './planner.ts';
import { ColumnRows } from './rows.ts';
import type { Session } from './session.ts';
import { sharedOids } from './shared.ts';
import type { Cost } from './transport.ts';
import { ColumnWalk, isValue, MAX_READ_OCTETS, type SharedByColumns } from './walk.ts';

const STATUS = { tooBig: 1, noSuchName: 2, noAccess: 6, authorizationError: 16 } as const;
/** Objects that every agent has: sysDescr to sysLocation (RFC 3418). Where none is shown, something is wrong. */
const MANDATORY: readonly Oid[] = [1, 2, 3, 4, 5, 6].map((n) => `1.3.6.1.2.1.1.${n}.0`);
/** Every how many reads an object that was not there is looked for again where that costs a request. */
const RECHECK_READS = 10;
/** Requests in a row that may bring nothing before the agent is taken to be gone. */
const MAX_STRIKES = 2;
const NO_ROWS = new ColumnRows();

export class PolledAgent implements Agent {
  /** What the reads of this agent have cost so far. */
  readonly cost: Cost = { requests: 0, timeouts: 0 };
  readonly #session: Session;
  readonly #manners: Manners;

  constructor(session: Session, manners: Manners) {
    this.#session = session;
    this.#manners = manners;
  }

  advise(hints: AgentHints): void {
    this.#manners.advise(hints);
  }

  async read(plan: ReadPlan, signal: AbortSignal): Promise<ReadResult> {
    const reading = new Reading(plan, this.#session, this.#manners);
    for (let planned = reading.next(); planned; planned = reading.next()) {
      const { request, explores } = planned;
      try {
        const pdu = await this.#session.request(request, {
          signal,
          cost: this.cost,
          ...(explores ? { tries: 1 } : {}),
        });
        reading.answered(pdu, planned);
      } catch (error) {
        reading.failed(error, planned, signal);
      }
    }
    return reading.result();
  }
}

/** One read: what is still to be asked, and what has come. */
class Reading {
  readonly #plan: ReadPlan;
  readonly #session: Session;
  readonly #manners: Manners;
  readonly #progress: Progress;
  readonly #scalars = new Map<Oid, Varbind>();
  readonly #partial: PartialWalk[] = [];
  /** Scalars that rode along in vain although the agent had them: a GET says whether it has them still. */
  readonly #doubted = new Set<Oid>();
  /** Whether any answer came. */
  #hasAnswer = false;
  #strikes = 0;
  /** Whether the next request is smaller because the last one brought silence. */
  #isShrunk = false;
  /** error-status that kept something from being read. */
  #refusal = 0;

  constructor(plan: ReadPlan, session: Session, manners: Manners) {
    this.#plan = plan;
    this.#session = session;
    this.#manners = manners;
    const bulk = manners.bulk && session.version !== '1';
    this.#progress = {
      ...this.#sortScalars(bulk && plan.tables.length > 0),
      tables: this.#openTables(),
      bulk,
      maxNames: Number.POSITIVE_INFINITY,
      maxRepetitions: MAX_REPETITIONS,
    };
  }

  get #isRecheck(): boolean {
    return this.#manners.reads % RECHECK_READS === 0;
  }

  #sortScalars(mayRide: boolean): { gets: Oid[]; riders: Oid[] } {
    const { present, absent, rides } = this.#manners;
    const gets: Oid[] = [];
    const riders: Oid[] = [];
    for (const oid of new Set(this.#plan.scalars)) {
      const isKnown = present.has(oid) || absent.has(oid);
      if (mayRide && rides && isKnown) riders.push(oid);
      // v1 refuses the whole request for one object that is not there: each costs a request of its own.
      else if (this.#session.version === '1' && absent.has(oid) && !this.#isRecheck) continue;
      else gets.push(oid);
    }
    return { gets, riders };
  }

  #openTables(): TableWalk[] {
    const shared: SharedByColumns = { octets: MAX_READ_OCTETS, indexes: new IndexTexts() };
    const seen = new Set<Oid>();
    const tables: TableWalk[] = [];
    for (const columns of this.#plan.tables) {
      const fresh = columns.filter((column) => !seen.has(column));
      const [first] = fresh;
      if (first === undefined) continue;
      for (const column of fresh) seen.add(column);
      const memory = this.#manners.tables.get(entryOf(first));
      const table: TableWalk = {
        walks: [],
        looks: [],
        dormant: [],
        expected: memory?.rows,
        octets: memory?.octets ?? GUESSED_OCTETS,
      };
      const wasEmpty = memory?.rows === 0 && !this.#isRecheck;
      for (const [position, column] of fresh.entries()) {
        const walk = new ColumnWalk(column, shared);
        if (wasEmpty && position > 0) table.dormant.push(walk);
        else if (memory?.empty?.has(column)) table.looks.push(walk);
        else table.walks.push(walk);
      }
      tables.push(table);
    }
    return tables;
  }

  next(): Planned | undefined {
    return nextRequest(this.#progress, this.#manners);
  }

  answered(pdu: PduView, planned: Planned): void {
    const manners = this.#manners;
    this.#hasAnswer = true;
    this.#strikes = 0;
    if (pdu.first !== 0) {
      this.#refused(pdu.first, pdu.second, planned);
      return;
    }
    const { request } = planned;
    if (pdu.count === 0 && request.names.length > 0) {
      this.#drop(planned, 'no-answer'); // asking the same again would never end
      return;
    }
    if (this.#isShrunk) manners.shrank(request.names.length, planned.octets);
    else manners.answered(request.names.length, pdu.length);
    this.#isShrunk = false;
    if (request.type === 'get-bulk') manners.bulkWorks = true;
    else if (request.type === 'get-next' && this.#session.version !== '1') manners.bulk = this.#progress.bulk;

    this.#takeSlots(pdu, planned);
    this.#takeRows(pdu, planned);
  }

  #takeSlots(pdu: PduView, { request, slots }: Planned): void {
    for (const [index, slot] of slots.entries()) {
      if (slot.kind === 'column') {
        // A wrong guess says nothing: its answer is the one to an earlier name once more, or to a later one.
        if (index < pdu.count && (!slot.guess || slot.walk.isAt(slot.guess))) slot.walk.take(pdu, index);
      } else if (index >= pdu.count) {
        this.#progress.gets.push(slot.oid); // left out for want of room
      } else {
        this.#takeScalar(pdu, index, slot, request.type === 'get');
      }
    }
    for (const table of this.#progress.tables) wake(table);
  }

  #takeScalar(pdu: PduView, index: number, { oid, name }: Extract<Slot, { kind: 'scalar' }>, byGet: boolean): void {
    const { present, absent } = this.#manners;
    if (!pdu.isNamed(index, name)) {
      // A GET that is answered with another name is a fault of the agent; a rider has met the next object.
      if (!byGet && present.has(oid)) {
        this.#doubted.add(oid);
        this.#progress.gets.push(oid);
      }
      return;
    }
    const value = pdu.value(index);
    if (isValue(value)) {
      this.#scalars.set(oid, value);
      this.#manners.sawScalar(pdu.size(index));
      if (this.#doubted.has(oid)) this.#manners.rides = false;
      present.add(oid);
      absent.delete(oid);
    } else if (byGet && value.type !== 'unreadable') {
      absent.add(oid);
      present.delete(oid);
    }
  }

  #takeRows(pdu: PduView, planned: Planned): void {
    const { slots, repeaters, repetitions } = planned;
    const asked = slots.length + repeaters.length * repetitions;
    const count = Math.min(pdu.count, asked);
    for (let index = slots.length; index < count; index++) {
      repeaters[(index - slots.length) % repeaters.length]?.take(pdu, index);
    }
    if (repeaters.length === 0) return;
    const isCut = count < asked && repeaters.some((walk) => !walk.isOver);
    if (isCut) this.#manners.cutShort(pdu.length);
    else if (planned.explores) this.#manners.stood(pdu.length);
  }

  /** The agent answered with an error-status instead of values. */
  #refused(status: number, errorIndex: number, planned: Planned): void {
    const { request, repetitions } = planned;
    const names = request.names.length;
    if (status === STATUS.tooBig) {
      this.#manners.tooBig(names, planned.octets, repetitions);
      if (repetitions > 1) this.#progress.maxRepetitions = Math.floor(repetitions / 2);
      if (names > 1 || repetitions > 1) this.#requeue(planned);
      else this.#giveUpOn(planned, 'too-big', status);
      return;
    }
    if (status === STATUS.authorizationError || status === STATUS.noAccess) {
      this.#giveUpOn(planned, 'no-answer', status);
      return;
    }
    const faulty = errorIndex >= 1 && errorIndex <= names ? errorIndex - 1 : names === 1 ? 0 : undefined;
    if (faulty === undefined) {
      this.#progress.maxNames = Math.ceil(names / 2);
      this.#requeue(planned);
      return;
    }
    this.#dropOne(status, faulty, planned);
  }

  /** The name at `faulty` is what the agent stumbles over; the others are asked again without it. */
  #dropOne(status: number, faulty: number, planned: Planned): void {
    const { request, slots, repeaters } = planned;
    const slot = slots[faulty];
    const isMissing = status === STATUS.noSuchName;
    const walk = slot?.kind === 'column' ? slot.walk : repeaters[faulty - slots.length];
    if (slot?.kind === 'scalar') {
      if (isMissing && request.type === 'get') {
        this.#manners.absent.add(slot.oid);
        this.#manners.present.delete(slot.oid);
      } else if (!isMissing) {
        this.#partial.push({ column: slot.oid, reason: 'no-answer' });
        this.#refusal ||= status;
      }
    } else if (slot?.guess && walk) {
      walk.guesses = false; // it stumbles over a name that it need not have
    } else if (isMissing) {
      walk?.end(); // v1 has no other way to say that the MIB ends here
    } else {
      walk?.breakOff('no-answer');
      this.#refusal ||= status;
    }
    this.#requeue({ ...planned, slots: slots.filter((_, index) => index !== faulty) });
  }

  #requeue({ slots }: Planned): void {
    for (const slot of slots) if (slot.kind === 'scalar') this.#progress.gets.push(slot.oid);
  }

  #giveUpOn(planned: Planned, reason: PartialWalk['reason'], status: number): void {
    this.#refusal ||= status;
    this.#drop(planned, reason);
  }

  #drop({ slots, repeaters }: Planned, reason: PartialWalk['reason']): void {
    for (const slot of slots) {
      if (slot.kind === 'column') slot.walk.breakOff(reason);
      else this.#partial.push({ column: slot.oid, reason });
    }
    for (const walk of repeaters) walk.breakOff(reason);
  }

  /**
   * No answer came.
   * @throws SnmpError where that ends the read and nothing was read.
   */
  failed(error: unknown, planned: Planned, signal: AbortSignal): void {
    this.#requeue(planned);
    if (signal.aborted) {
      if (!this.#hasAnswer) throw outOfTime(this.#session.agent, false, signal.reason);
      this.#stop('out-of-time');
      return;
    }
    if (!(error instanceof SnmpError)) throw error;
    const isSilence = error.code === 'SNMP_TIMEOUT';
    if (!this.#hasAnswer && !(isSilence && this.#isWorthLess(planned))) throw error;
    if (!isSilence) {
      this.#stop('no-answer');
      return;
    }
    if (planned.explores) this.#manners.overasked();
    this.#strikes++;
    if (this.#strikes <= MAX_STRIKES + 1 && this.#shrink(planned)) return;
    this.#stop('no-answer');
  }

  /** Whether silence may be due to the size of the request rather than to a device that is gone. */
  #isWorthLess({ request, octets }: Planned): boolean {
    return this.#strikes === 0 && this.#manners.reads > 0 && !this.#manners.isProven(request.names.length, octets);
  }

  /** Holds the rest of this read to less, the harder the more often it was silent. False where there is no less. */
  #shrink({ request, repetitions, explores }: Planned): boolean {
    if (explores) return true; // what is known to work comes next
    const names = request.names.length;
    const isBulk = request.type === 'get-bulk';
    if (isBulk && !this.#manners.bulkWorks && this.#strikes > MAX_STRIKES) {
      this.#progress.bulk = false; // it may not know GETBULK
    } else if (this.#strikes > MAX_STRIKES || (names === 1 && repetitions <= 1)) {
      return false;
    }
    this.#isShrunk = true;
    this.#progress.maxRepetitions = 1;
    this.#progress.maxNames = Math.ceil(names / 2 ** this.#strikes);
    return true;
  }

  /** Ends the read; what was not read is marked. */
  #stop(reason: PartialWalk['reason']): void {
    const { gets, riders, tables } = this.#progress;
    for (const oid of [...gets.splice(0), ...riders.splice(0)]) this.#partial.push({ column: oid, reason });
    for (const table of tables.filter(isUnfinished)) {
      for (const walk of [...table.walks, ...table.looks]) walk.breakOff(reason);
    }
  }

  /** @throws SnmpError when the agent answered and yet showed nothing, not even what every agent has. */
  result(): ReadResult {
    const walks: ColumnWalk[] = [];
    for (const { walks: columns, looks, dormant } of this.#progress.tables)
      walks.push(...columns, ...looks, ...dormant);
    const partial = [...this.#partial];
    let hasValue = this.#scalars.size > 0;
    for (const { broken, rows } of walks) {
      if (broken) partial.push(broken);
      hasValue ||= rows.size > 0;
    }
    if (!hasValue && MANDATORY.some((oid) => this.#plan.scalars.includes(oid))) {
      if (this.#refusal !== 0) throw refused(this.#session.agent, this.#refusal);
      if (partial.length === 0) throw viewTooSmall(this.#session.agent);
    }
    this.#learn();
    // In the order of the plan.
    const columns = new Map<Oid, ColumnRows>();
    for (const table of this.#plan.tables) for (const column of table) columns.set(column, NO_ROWS);
    for (const { column, rows } of walks) columns.set(column, rows);
    return { scalars: this.#scalars, columns, partial };
  }

  #learn(): void {
    const manners = this.#manners;
    for (const { walks, looks, dormant } of this.#progress.tables) {
      const all = [...walks, ...looks, ...dormant];
      if (all.some((walk) => walk.broken)) continue;
      const known = manners.tables.get(entryOf(all[0]?.column ?? ''));
      const memory = memoryOf(all, known);
      if (memory !== known) for (const { column } of all) manners.tables.set(entryOf(column), memory);
    }
    manners.readDone();
  }
}

/** What was learnt of a table; `known` itself where it is the same. */
function memoryOf(walks: readonly ColumnWalk[], known: TableMemory | undefined): TableMemory {
  let rows = 0;
  let varbinds = 0;
  let octets = 0;
  let empty = 0;
  for (const walk of walks) {
    rows = Math.max(rows, walk.count);
    varbinds += walk.count;
    octets += walk.octets;
    if (walk.count === 0) empty += 1;
  }
  const each = varbinds > 0 ? Math.ceil(octets / varbinds) : GUESSED_OCTETS;
  const isEmpty = (walk: ColumnWalk) => walk.count === 0;
  const isAsBefore =
    (known?.empty?.size ?? 0) === empty && walks.every((walk) => !isEmpty(walk) || known?.empty?.has(walk.column));
  if (isAsBefore && known?.rows === rows && known.octets === each) return known;
  return { rows, octets: each, empty: isAsBefore ? known?.empty : emptyOf(walks.filter(isEmpty)) };
}

function emptyOf(walks: readonly ColumnWalk[]): ReadonlySet<Oid> | undefined {
  return walks.length > 0 ? sharedOids.of(new Set(walks.map(({ column }) => column))) : undefined;
}

/** Walks the columns that turned out to have rows after all. */
function wake(table: TableWalk): void {
  const { walks, looks, dormant } = table;
  const woken = looks.filter((walk) => walk.count > 0);
  if (woken.length === 0) return;
  walks.push(...woken, ...dormant.splice(0));
  for (const walk of woken) looks.splice(looks.indexOf(walk), 1);
}
