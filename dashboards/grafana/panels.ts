/**
 * The only file that knows the Grafana SDK. Boards are written with the few builders here, so that all of them look
 * and behave alike: one data source variable, sizes on one grid, colours that mean the same everywhere.
 */
import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import type * as cog from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as sdk from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as statPanel from '@grafana/grafana-foundation-sdk/stat';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as tablePanel from '@grafana/grafana-foundation-sdk/table';
import * as timeseriesPanel from '@grafana/grafana-foundation-sdk/timeseries';
import { reference } from './links.ts';
import type { Query, QueryVariable } from './query.ts';
import type { Step, Unit } from './units.ts';

export interface PanelOptions {
  /** Of 24 columns. */
  readonly width: number;
  readonly height?: number;
  readonly unit: Unit;
  readonly description?: string;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  /** Colours from a value on, the lowest first. */
  readonly steps?: readonly Step[];
  /** Texts and colours for whole values. */
  readonly words?: Readonly<Record<string, { readonly text: string; readonly color: string }>>;
  /** What stands there when there is nothing to show. */
  readonly empty?: string;
}

export interface TableOptions extends Omit<PanelOptions, 'unit'> {
  /** Columns in their order: the name of the label, or `Value #A` for the first query, `Value #B` … */
  readonly columns: readonly TableColumn[];
  /** Title of the column that the rows are sorted by; a leading `-` for the largest first. */
  readonly sortBy?: string;
}

export interface TableColumn {
  readonly field: string;
  readonly title: string;
  readonly unit?: Unit;
  readonly steps?: readonly Step[];
  readonly words?: PanelOptions['words'];
  readonly bar?: true;
  /** Address that a click opens. */
  readonly link?: string;
}

/** A panel with its size; the board gives it its place. */
export interface Placed {
  readonly width: number;
  readonly height: number;
  readonly panel: { build(): sdk.Panel; id(id: number): unknown; gridPos(position: sdk.GridPos): unknown };
}

export interface Section {
  readonly title: string;
  readonly panels: readonly Placed[];
}

export interface Board {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly language: Query['language'];
  readonly variables: readonly QueryVariable[];
  readonly sections: readonly Section[];
  readonly from: string;
  readonly refresh: string;
  readonly annotations?: readonly Annotation[];
}

export interface Annotation {
  readonly name: string;
  readonly color: string;
  /** PromQL, or InfluxQL that gives points. */
  readonly query: string;
  readonly title: string;
  /** Label or column that becomes the tag of the mark. */
  readonly tag: string;
}

const DATASOURCE = { promql: 'prometheus', influxql: 'influxdb' } as const;
const TAG = 'siteward';

/** Numbers as large as can be. */
export function stat(title: string, queries: readonly Query[], options: PanelOptions): Placed {
  const panel = described(new statPanel.PanelBuilder(), title, queries, options)
    .reduceOptions(lastValue())
    .colorMode(options.steps || options.words ? common.BigValueColorMode.Background : common.BigValueColorMode.Value)
    .graphMode(common.BigValueGraphMode.None);
  return { width: options.width, height: options.height ?? 4, panel };
}

/** Lines over time. */
export function lines(title: string, queries: readonly Query[], options: PanelOptions): Placed {
  const panel = described(new timeseriesPanel.PanelBuilder(), title, queries, options)
    .fillOpacity(8)
    .showPoints(common.VisibilityMode.Never)
    .spanNulls(300_000)
    .legend(legend())
    .tooltip(
      new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending),
    );
  return { width: options.width, height: options.height ?? 8, panel };
}

/** Amounts per interval, stacked. */
export function columns(title: string, queries: readonly Query[], options: PanelOptions): Placed {
  const panel = described(new timeseriesPanel.PanelBuilder(), title, queries, options)
    .drawStyle(common.GraphDrawStyle.Bars)
    .fillOpacity(60)
    .stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal))
    .legend(legend());
  return { width: options.width, height: options.height ?? 8, panel };
}

/** One horizontal bar per series. */
export function bars(title: string, queries: readonly Query[], options: PanelOptions): Placed {
  const panel = described(new bargauge.PanelBuilder(), title, queries, options)
    .reduceOptions(lastValue())
    .displayMode(common.BarGaugeDisplayMode.Basic)
    .orientation(common.VizOrientation.Horizontal);
  return { width: options.width, height: options.height ?? 8, panel };
}

/** What something was, when. */
export function timeline(title: string, queries: readonly Query[], options: PanelOptions): Placed {
  const panel = described(new statetimeline.PanelBuilder(), title, queries, options)
    .mergeValues(true)
    .showValue(common.VisibilityMode.Never)
    .fillOpacity(85)
    .legend(new common.VizLegendOptionsBuilder().showLegend(false).displayMode(common.LegendDisplayMode.List));
  return { width: options.width, height: options.height ?? 8, panel };
}

/** Rows and columns. Several queries are joined by the labels that they share. */
export function table(title: string, queries: readonly Query[], options: TableOptions): Placed {
  const { columns: shown, sortBy } = options;
  const panel = described(new tablePanel.PanelBuilder(), title, queries, { ...options, unit: 'none' })
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'filterFieldsByName',
      options: { include: { names: shown.map(({ field }) => field) } },
    })
    .withTransformation({
      id: 'organize',
      options: {
        indexByName: Object.fromEntries(shown.map(({ field }, index) => [field, index])),
        renameByName: Object.fromEntries(shown.map(({ field, title: name }) => [field, name])),
      },
    })
    .filterable(true);
  if (sortBy !== undefined) {
    const sort = new common.TableSortByFieldStateBuilder().displayName(sortBy.replace(/^-/, ''));
    panel.sortBy([sort.desc(sortBy.startsWith('-'))]);
  }
  for (const each of shown) {
    const properties = columnProperties(each);
    if (properties.length > 0) panel.overrideByName(each.title, properties);
  }
  return { width: options.width, height: options.height ?? 10, panel };
}

/** The board as Grafana reads it. */
export function build(board: Board): sdk.Dashboard {
  const builder = new sdk.DashboardBuilder(board.title)
    .uid(board.uid)
    .description(board.description)
    .tags([TAG, board.language === 'promql' ? 'prometheus' : 'influxdb'])
    .time({ from: board.from, to: 'now' })
    .refresh(board.refresh)
    .timezone('browser')
    .tooltip(sdk.DashboardCursorSync.Crosshair)
    .editable()
    .links([
      new sdk.DashboardLinkBuilder('siteward')
        .type(sdk.DashboardLinkType.Dashboards)
        .tags([TAG, board.language === 'promql' ? 'prometheus' : 'influxdb'])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    ])
    .withVariable(
      new sdk.DatasourceVariableBuilder('datasource').label('Data source').type(DATASOURCE[board.language]),
    );
  for (const variable of board.variables) builder.withVariable(queryVariable(variable, board.language));
  for (const annotation of board.annotations ?? []) builder.annotation(annotationQuery(annotation, board.language));
  const dashboard = builder.build();
  dashboard.panels = placed(board.sections);
  return dashboard;
}

/** Left to right, then down; a row with its title above each section. */
function placed(sections: readonly Section[]): (sdk.Panel | sdk.RowPanel)[] {
  const result: (sdk.Panel | sdk.RowPanel)[] = [];
  let id = 1;
  let y = 0;
  for (const { title, panels } of sections) {
    const row = new sdk.RowBuilder(title).id(id++).gridPos({ x: 0, y, w: 24, h: 1 }).build();
    result.push({ ...row, panels: [] });
    y += 1;
    let x = 0;
    let tallest = 0;
    for (const { width, height, panel } of panels) {
      if (x + width > 24) {
        y += tallest;
        x = 0;
        tallest = 0;
      }
      panel.id(id++);
      panel.gridPos({ x, y, w: width, h: height });
      result.push(panel.build());
      x += width;
      tallest = Math.max(tallest, height);
    }
    y += tallest;
  }
  return result;
}

/** What the builders of all kinds of panels have in common. */
interface Describable {
  title(title: string): unknown;
  description(text: string): unknown;
  datasource(reference: common.DataSourceRef): unknown;
  targets(targets: cog.Builder<cog.Dataquery>[]): unknown;
  unit(unit: string): unknown;
  decimals(decimals: number): unknown;
  min(min: number): unknown;
  max(max: number): unknown;
  noValue(text: string): unknown;
  mappings(mappings: sdk.ValueMapping[]): unknown;
  thresholds(thresholds: cog.Builder<sdk.ThresholdsConfig>): unknown;
  colorScheme(color: cog.Builder<sdk.FieldColor>): unknown;
}

function described<B extends Describable>(
  builder: B,
  title: string,
  queries: readonly Query[],
  options: PanelOptions,
): B {
  const { unit, description, decimals, min, max, steps, words, empty } = options;
  const [first] = queries;
  if (!first) throw new Error(`the panel ${title} asks for nothing`);
  builder.title(title);
  builder.datasource(datasource(first.language));
  builder.targets(queries.map(target));
  builder.unit(unit);
  if (description !== undefined) builder.description(description);
  if (decimals !== undefined) builder.decimals(decimals);
  if (min !== undefined) builder.min(min);
  if (max !== undefined) builder.max(max);
  if (empty !== undefined) builder.noValue(empty);
  if (words) builder.mappings([mapping(words)]);
  if (steps) builder.thresholds(thresholds(steps));
  if (steps || words) builder.colorScheme(new sdk.FieldColorBuilder().mode(sdk.FieldColorModeId.Thresholds));
  return builder;
}

function datasource(language: Query['language']): common.DataSourceRef {
  return { type: DATASOURCE[language], uid: reference('datasource') };
}

function target(query: Query, index: number): cog.Builder<cog.Dataquery> {
  const refId = String.fromCharCode(65 + index);
  if (query.language === 'influxql') return new InfluxQuery(query, refId);
  const builder = new prometheus.DataqueryBuilder().refId(refId).expr(query.expr).datasource(datasource('promql'));
  if (query.legend !== undefined) builder.legendFormat(query.legend);
  if (query.kind === 'instant') builder.instant();
  else builder.range();
  if (query.table) builder.format(prometheus.PromQueryFormat.Table);
  return builder;
}

/** The SDK has no builder for InfluxQL; this is what Grafana's InfluxDB data source stores of a written query. */
class InfluxQuery implements cog.Builder<cog.Dataquery> {
  readonly #query: Extract<Query, { language: 'influxql' }>;
  readonly #refId: string;

  constructor(query: Extract<Query, { language: 'influxql' }>, refId: string) {
    this.#query = query;
    this.#refId = refId;
  }

  build(): cog.Dataquery {
    const { statement, alias, table: rows } = this.#query;
    const stored = {
      refId: this.#refId,
      datasource: datasource('influxql'),
      query: statement,
      rawQuery: true,
      resultFormat: rows ? 'table' : 'time_series',
      ...(alias === undefined ? {} : { alias }),
      _implementsDataqueryVariant() {},
    };
    return stored;
  }
}

function queryVariable({ name, label, query, single }: QueryVariable, language: Query['language']) {
  const builder = new sdk.QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource(language))
    .query(language === 'promql' ? { query, refId: 'StandardVariableQuery' } : query)
    .definition(query)
    .refresh(sdk.VariableRefresh.OnTimeRangeChanged)
    .sort(sdk.VariableSort.AlphabeticalCaseInsensitiveAsc);
  if (single) return builder.multi(false).includeAll(false);
  // `.*` takes in what has no such label: a single site that is scraped without one.
  return builder
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}

function annotationQuery({ name, color, query, title, tag }: Annotation, language: Query['language']) {
  const builder = new sdk.AnnotationQueryBuilder().name(name).enable(true).iconColor(color);
  builder.datasource(datasource(language));
  if (language === 'promql') return builder.expr(query).step('60s').titleFormat(title).tagKeys(tag);
  const stored = {
    refId: 'Anno',
    query,
    rawQuery: true,
    fromAnnotations: true,
    textColumn: 'device',
    tagsColumn: tag,
    _implementsDataqueryVariant() {},
  };
  return builder.target({ build: () => stored });
}

function columnProperties({ unit, steps, words, bar, link }: TableColumn): sdk.DynamicConfigValue[] {
  const properties: sdk.DynamicConfigValue[] = [];
  if (unit) properties.push({ id: 'unit', value: unit });
  if (words) properties.push({ id: 'mappings', value: [mapping(words)] });
  if (steps) properties.push({ id: 'thresholds', value: thresholds(steps).build() });
  if (bar) {
    properties.push({ id: 'custom.cellOptions', value: { type: 'gauge', mode: 'basic' } });
    properties.push({ id: 'min', value: 0 }, { id: 'max', value: 1 });
  } else if (steps || words) properties.push({ id: 'custom.cellOptions', value: { type: 'color-text' } });
  if (link) properties.push({ id: 'links', value: [{ title: 'Open', url: link }] });
  return properties;
}

function mapping(words: NonNullable<PanelOptions['words']>): sdk.ValueMap {
  const options = Object.entries(words).map(([value, word], index) => [value, { ...word, index }] as const);
  return { type: sdk.MappingType.ValueToText, options: Object.fromEntries(options) };
}

function thresholds(steps: readonly Step[]): sdk.ThresholdsConfigBuilder {
  return new sdk.ThresholdsConfigBuilder()
    .mode(sdk.ThresholdsMode.Absolute)
    .steps(steps.map(({ from, color }) => ({ value: from, color })));
}

function lastValue(): common.ReduceDataOptionsBuilder {
  return new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']);
}

function legend(): common.VizLegendOptionsBuilder {
  return new common.VizLegendOptionsBuilder()
    .displayMode(common.LegendDisplayMode.List)
    .placement(common.LegendPlacement.Bottom)
    .showLegend(true);
}
