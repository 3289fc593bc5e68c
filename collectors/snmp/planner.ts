/**
 * What to ask next. Pure: looks at what is still to be read and at the agent's manners, and fills one request.
 *
 * Columns of a table go side by side as the repeaters of a GETBULK that asks for as many rows as are expected and fit
 * into one reply. Before them, as non-repeaters, ride the scalars that the agent is known to have and one look at each
 * column that had no rows. Small tables share a request. Where there is no GETBULK, the same by GET and GETNEXT, with
 * further rows asked for by the names that they will have if indexes go up by one.
 */
import type { Oid } from './agent.ts';
import type { Name } from './ber.ts';
import { GUESSED_OCTETS, type Manners } from './manners.ts';
import { encodedOid, encodedOidBefore } from './oid.ts';
import type { Request } from './session.ts';
import type { ColumnWalk } from './walk.ts';

/** Rows asked of a table that was never read, to see what there is, and from then on while its end is not in sight. */
const FIRST_ROWS = 2;
const NEXT_ROWS = 10;
/** Rows asked when a table has outgrown what was known. */
const GROWTH_ROWS = 5;
/** Share of a reply that scalars may take when they ride along. */
const RIDERS_SHARE = 0.6;
/** Octets that may be wasted to save a request: about what its own frames cost both ends. */
const WORTH_A_REQUEST = 600;

export interface TableWalk {
  /** Columns that are walked. */
  readonly walks: ColumnWalk[];
  /** Columns that had no rows last time: looked at once, walked if they have some now. */
  readonly looks: ColumnWalk[];
  /** Columns of a table that had no rows at all: walked if the one that is looked at has some. */
  readonly dormant: ColumnWalk[];
  /** Rows it had last time. */
  readonly expected: number | undefined;
  /** Octets of one varbind. */
  readonly octets: number;
}

export interface Progress {
  /** Scalars for GET. */
  readonly gets: Oid[];
  /** Scalars that may ride along with a GETBULK. */
  readonly riders: Oid[];
  readonly tables: readonly TableWalk[];
  /** False: GETNEXT. */
  bulk: boolean;
  /** What requests of this read are held down to after something went wrong. */
  maxNames: number;
  maxRepetitions: number;
}

export type Slot =
  | { readonly kind: 'scalar'; readonly oid: Oid; readonly name: Uint8Array }
  | {
      readonly kind: 'column';
      readonly walk: ColumnWalk;
      /** A guess at the row before: the answer counts only if that is the last row when it is looked at. */
      readonly guess?: Uint8Array;
    };

export interface Planned {
  readonly request: Request;
  /** What the first names ask for, one varbind each: all of a GET or GETNEXT, the non-repeaters of a GETBULK. */
  readonly slots: readonly Slot[];
  /** What the names behind them ask for, `repetitions` times. */
  readonly repeaters: readonly ColumnWalk[];
  readonly repetitions: number;
  /** How long the reply will be, as far as is known. */
  readonly octets: number;
  /** Asks for more than is known to work; to be given up at the first silence. */
  readonly explores: boolean;
}

/** Undefined when everything has been read. */
export function nextRequest(progress: Progress, manners: Manners): Planned | undefined {
  const tables = progress.tables.filter(isUnfinished);
  if (progress.gets.length > 0) return planGet(progress.gets, progress, manners);
  if (tables.length === 0) {
    return progress.riders.length > 0 ? planGet(progress.riders, progress, manners) : undefined;
  }
  return progress.bulk ? planBulk(tables, progress, manners) : planNext(tables, progress, manners);
}

export function isUnfinished({ walks, looks }: TableWalk): boolean {
  return looks.some((walk) => !walk.isOver) || walks.some((walk) => !walk.isOver);
}

const mostNames = (progress: Progress, manners: Manners) => Math.min(progress.maxNames, manners.maxNames);

/** Takes scalars out of the queue; what is not answered is put back. */
function planGet(queue: Oid[], progress: Progress, manners: Manners): Planned {
  const fits = Math.max(1, Math.floor(manners.replyOctets / manners.scalarOctets));
  const oids = queue.splice(0, Math.min(fits, mostNames(progress, manners)));
  const slots = oids.map((oid): Slot => ({ kind: 'scalar', oid, name: encodedOid(oid) }));
  return {
    request: { type: 'get', names: oids.map(encodedOid) },
    slots,
    repeaters: [],
    repetitions: 0,
    octets: slots.length * manners.scalarOctets,
    explores: false,
  };
}

function planNext(tables: readonly TableWalk[], progress: Progress, manners: Manners): Planned {
  const fits = Math.max(1, Math.floor(manners.replyOctets / GUESSED_OCTETS));
  const most = Math.min(fits, mostNames(progress, manners));
  const open: Open[] = [];
  for (const { looks, walks, expected } of tables) {
    for (const walk of looks) if (!walk.isOver && open.length < most) open.push({ walk, expected });
    for (const walk of walks) if (!walk.isOver && open.length < most) open.push({ walk, expected });
  }
  const slots: Slot[] = [];
  const names: Name[] = [];
  let spare = most - open.length;
  let left = open.length;
  for (const { walk, expected } of open.sort(byProgress)) {
    slots.push({ kind: 'column', walk });
    names.push(walk.next);
    // As many as there were last time, else as many again as came so far; those that are behind get theirs first.
    const ahead = expected === undefined ? walk.count : expected - walk.count;
    const guesses = walk.guessed(Math.min(ahead, Math.ceil(spare / left)));
    for (const guess of guesses) {
      slots.push({ kind: 'column', walk, guess });
      names.push(guess);
    }
    spare -= guesses.length;
    left -= 1;
  }
  return {
    request: { type: 'get-next', names },
    slots,
    repeaters: [],
    repetitions: 0,
    octets: slots.length * GUESSED_OCTETS,
    explores: false,
  };
}

interface Open {
  readonly walk: ColumnWalk;
  readonly expected: number | undefined;
}

function byProgress(a: Open, b: Open): number {
  return a.walk.count - b.walk.count;
}

function planBulk(tables: readonly TableWalk[], progress: Progress, manners: Manners): Planned {
  const most = mostNames(progress, manners);
  const slots: Slot[] = [];
  const names: Name[] = [];
  let taken = 0;
  for (const table of tables) {
    for (const walk of table.looks) {
      if (walk.isOver || slots.length >= most) continue;
      slots.push({ kind: 'column', walk });
      names.push(walk.next);
      taken += GUESSED_OCTETS;
    }
  }
  const room = manners.replyOctets * RIDERS_SHARE;
  while (progress.riders.length > 0 && slots.length < most && taken + manners.scalarOctets <= room) {
    const oid = progress.riders.shift() as Oid;
    slots.push({ kind: 'scalar', oid, name: encodedOid(oid) });
    names.push(encodedOidBefore(oid));
    taken += manners.scalarOctets;
  }

  const batch = chooseColumns(tables, most - slots.length, manners.replyOctets - taken);
  const { rows, explores } = manners.repetitions(batch.wanted, batch.rowOctets, taken);
  const repetitions = batch.walks.length > 0 ? Math.min(rows, progress.maxRepetitions) : 0;
  for (const walk of batch.walks) names.push(walk.next);
  return {
    request: { type: 'get-bulk', names, nonRepeaters: slots.length, maxRepetitions: repetitions },
    slots,
    repeaters: batch.walks,
    repetitions,
    octets: taken + repetitions * batch.rowOctets,
    explores: explores && repetitions === rows,
  };
}

interface Batch {
  readonly walks: readonly ColumnWalk[];
  /** Rows until the longest of them is known to be over. */
  readonly wanted: number;
  readonly rowOctets: number;
}

/** The columns of the first unfinished table, and of further ones where that wastes little and fits. */
function chooseColumns(tables: readonly TableWalk[], most: number, octets: number): Batch {
  let batch: Batch = { walks: [], wanted: 0, rowOctets: 0 };
  for (const table of tables) {
    const open = table.walks.filter((walk) => !walk.isOver);
    if (open.length === 0) continue;
    if (batch.walks.length === 0) {
      // Where a table has more columns than one request takes, those that are furthest behind go first.
      const walks = open.length > most ? open.sort((a, b) => a.count - b.count).slice(0, most) : open;
      batch = { walks, wanted: rowsWanted(table, walks), rowOctets: walks.length * table.octets };
      continue;
    }
    const wanted = rowsWanted(table, open);
    const rowOctets = open.length * table.octets;
    const rows = Math.max(batch.wanted, wanted);
    const waste = (rows - batch.wanted) * batch.rowOctets + (rows - wanted) * rowOctets;
    if (batch.walks.length + open.length > most || waste > WORTH_A_REQUEST) continue;
    if (rows * (batch.rowOctets + rowOctets) > octets) continue;
    batch = { walks: [...batch.walks, ...open], wanted: rows, rowOctets: batch.rowOctets + rowOctets };
  }
  return batch;
}

/** Rows that are left, and one more that shows that the column is over. */
function rowsWanted({ expected }: TableWalk, walks: readonly ColumnWalk[]): number {
  let wanted = 1;
  for (const walk of walks) {
    if (expected === undefined)
      wanted = Math.max(wanted, walk.count === 0 ? FIRST_ROWS : Math.max(NEXT_ROWS, walk.count));
    else wanted = Math.max(wanted, walk.count > expected ? GROWTH_ROWS : expected - walk.count + 1);
  }
  return wanted;
}
