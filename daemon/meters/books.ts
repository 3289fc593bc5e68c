/** Periods of contracts: closed ones as they are kept, others as they stand now. */
import type { WallTime } from '#collectors/contract.ts';
import { blockOf, type DeviceRow, type MeterArchive, type ReadBlock } from './archive.ts';
import type { DecisionEntry, EntryBodies, ManualRead } from './entries.ts';
import { currentCounters, type EvaluateRequest, evaluate, startOf } from './evaluate.ts';
import type { Numbered, PrinterEvidence } from './history.ts';
import { addAmounts, rate, subtractAmounts, type Usage } from './money.ts';
import type { AmountAdjustment, Checkpoint, ContractPeriod, PeriodRow, PrinterPeriod } from './period-row.ts';
import type { Meter, Source } from './read.ts';
import type { MeterEvent } from './segments.ts';
import { contractOf, cutAfter, cutBefore, type Terms } from './terms.ts';

export interface Period {
  readonly from: WallTime;
  readonly to: WallTime;
}

export interface PeriodResult {
  readonly contract: ContractPeriod;
  readonly printers: readonly PrinterPeriod[];
  /** Kept as it is for ever. */
  readonly closed: boolean;
  /** A time in which no period of the contract ends: its pages, and no bill. */
  readonly span?: true;
}

/** How far the ledger was read. */
export type AsOf = ContractPeriod['read'];

/** What all printers of a look at the books share, read once. */
interface Knowledge {
  readonly sources: ReadonlyMap<number, Source>;
  readonly devices: ReadonlyMap<string, DeviceRow>;
  readonly devicesOf: ReadonlyMap<string, readonly string[]>;
  readonly decisions: readonly Numbered<DecisionEntry>[];
  readonly manual: readonly Numbered<ManualRead>[];
  readonly closed: readonly EntryBodies['period'][];
  readonly knows: number;
  /** The last entry looked at. */
  readonly last: number;
}

/** Reads that were got ahead, and the read of each device after which they begin. */
interface Loaded {
  readonly after: Checkpoint['numbers'];
  readonly devices: PrinterEvidence['devices'];
}

/** A month of so many printers is some megabytes. */
const PRINTERS_AT_ONCE = 100;

export class MeterBooks {
  readonly #archive: MeterArchive;
  readonly #terms: readonly Terms[];
  /** By contract, with the last entry that it holds. */
  readonly #known = new Map<string | null, { readonly last: number; readonly knowledge: Knowledge }>();

  constructor(archive: MeterArchive, terms: readonly Terms[]) {
    this.#archive = archive;
    this.#terms = terms;
  }

  /** Periods of a contract that are cut in a span, and the one that runs at its end if none is. */
  async periodsIn(terms: Terms, span: Period): Promise<Period[]> {
    const closed = (await this.#archive.periods(terms.contract)).map(({ from, to }) => ({ from, to }));
    const found = closed.filter(({ to }) => to > span.from && to <= span.to);
    const last = closed.at(-1)?.to;
    let from = last !== undefined && last > span.from ? last : cutBefore(terms, span.from);
    for (let to = cutAfter(terms, from); to <= span.to; to = cutAfter(terms, from)) {
      if (to > span.from && (last === undefined || to > last)) found.push({ from, to });
      from = to;
    }
    return found;
  }

  /** The period that `now` lies in, where the ones before are closed. */
  async running(terms: Terms, now: WallTime): Promise<Period | undefined> {
    const from = (await this.#archive.periods(terms.contract)).at(-1)?.to ?? (await this.#beginning(terms));
    if (from === undefined) return undefined;
    const to = cutAfter(terms, from);
    return from <= now && now < to ? { from, to } : undefined;
  }

  /** Any span of time: pages only, for no bill is made of it. */
  async span(terms: Terms, span: Period, now: WallTime, asOf?: AsOf): Promise<PeriodResult> {
    const meters = terms.meters.map(({ price: _, ...meter }) => ({ ...meter, included: 0, tiers: [] }));
    const { minimum: _, ...rest } = terms;
    const result = await this.standing({ ...rest, meters }, span, now, asOf);
    return {
      ...result,
      span: true,
      contract: { ...result.contract, adjustments: [] },
      printers: result.printers.map((printer) => ({ ...printer, adjustments: [] })),
    };
  }

  /** A closed period worked out anew, from what was known when it was closed and nothing else. */
  async rederive(kept: ContractPeriod): Promise<PeriodResult> {
    const then = new Map<string | null, Terms>();
    for (const { seq, body } of await this.#archive.entries(['terms'])) {
      if (seq <= kept.read.entry) then.set(body.contract, body);
    }
    // Which printers are under none hangs on all contracts of then.
    const all = [...then.values()].toSorted((a, b) => Number(a.contract === null) - Number(b.contract === null));
    const books = new MeterBooks(this.#archive, all);
    const { terms, from, to, closedAt, read } = kept;
    return { ...(await books.standing(terms, { from, to }, closedAt, read)), closed: true };
  }

  /** The next period of each contract that has ended by `now`, in order of their ends. */
  async due(now: WallTime): Promise<{ readonly terms: Terms; readonly period: Period }[]> {
    const due = [];
    for (const terms of this.#terms) {
      const last = (await this.#archive.periods(terms.contract)).at(-1);
      const from = last?.to ?? (await this.#beginning(terms));
      if (from === undefined) continue;
      const to = cutAfter(terms, from);
      if (to <= now) due.push({ terms, period: { from, to } });
    }
    return due.toSorted((a, b) => a.period.to - b.period.to);
  }

  /** A period as it is kept, or as it stands with what is known at `now`. */
  async period(terms: Terms, period: Period, now: WallTime): Promise<PeriodResult> {
    const rows = await this.#archive.periodRows(terms.contract, period.to);
    const contract = rows.find((row) => row.kind === 'contract');
    if (contract) {
      return { contract, printers: inOrder(rows.filter((row) => row.kind === 'printer')), closed: true };
    }
    return await this.standing(terms, period, now);
  }

  /** A period that is not closed: until `now`, if it still runs. */
  async standing(terms: Terms, { from, to }: Period, now: WallTime, asOf?: AsOf): Promise<PeriodResult> {
    const knowledge = await this.#knowledge(terms.contract, asOf);
    const heads = asOf?.heads ?? (await this.#archive.heads());
    const until = Math.min(to, Math.max(now, from)) as WallTime;
    const counts = (device: string) => contractOf(this.#terms, device) === terms.contract;
    const history = await this.#rows(terms.contract, knowledge, from);
    const found: PrinterPeriod[] = [];
    const own = new Set<string>();
    const requests: EvaluateRequest[] = [];
    for (const [printer, devices] of knowledge.devicesOf) {
      if (!devices.some(counts)) continue;
      for (const device of devices) own.add(device);
      requests.push(this.#request(terms, printer, devices, { from, to: until }, knowledge, history, heads));
    }
    for await (const request of this.#ahead(requests, knowledge, heads)) {
      const row = await evaluate(request);
      if (row) found.push({ ...row, to });
    }
    const printers = inOrder(found);
    const read = {
      heads: Object.fromEntries([...own].map((device) => [device, heads[device] ?? 0])),
      entry: knowledge.last,
    };
    return { contract: await this.#contractPeriod(terms, { from, to }, printers, now, read), printers, closed: false };
  }

  /** The counters of one printer as they stand: what the live metrics begin with. */
  async counters(terms: Terms, printer: string) {
    const knowledge = await this.#knowledge(terms.contract);
    const devices = knowledge.devicesOf.get(printer) ?? [];
    const last = knowledge.closed.at(-1)?.to;
    const span = { from: last ?? (0 as WallTime), to: last ?? (0 as WallTime) };
    return await currentCounters(this.#request(terms, printer, devices, span, knowledge, new Map()));
  }

  /** What happened to the counters of one printer since it was first read. */
  async wholeHistory(terms: Terms, printer: string): Promise<MeterEvent[]> {
    const knowledge = await this.#knowledge(terms.contract);
    const devices = knowledge.devicesOf.get(printer) ?? [];
    const span = { from: 0 as WallTime, to: 0 as WallTime };
    const request = this.#request(terms, printer, devices, span, knowledge, new Map());
    const counters = await currentCounters({ ...request, allRows: async () => [] });
    return [...counters.values()].flatMap(({ events }) => events);
  }

  #request(
    terms: Terms,
    printer: string,
    devices: readonly string[],
    { from, to }: Period,
    knowledge: Knowledge,
    history: ReadonlyMap<string, readonly PrinterPeriod[]>,
    heads?: AsOf['heads'],
  ): EvaluateRequest {
    return {
      terms,
      printer,
      from,
      to,
      rows: history.get(printer) ?? [],
      allRows: async () =>
        printersBefore(
          await this.#archive.printerRows(terms.contract, printer),
          to === 0 ? (Number.POSITIVE_INFINITY as WallTime) : from,
        ),
      sources: knowledge.sources,
      counts: (device) => contractOf(this.#terms, device) === terms.contract,
      manual: knowledge.manual.filter(({ body }) => body.printer === printer),
      decisions: knowledge.decisions.filter(({ body }) => devices.includes(body.read.device)),
      knows: knowledge.knows,
      load: async (after) => (await this.#blocks([{ names: devices, after }], knowledge.devices, heads))[0] ?? [],
    };
  }

  /** The requests with the reads that they will ask for first, of many printers at a time and while others are worked on. */
  async *#ahead(
    requests: readonly EvaluateRequest[],
    knowledge: Knowledge,
    heads: AsOf['heads'],
  ): AsyncGenerator<EvaluateRequest> {
    const load = async (start: number) => {
      const some = requests.slice(start, start + PRINTERS_AT_ONCE);
      return { some, reads: await this.#readsOf(some, knowledge, heads) };
    };
    let next = load(0);
    for (let start = PRINTERS_AT_ONCE; start < requests.length + PRINTERS_AT_ONCE; start += PRINTERS_AT_ONCE) {
      const { some, reads } = await next;
      next = load(start);
      // Whoever stops here waits for nothing: what was asked for ahead may fail unheard.
      next.catch(() => undefined);
      for (const request of some) {
        const { load: loadOther, ...rest } = request;
        const own = reads.get(request.printer);
        const isSame = (after: Checkpoint['numbers']) =>
          own?.devices.every(({ device }) => (own.after[device] ?? 0) === (after[device] ?? 0));
        yield { ...rest, load: async (after) => (own && isSame(after) ? own.devices : await loadOther(after)) };
      }
    }
  }

  async #readsOf(
    requests: readonly EvaluateRequest[],
    { devices, devicesOf, closed }: Knowledge,
    heads: AsOf['heads'],
  ): Promise<Map<string, Loaded>> {
    const wanted = requests.flatMap((request) => {
      const after = startOf(request)?.numbers;
      // Where the last closed period is not enough, only all of them tell from where on reads are needed.
      if (!after && closed.length > 0) return [];
      const names = devicesOf.get(request.printer) ?? [];
      return [{ printer: request.printer, names, after: after ?? {} }];
    });
    const blocks = await this.#blocks(wanted, devices, heads);
    return new Map(wanted.map(({ printer, after }, index) => [printer, { after, devices: blocks[index] ?? [] }]));
  }

  async #contractPeriod(
    terms: Terms,
    { from, to }: Period,
    printers: readonly PrinterPeriod[],
    now: WallTime,
    read: AsOf,
  ): Promise<ContractPeriod> {
    const usages = printers.map(usageOf);
    const bill = rate(terms, usages);
    const adjustments = await this.#amountAdjustments(terms.contract, printers, to);
    const amounts = adjustments.flatMap(({ amount }) => amount ?? []);
    const total = bill.total === null ? null : addAmounts([bill.total, ...amounts]);
    return {
      kind: 'contract',
      contract: terms.contract,
      from,
      to,
      terms,
      usages,
      bill,
      adjustments,
      total,
      closedAt: now,
      read,
    };
  }

  /** Each earlier period that is known better now, rated anew by its own terms; the difference is what is owed. */
  async #amountAdjustments(
    contract: string | null,
    printers: readonly PrinterPeriod[],
    until: WallTime,
  ): Promise<AmountAdjustment[]> {
    const ends = new Set(printers.flatMap(({ adjustments }) => adjustments.map(({ period }) => period.to)));
    const found: AmountAdjustment[] = [];
    for (const to of [...ends].toSorted((a, b) => a - b)) {
      const earlier = (await this.#archive.periodRows(contract, to)).find((row) => row.kind === 'contract');
      if (!earlier) continue;
      const period = { from: earlier.from, to: earlier.to };
      const before = await this.#adjustmentsBefore(contract, to, until);
      const pages = printers.flatMap((printer): Usage[] => {
        const own = printer.adjustments.filter((each) => each.period.to === to);
        if (own.length === 0) return [];
        const byMeter = Object.fromEntries(own.map((each) => [each.meter, each.pages]));
        return [{ printer: printer.printer, device: printer.device, pages: byMeter }];
      });
      const billed = rate(earlier.terms, before.reduce(plus, earlier.usages)).total;
      const now = rate(earlier.terms, [...before, pages].reduce(plus, earlier.usages)).total;
      found.push({ period, pages, amount: now === null || billed === null ? null : subtractAmounts(now, billed) });
    }
    return found;
  }

  /** What periods closed before `until` have already adjusted of an earlier one. */
  async #adjustmentsBefore(contract: string | null, ends: WallTime, until: WallTime): Promise<(readonly Usage[])[]> {
    const found: (readonly Usage[])[] = [];
    for (const { to } of await this.#archive.periods(contract)) {
      if (to <= ends || to >= until) continue;
      const row = (await this.#archive.periodRows(contract, to)).find((each) => each.kind === 'contract');
      for (const { period, pages } of row?.adjustments ?? []) if (period.to === ends) found.push(pages);
    }
    return found;
  }

  async #knowledge(contract: string | null, asOf?: AsOf): Promise<Knowledge> {
    const last = asOf?.entry ?? (await this.#archive.lastEntrySeq());
    const known = this.#known.get(contract);
    if (known?.last === last) return known.knowledge;
    const knowledge = await this.#gather(contract, last);
    this.#known.set(contract, { last, knowledge });
    return knowledge;
  }

  async #gather(contract: string | null, last: number): Promise<Knowledge> {
    const sources = new Map([...(await this.#archive.sources())].filter(([seq]) => seq <= last));
    const devicesOf = new Map<string, string[]>();
    for (const { printer, device } of sources.values()) {
      const names = devicesOf.get(printer) ?? [];
      if (!names.includes(device)) names.push(device);
      devicesOf.set(printer, names);
    }
    const all = await this.#archive.entries(['decision', 'manual', 'period']);
    const known = all.filter(({ seq }) => seq <= last);
    const decisions = known.filter((entry) => entry.kind === 'decision');
    const manual = known.filter((entry) => entry.kind === 'manual');
    const periods = known.filter((entry) => entry.kind === 'period');
    return {
      sources,
      devices: new Map((await this.#archive.devices()).map((row) => [row.name, row])),
      devicesOf,
      decisions: decisions.map(({ seq, body }) => ({ seq, body })),
      manual: manual.map(({ seq, body }) => ({ seq, body })),
      closed: periods.filter(({ body }) => body.contract === contract).map(({ body }) => body),
      knows: Math.max(0, ...known.map(({ seq }) => seq)),
      last,
    };
  }

  /** The last closed period of all printers at once: that is as far back as nearly all of them need. */
  async #rows(contract: string | null, { closed }: Knowledge, until: WallTime): Promise<Map<string, PrinterPeriod[]>> {
    const since = closed.findLast(({ to }) => to <= until)?.to;
    if (since === undefined) return new Map();
    const rows = await this.#archive.latestRows(contract, since);
    return new Map([...rows].map(([printer, all]) => [printer, printersBefore(all, until)]));
  }

  /** For each of `wanted` the reads of its devices. */
  async #blocks(
    wanted: readonly { readonly names: readonly string[]; readonly after: Checkpoint['numbers'] }[],
    devices: ReadonlyMap<string, DeviceRow>,
    heads: AsOf['heads'] | undefined,
  ): Promise<PrinterEvidence['devices'][]> {
    const idOf = (name: string) => devices.get(name)?.id ?? 0;
    const asked = wanted.flatMap(({ names, after }) =>
      names.map((name) => ({ device: idOf(name), after: after[name] ?? 0 })),
    );
    const found = (await this.#archive.blocksOf(asked)).values();
    return wanted.map(({ names }) =>
      names.map((device) => {
        const blocks = found.next().value ?? [];
        return { device, blocks: heads ? blocks.flatMap((block) => upTo(block, heads[device] ?? 0)) : blocks };
      }),
    );
  }

  /** The cut before the first read of any of its devices. */
  async #beginning(terms: Terms): Promise<WallTime | undefined> {
    let first: WallTime | undefined;
    for (const { at, body } of await this.#archive.sourceEntries()) {
      if (contractOf(this.#terms, body.device) !== terms.contract) continue;
      if (first === undefined || at < first) first = at;
    }
    return first === undefined ? undefined : cutBefore(terms, first);
  }
}

/** What was not yet read when the period was looked at is not in it. */
function upTo(block: ReadBlock, head: number): ReadBlock[] {
  if (block.last <= head) return [block];
  const reads = block.reads.filter(({ number }) => number <= head);
  return reads.length > 0 ? [blockOf(reads)] : [];
}

/** By device, as people look them up. */
function inOrder(printers: readonly PrinterPeriod[]): PrinterPeriod[] {
  const key = ({ device, printer }: PrinterPeriod) => `${device}\n${printer}`;
  return printers.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function printersBefore(rows: readonly PeriodRow[], until: WallTime): PrinterPeriod[] {
  return rows.filter((row) => row.kind === 'printer').filter(({ to }) => to <= until);
}

function usageOf({ printer, device, meters }: PrinterPeriod): Usage {
  const pages: Partial<Record<Meter, number>> = {};
  for (const [meter, { used }] of Object.entries(meters)) pages[meter as Meter] = used;
  return { printer, device, pages };
}

function plus(usages: readonly Usage[], more: readonly Usage[]): readonly Usage[] {
  return usages.map((usage) => {
    const added = more.filter(({ printer }) => printer === usage.printer);
    const pages: Partial<Record<Meter, number>> = { ...usage.pages };
    for (const { pages: by } of added) {
      for (const [meter, count] of Object.entries(by)) pages[meter as Meter] = (pages[meter as Meter] ?? 0) + count;
    }
    return { ...usage, pages };
  });
}

/** All rows of a period, as they are kept. */
export function rowsOf({ contract, printers }: PeriodResult): readonly PeriodRow[] {
  return [...printers, contract];
}
