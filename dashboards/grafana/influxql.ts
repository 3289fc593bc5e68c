/**
 * InfluxQL for the boards. A tag and a field may bear one name (`availability.state` is both), so that each name says
 * which it is: without `::tag` a condition on such a name finds nothing at all, and no error tells why.
 */
import { CATALOGUE, type CatalogueEntry, type MetricName } from '#collectors/catalogue.ts';
import type { Query, QueryVariable } from './query.ts';

type LabelOf<M extends MetricName> = (typeof CATALOGUE)[M]['labels'][number];
type Scope = 'site' | 'device';

interface Selection<M extends MetricName> {
  readonly scope: Scope;
  /** Tag values, or regular expressions in slashes. */
  readonly where?: Readonly<Partial<Record<LabelOf<M>, string>>>;
  readonly by?: readonly (LabelOf<M> | 'client' | 'site' | 'device' | 'class')[];
}

const SCOPES: Readonly<Record<Scope, readonly string[]>> = {
  site: ['client', 'site', 'class'],
  device: ['client', 'site', 'device'],
};

/** The last value of each group in each interval of the board: a point that came twice is still one value. */
export function lastOver<M extends MetricName>(metric: M, selection: Selection<M>, alias?: string): Query {
  return overTime(metric, `last(${fieldOf(metric)})`, selection, alias);
}

/** What a counter grows by per second. A fall is a restart of its device, and left out. */
export function rateOver<M extends MetricName>(metric: M, selection: Selection<M>, alias?: string): Query {
  return overTime(metric, `non_negative_derivative(last(${fieldOf(metric)}), 1s)`, selection, alias);
}

/** What a counter grew by from one interval to the next. */
export function growthOver<M extends MetricName>(metric: M, selection: Selection<M>, alias?: string): Query {
  return overTime(metric, `non_negative_difference(last(${fieldOf(metric)}))`, selection, alias);
}

/** The newest value of each group as rows of a table. */
export function lastOf<M extends MetricName>(metric: M, selection: Selection<M>, column = 'value'): Query {
  return table(metric, `last(${fieldOf(metric)}) AS "${column}"`, selection);
}

/** What a counter grew by in the time of the board, as rows of a table. */
export function spreadOf<M extends MetricName>(metric: M, selection: Selection<M>, column = 'value'): Query {
  return table(metric, `spread(${fieldOf(metric)}) AS "${column}"`, selection);
}

/** When something was so, for annotations: the points whose field is 1. */
export function whenRaised<M extends MetricName>(metric: M, selection: Selection<M>, text: LabelOf<M>): string {
  const { measurement } = CATALOGUE[metric].influx;
  const conditions = [...conditionsOf(selection), `${fieldOf(metric)} = 1`];
  return `SELECT ${fieldOf(metric)}, "device"::tag, "${text}"::tag FROM "${measurement}" WHERE ${conditions.join(' AND ')}`;
}

function overTime<M extends MetricName>(metric: M, what: string, selection: Selection<M>, alias?: string): Query {
  const { measurement } = CATALOGUE[metric].influx;
  const groups = ['time($__interval)', ...groupsOf(selection)];
  const statement = `SELECT ${what} FROM "${measurement}" WHERE ${conditionsOf(selection).join(' AND ')} GROUP BY ${groups.join(', ')} fill(none)`;
  return { language: 'influxql', statement, ...(alias === undefined ? {} : { alias }) };
}

function table<M extends MetricName>(metric: M, what: string, selection: Selection<M>): Query {
  const { measurement } = CATALOGUE[metric].influx;
  const groups = groupsOf(selection);
  const grouped = groups.length === 0 ? '' : ` GROUP BY ${groups.join(', ')}`;
  const statement = `SELECT ${what} FROM "${measurement}" WHERE ${conditionsOf(selection).join(' AND ')}${grouped}`;
  return { language: 'influxql', statement, table: true };
}

function fieldOf(metric: MetricName): string {
  return `"${CATALOGUE[metric].influx.field}"::field`;
}

function conditionsOf<M extends MetricName>({ scope, where }: Selection<M>): string[] {
  const chosen = SCOPES[scope].map((tag) => `"${tag}"::tag =~ /^$${tag}$/`);
  const own = Object.entries(where ?? {}).map(([tag, value]) => {
    const text = String(value);
    return text.startsWith('/') ? `"${tag}"::tag =~ ${text}` : `"${tag}"::tag = '${text}'`;
  });
  return [...chosen, ...own, '$timeFilter'];
}

function groupsOf<M extends MetricName>({ by = [] }: Selection<M>): string[] {
  return by.map((tag) => `"${tag}"`);
}

/** The drop-downs of a board in which each narrows those behind it. */
export const INFLUX_VARIABLES = {
  client: variable('client', 'Client', []),
  site: variable('site', 'Site', ['client']),
  class: variable('class', 'Class', ['client', 'site']),
  device: { ...variable('device', 'Device', ['client', 'site', 'class']), single: true },
} as const satisfies Record<string, QueryVariable>;

function variable(name: string, label: string, narrowedBy: readonly string[]): QueryVariable {
  const entry: CatalogueEntry = CATALOGUE.siteward_device_info;
  const where = narrowedBy.map((tag) => `"${tag}" =~ /^$${tag}$/`);
  const conditions = where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`;
  const query = `SHOW TAG VALUES FROM "${entry.influx.measurement}" WITH KEY = "${name}"${conditions}`;
  return { name, label, query };
}
