/** PromQL for the boards: selectors whose metrics and labels are those of the catalogue, or the code does not compile. */
import type { CATALOGUE, MetricName } from '#collectors/catalogue.ts';
import type { Query, QueryVariable } from './query.ts';

type LabelOf<M extends MetricName> = (typeof CATALOGUE)[M]['labels'][number];
type Matchers<M extends MetricName> = Readonly<Partial<Record<LabelOf<M>, string>>>;

/** Which devices a board is about. `site`: those of the sites chosen. `device`: the devices chosen, or the one. */
export type Scope = 'site' | 'device';

const SCOPES: Readonly<Record<Scope, string>> = {
  site: 'client=~"$client",site=~"$site"',
  device: 'client=~"$client",site=~"$site",device=~"$device"',
};

/** What tells one device from all others: a name is only unique in its site. */
export const DEVICE = 'client, site, device';

/**
 * What is told less often than every five minutes. A scraped series has a value all the time; one that is pushed has
 * points only, and is gone five minutes after each.
 */
const ASKED_SELDOM: ReadonlySet<MetricName> = new Set([
  'siteward_site_info',
  'siteward_device_info',
  'siteward_interface_info',
  'siteward_license_expiry_timestamp_seconds',
  'siteward_printer_meter_last_read_timestamp_seconds',
  'siteward_printer_supply_days_left',
  'siteward_printer_supply_info',
  'siteward_sla_availability_ratio',
  'siteward_sla_budget_remaining_seconds',
  'siteward_sla_downtime_seconds',
  'siteward_sla_target_ratio',
]);
const SELDOM = '2h';

/**
 * The series of a metric within the scope. A matcher is `=` by default; `=~…`, `!=…` and `!~…` say otherwise.
 */
export function selector<M extends MetricName>(metric: M, scope: Scope, matchers?: Matchers<M>): string {
  const own = Object.entries(matchers ?? {}).map(([label, value]) => `,${label}${matcher(String(value))}`);
  return `${metric}{${SCOPES[scope]}${own.join('')}}`;
}

/** The newest value of the series, also of those that are asked seldom. */
export function newest<M extends MetricName>(metric: M, scope: Scope, matchers?: Matchers<M>): string {
  const series = selector(metric, scope, matchers);
  return ASKED_SELDOM.has(metric) ? `last_over_time(${series}[${SELDOM}])` : series;
}

function matcher(value: string): string {
  const [, operator, text] = /^(=~|!=|!~)?(.*)$/s.exec(value) ?? [];
  return `${operator ?? '='}"${text ?? ''}"`;
}

/** Those of the expression's series whose device is of the classes chosen. A set operator never stumbles over a device that was renamed. */
export function ofClass(expr: string): string {
  return `${expr} and on (${DEVICE}) ${newest('siteward_device_info', 'site', { class: '=~$class' })}`;
}

/** One series per device that says what it is; of two that a rename left behind, one. */
export function deviceInfo(scope: Scope): string {
  const series = newest('siteward_device_info', scope, scope === 'site' ? { class: '=~$class' } : undefined);
  return `topk by (${DEVICE}) (1, ${series})`;
}

/** The expression's series with labels that tell what their device is. Leaves out those of other classes. */
export function described(
  expr: string,
  labels: readonly LabelOf<'siteward_device_info'>[],
  scope: Scope = 'site',
): string {
  return `(${expr}) * on (${DEVICE}) group_left (${labels.join(', ')}) ${deviceInfo(scope)}`;
}

/** As many as there are, and nought where there are none. */
export function counted(expr: string): string {
  return `count(${expr}) or vector(0)`;
}

export function now(expr: string, legend?: string): Query {
  return { language: 'promql', expr, kind: 'instant', ...(legend === undefined ? {} : { legend }) };
}

export function over(expr: string, legend?: string): Query {
  return { language: 'promql', expr, kind: 'range', ...(legend === undefined ? {} : { legend }) };
}

/** A column of a table: one value per row, its labels as columns of their own. */
export function column(expr: string): Query {
  return { language: 'promql', expr, kind: 'instant', table: true };
}

/** The drop-downs of a board in which each narrows those behind it. */
export const VARIABLES = {
  client: variable('client', 'Client', 'siteward_device_state{state="up"}'),
  site: variable('site', 'Site', 'siteward_device_state{state="up",client=~"$client"}'),
  class: variable('class', 'Class', 'siteward_device_info{client=~"$client",site=~"$site"}'),
  device: variable('device', 'Device', 'siteward_device_info{client=~"$client",site=~"$site",class=~"$class"}'),
} as const satisfies Record<string, QueryVariable>;

/** The devices of one class, one at a time. */
export function deviceOf(deviceClass: string): QueryVariable {
  const series = `siteward_device_info{client=~"$client",site=~"$site",class="${deviceClass}"}`;
  return { ...variable('device', 'Device', series), single: true };
}

function variable(name: string, label: string, series: string): QueryVariable {
  return { name, label, query: `label_values(${series}, ${name})` };
}
