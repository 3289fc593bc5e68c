/** What the schema of a profile cannot see: names of metrics, labels, tables and columns that do not exist. */
import type { Condition, ProfileSettings, ReadingSettings, SourceSettings, Value, ValueOrText } from './profile.ts';
import type { Profile } from './profiles.ts';

/** Labels of each metric, beside `device`. */
export type MetricShapes = Readonly<Record<string, { readonly labels: readonly string[] }>>;

type Path = readonly PropertyKey[];
type Report = (path: Path, message: string) => void;

interface Place {
  readonly tables: Profile['tables'];
  /** Table of the row at hand. */
  readonly rows: string | undefined;
  readonly report: Report;
}

/** Reports every name in `settings` that stands for nothing; `profile` is the same profile with what it extends. */
export function checkReferences(
  settings: ProfileSettings,
  profile: Profile,
  metrics: MetricShapes,
  report: Report,
): void {
  const place: Place = { tables: profile.tables, rows: undefined, report };
  if (!settings.abstract && settings.match.length === 0)
    report(['title'], 'is a profile that nothing matches (write match, or abstract: true for a shared part)');
  for (const [field, value] of Object.entries(settings.identity)) {
    if (value !== undefined) checkValue(value, ['identity', field], place);
  }
  for (const [name, table] of Object.entries(settings.tables)) {
    for (const [position, column] of table.slow.entries()) {
      if (!profile.tables[name]?.columns[column])
        report(['tables', name, 'slow', position], `table ${name} has no column ${column}`);
    }
  }
  for (const [area, written] of Object.entries(settings.areas)) {
    const base: Path = Array.isArray(written) ? ['areas', area] : ['areas', area, 'sources'];
    const sources: readonly SourceSettings[] = Array.isArray(written) ? written : written.sources;
    for (const [position, source] of sources.entries()) {
      if (source !== 'inherit') checkSource(source, [...base, position], place, metrics);
    }
  }
}

function checkSource(
  source: Exclude<SourceSettings, 'inherit'>,
  path: Path,
  place: Place,
  metrics: MetricShapes,
): void {
  const { rows } = source;
  if (rows !== undefined && !place.tables[rows]) {
    place.report([...path, 'rows'], `there is no table ${rows}${known(Object.keys(place.tables))}`);
    return;
  }
  const inside = { ...place, rows };
  checkConditions(source.where ?? [], [...path, 'where'], inside);
  checkConditions(source.when ?? [], [...path, 'when'], place);
  for (const [position, reading] of source.readings.entries()) {
    checkReading(reading, [...path, 'readings', position], inside, metrics);
  }
}

const VALUE_KEYS = [
  'value',
  'size',
  'used',
  'free',
  'used_ratio',
  'memory',
  'filesystem',
  'unit',
  'supply',
  'description',
  'level',
  'max',
  'class',
  'type',
  'color',
  'inverted',
  'state',
  'tray',
] as const;

function checkReading(reading: ReadingSettings, path: Path, place: Place, metrics: MetricShapes): void {
  for (const key of VALUE_KEYS) {
    const value: unknown = Reflect.get(reading, key);
    if (value !== undefined && typeof value !== 'boolean') checkValue(value as ValueOrText, [...path, key], place);
  }
  if (reading.when) checkConditions(reading.when, [...path, 'when'], place);
  for (const key of ['metric', 'states', 'flags'] as const) {
    const metric: unknown = Reflect.get(reading, key);
    if (typeof metric === 'string') checkMetric(metric, key, reading, path, place, metrics);
  }
}

function checkMetric(
  metric: string,
  key: 'metric' | 'states' | 'flags',
  reading: ReadingSettings,
  path: Path,
  place: Place,
  metrics: MetricShapes,
): void {
  const shape = metrics[metric];
  if (!shape) {
    const near = Object.keys(metrics).find((name) => name.includes(metric) || metric.includes(name));
    place.report([...path, key], `there is no metric ${metric}${near ? ` (did you mean ${near}?)` : ''}`);
    return;
  }
  const labels = ('labels' in reading && reading.labels) || {};
  const own = 'label' in reading ? reading.label : undefined;
  if (own !== undefined && !shape.labels.includes(own))
    place.report([...path, 'label'], `${metric} has no label ${own}${known(shape.labels)}`);
  for (const [label, value] of Object.entries(labels)) {
    if (!shape.labels.includes(label))
      place.report([...path, 'labels', label], `${metric} has no label ${label}${known(shape.labels)}`);
    checkValue(value, [...path, 'labels', label], place);
  }
  const [first] = shape.labels.filter((label) => label !== own);
  if (first !== undefined && labels[first] === undefined)
    place.report([...path, key], `${metric} needs a label ${first} (write labels: {${first}: …})`);
}

function checkValue(value: ValueOrText, path: Path, place: Place): void {
  if (typeof value !== 'object') return;
  if (value.column !== undefined) checkColumn(place.rows, value.column, [...path, 'column'], place);
  if (value.index !== undefined && place.rows === undefined)
    place.report([...path, 'index'], 'there is no row here (write rows: TABLE at the source)');
  for (const key of ['lookup', 'row', 'aggregate'] as const) {
    const part = value[key];
    if (!part) continue;
    const found = checkTable(part.table, [...path, key, 'table'], place);
    if (!found) continue;
    checkColumn(part.table, part.column, [...path, key, 'column'], place);
    if ('where' in part && part.where) {
      checkConditions(part.where, [...path, key, 'where'], { ...place, rows: part.table });
    }
  }
  checkValues(value.lookup?.index, [...path, 'lookup', 'index'], place);
  for (const key of OPERATORS) checkValues(value[key], [...path, key], place);
  if (value.when) checkConditions(value.when, [...path, 'when'], place);
}

const OPERATORS = [
  'first',
  'sum',
  'difference',
  'product',
  'quotient',
  'max',
  'min',
  'join',
] as const satisfies readonly (keyof Value)[];

function checkValues(values: readonly ValueOrText[] | undefined, path: Path, place: Place): void {
  for (const [position, value] of values?.entries() ?? []) checkValue(value, [...path, position], place);
}

function checkConditions(conditions: readonly Condition[], path: Path, place: Place): void {
  for (const [position, condition] of conditions.entries()) {
    if (condition.value !== undefined) checkValue(condition.value, [...path, position, 'value'], place);
    if (condition.any) checkConditions(condition.any, [...path, position, 'any'], place);
  }
}

function checkTable(name: string, path: Path, place: Place): boolean {
  if (place.tables[name]) return true;
  place.report(path, `there is no table ${name}${known(Object.keys(place.tables))}`);
  return false;
}

function checkColumn(table: string | undefined, column: string, path: Path, place: Place): void {
  if (table === undefined) {
    place.report(path, 'there is no row here (write rows: TABLE at the source, or oid instead of column)');
    return;
  }
  const columns = place.tables[table]?.columns;
  if (columns && !columns[column])
    place.report(path, `table ${table} has no column ${column}${known(Object.keys(columns))}`);
}

function known(names: readonly string[]): string {
  return names.length > 0 ? ` (write one of ${names.join(', ')})` : '';
}
