/** The three data sources, asked as Grafana asks them. */
import { substitute } from './boards.ts';

/** What came back, as far as a test looks at it. */
export interface Answer {
  /** Labels of each series, or tags and columns. */
  readonly series: readonly ReadonlySet<string>[];
  readonly error?: string;
}

export interface DataSource {
  ask(text: string, values: Readonly<Record<string, string>>, instant: boolean): Promise<Answer>;
  /** Values of a variable's query. */
  choices(query: string, values: Readonly<Record<string, string>>): Promise<readonly string[]>;
}

const WINDOW_SECONDS = 120;

/** A Prometheus or a VictoriaMetrics. */
export function promqlSource(url: string): DataSource {
  const get = async (path: string, parameters: Readonly<Record<string, string>>) => {
    const response = await fetch(`${url}${path}?${new URLSearchParams(parameters)}`);
    return (await response.json()) as { data?: never; error?: string };
  };
  return {
    async ask(text, values, instant) {
      const query = substitute(text, { ...values, __interval: '30s', __rate_interval: '1m', __range: '2m' });
      const end = Date.now() / 1000;
      const { data, error } = instant
        ? await get('/api/v1/query', { query, time: String(end) })
        : await get('/api/v1/query_range', {
            query,
            start: String(end - WINDOW_SECONDS),
            end: String(end),
            step: '15',
          });
      if (data === undefined) return { series: [], error: error ?? 'no data' };
      const { result } = data as { result: readonly { metric?: Record<string, string> }[] };
      return { series: result.map(({ metric = {} }) => new Set(Object.keys(metric))) };
    },
    async choices(query, values) {
      const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? [];
      const { data, error } = await get(`/api/v1/label/${label}/values`, { 'match[]': substitute(selector, values) });
      if (data === undefined) throw new Error(`${query}: ${error}`);
      return data as readonly string[];
    },
  };
}

interface InfluxAnswer {
  readonly error?: string;
  readonly results?: readonly {
    readonly error?: string;
    readonly series?: readonly {
      readonly tags?: Readonly<Record<string, string>>;
      readonly columns: readonly string[];
      readonly values: readonly (readonly unknown[])[];
    }[];
  }[];
}

/** An InfluxDB 1.x, by InfluxQL. */
export function influxqlSource(url: string, database: string): DataSource {
  const get = async (q: string): Promise<InfluxAnswer> => {
    const response = await fetch(`${url}/query?${new URLSearchParams({ db: database, q })}`);
    return (await response.json()) as InfluxAnswer;
  };
  return {
    async ask(text, values) {
      const answer = await get(
        substitute(text, { ...values, __interval: '15s', timeFilter: 'time >= now() - 1h and time <= now()' }),
      );
      const [result] = answer.results ?? [];
      const error = answer.error ?? result?.error;
      const series = (result?.series ?? []).map(
        ({ tags = {}, columns }) => new Set([...Object.keys(tags), ...columns]),
      );
      return error === undefined ? { series } : { series, error };
    },
    async choices(query, values) {
      const { results = [], error } = await get(substitute(query, values));
      const fault = error ?? results[0]?.error;
      if (fault !== undefined) throw new Error(`${query}: ${fault}`);
      return (results[0]?.series ?? []).flatMap((each) => each.values.map(([, value]) => String(value)));
    },
  };
}
