/** What a report says, whatever it is printed as. All formats are made from one document, so that no figure differs. */

/** A figure or a text in a table. A plain string stands for itself in every format. */
export type Cell =
  | string
  | {
      /** As people read it: `99.95 %`, `1 h 30 min`. */
      readonly text: string;
      /** As programs read it, in the CSV: a number, an ISO time; null for what is not known. */
      readonly data: string | number | null;
      /** `bad` stands out, `weak` steps back. Never the only way in which something is said. */
      readonly tone?: 'bad' | 'weak';
    };

export interface Column {
  /** Name of the column in the CSV: snake_case, with the unit where `data` has lost it. */
  readonly key: string;
  readonly title: string;
  /** Figures stand right. */
  readonly align?: 'left' | 'right';
  /** False where a text must stay on one line, such as a time. */
  readonly wrap?: false;
  /** Said by the heading for people, and needed by programs: only in the CSV. */
  readonly onlyCsv?: true;
}

export interface Table {
  /** Name of the kind of table in the CSV. Tables of one name have the same columns, and become one block there. */
  readonly name: string;
  readonly caption?: string;
  readonly columns: readonly Column[];
  /** One cell per column. */
  readonly rows: readonly (readonly Cell[])[];
  /** Said in place of the table when it has no rows. */
  readonly empty?: string;
}

export interface Fact {
  readonly name: string;
  readonly value: Cell;
}

export interface Section {
  readonly heading: string;
  readonly facts?: readonly Fact[];
  readonly tables?: readonly Table[];
  readonly notes?: readonly string[];
}

export interface ReportDocument {
  readonly title: string;
  /** Whose report it is and of which period, in one line. */
  readonly subtitle: string;
  readonly facts?: readonly Fact[];
  readonly sections: readonly Section[];
  /** How the figures came about: rules, rounding, what is not in them. */
  readonly notes?: readonly string[];
  /** The JSON of the public contract, made from the same figures. */
  readonly json: unknown;
}

/** The table as people see it. */
export function forPeople(table: Table): Table {
  const shown = table.columns.flatMap(({ onlyCsv }, index) => (onlyCsv ? [] : [index]));
  if (shown.length === table.columns.length) return table;
  const pick = <T>(items: readonly T[]): T[] => shown.flatMap((index) => items[index] ?? []);
  return { ...table, columns: pick(table.columns), rows: table.rows.map(pick) };
}

/** A table with more columns than this is set across the page. */
const MOST_UPRIGHT_COLUMNS = 6;

/** Whether a report needs the long side of the paper: upright, the texts of its widest table would stand a word a line. */
export function isAcross({ sections }: ReportDocument): boolean {
  return sections.some(({ tables = [] }) =>
    tables.map(forPeople).some(({ columns, rows }) => rows.length > 0 && columns.length > MOST_UPRIGHT_COLUMNS),
  );
}

export const cellText = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.text);
export const cellData = (cell: Cell): string | number | null => (typeof cell === 'string' ? cell : cell.data);
export const cellTone = (cell: Cell): 'bad' | 'weak' | undefined => (typeof cell === 'string' ? undefined : cell.tone);
