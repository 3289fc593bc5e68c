/** The generated boards as Grafana would read them, flattened to what is asked of a data source. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BOARDS_FOLDER } from '../../scripts/generate-dashboards.ts';

export interface Target {
  readonly refId: string;
  readonly expr?: string;
  readonly query?: string;
  readonly instant?: boolean;
  readonly legendFormat?: string;
  readonly alias?: string;
  readonly format?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly targets?: readonly Target[];
  readonly fieldConfig?: {
    readonly defaults: { readonly unit?: string };
    readonly overrides: readonly {
      readonly matcher: { readonly options: string };
      readonly properties: readonly { readonly id: string; readonly value: unknown }[];
    }[];
  };
  readonly transformations?: readonly { readonly id: string; readonly options: TransformationOptions }[];
}

interface TransformationOptions {
  readonly renameByName?: Readonly<Record<string, string>>;
}

export interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query: string | { readonly query: string };
  readonly multi?: boolean;
  readonly allValue?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
}

export interface Annotation {
  readonly name: string;
  readonly expr?: string;
  readonly target?: { readonly query?: string };
  readonly datasource?: { readonly type: string; readonly uid: string };
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly annotations: { readonly list?: readonly Annotation[] };
}

export interface Asked {
  readonly board: string;
  /** Where it stands, for messages: panel title and query letter, or annotation. */
  readonly where: string;
  readonly language: 'promql' | 'influxql';
  readonly text: string;
  readonly instant: boolean;
  readonly panel?: Panel;
  readonly target?: Target;
}

export const DASHBOARDS: readonly Dashboard[] = readdirSync(BOARDS_FOLDER).map(
  (name): Dashboard => JSON.parse(readFileSync(join(BOARDS_FOLDER, name), 'utf8')),
);

/** Every query of the board's panels and annotations. */
export function asked(dashboard: Dashboard): Asked[] {
  const board = dashboard.uid;
  const panels = dashboard.panels.flatMap((panel) =>
    (panel.targets ?? []).map((target): Asked => {
      const where = `${panel.title} ${target.refId}`;
      return target.expr === undefined
        ? { board, where, language: 'influxql', text: target.query ?? '', instant: false, panel, target }
        : { board, where, language: 'promql', text: target.expr, instant: target.instant ?? false, panel, target };
    }),
  );
  const annotations = (dashboard.annotations.list ?? []).map(
    ({ name, expr, target }): Asked => ({
      board,
      where: `annotation ${name}`,
      language: expr === undefined ? 'influxql' : 'promql',
      text: expr ?? target?.query ?? '',
      instant: false,
    }),
  );
  return [...panels, ...annotations];
}

export function queryOf({ query }: Variable): string {
  return typeof query === 'string' ? query : query.query;
}

/** `$name` and `${name}` as Grafana replaces them; unknown ones stay. */
export function substitute(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{?(\w+)\}?/g, (whole, name: string) => values[name] ?? whole);
}
