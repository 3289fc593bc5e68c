/** Writes docs/config.md and docs/metrics.md from the definitions in the code: `node scripts/references.ts`. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CATALOGUE, METRIC_NAMES } from '#collectors/catalogue.ts';
import { configJsonSchema } from '#config/load.ts';

interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
}

interface Setting {
  readonly path: string;
  readonly node: SchemaNode;
  readonly required: boolean;
}

/** Every setting below a node, depth first, `[]` for items of a list and `NAME` for keys that the user chooses. */
function* settings(node: SchemaNode, path: string): Generator<Setting> {
  for (const branch of [node, ...(node.anyOf ?? []), ...(node.oneOf ?? [])]) {
    for (const [key, value] of Object.entries(branch.properties ?? {})) {
      const own = path === '' ? key : `${path}.${key}`;
      yield { path: own, node: value, required: branch.required?.includes(key) ?? false };
      yield* settings(value, own);
    }
    if (branch.items) yield* settings(branch.items, `${path}[]`);
    if (typeof branch.additionalProperties === 'object') yield* settings(branch.additionalProperties, `${path}.NAME`);
  }
}

function kind(node: SchemaNode): string {
  if (node.enum) return node.enum.map((value) => `\`${value}\``).join(', ');
  if (node.const !== undefined) return `\`${node.const}\``;
  const branches = [...(node.anyOf ?? []), ...(node.oneOf ?? [])];
  if (branches.length > 0) return [...new Set(branches.map(kind))].join(' or ');
  if (node.type === 'array') return `list of ${node.items ? kind(node.items) : 'anything'}`;
  if (node.type === 'object') return 'map';
  if (node.type === 'string') return node.examples ? `text such as \`${node.examples[0]}\`` : 'text';
  return String(node.type ?? 'anything');
}

/** Durations are kept in milliseconds, sizes in bytes; people write them with a unit. */
function shownDefault({ node, required }: Setting): string {
  if (required) return 'needed';
  const value = node.default;
  if (value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0))
    return '–';
  if (typeof value === 'number' && node.type === 'string') return `\`${duration(value)}\``;
  return `\`${typeof value === 'object' ? JSON.stringify(value) : value}\``;
}

function duration(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const;
  const fitting = units.find(([, size]) => ms >= size && ms % size === 0);
  return fitting ? `${ms / fitting[1]}${fitting[0]}` : `${ms}ms`;
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

export function configReference(): string {
  const all = [...settings(configJsonSchema() as SchemaNode, '')];
  const seen = new Set<string>();
  const rows = all.filter(({ path }) => !seen.has(path) && seen.add(path));
  const sections = Map.groupBy(rows, ({ path }) => path.split(/[.[]/)[0] ?? '');
  const tables = [...sections].map(([name, list]) => {
    const lines = list.map(
      (setting) =>
        `| \`${setting.path}\` | ${cell(kind(setting.node))} | ${cell(shownDefault(setting))} | ${cell(setting.node.description ?? '')} |`,
    );
    return `## ${name}\n\n| setting | kind | default | meaning |\n| --- | --- | --- | --- |\n${lines.join('\n')}\n`;
  });
  return `# Every setting

Written by \`scripts/references.ts\` from \`config/schema.ts\`; change it there. \`siteward check\` says what is wrong in a config, with
line and column; \`siteward schema\` gives the JSON Schema for editors. Durations are written \`30s\`, \`5m\`, \`6h\`, \`30d\`; sizes \`512MB\`, \`1GB\`;
a secret is a text, \`{env: NAME}\` or \`{file: PATH}\`. \`[]\` stands for each item of a list, \`NAME\` for a name that you choose.

${tables.join('\n')}`;
}

export function metricsReference(): string {
  const topics = Map.groupBy(METRIC_NAMES, (name) => CATALOGUE[name].influx.measurement);
  const tables = [...topics].map(([topic, names]) => {
    const lines = names.map((name) => {
      const { type, labels, influx, help, lifetime } = CATALOGUE[name];
      return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ') || '–'} | \`${influx.field}\` ${influx.type} | ${cell(help)}${lifetime === 'lasting' ? ' Stays when the device is silent.' : ''} |`;
    });
    return `## ${topic}\n\n| Prometheus | type | labels beside \`device\` | field in InfluxDB | meaning |\n| --- | --- | --- | --- | --- |\n${lines.join('\n')}\n`;
  });
  return `# Every metric of a device

Written by \`scripts/references.ts\` from \`collectors/catalogue.ts\`; change it there. The heading is the measurement in InfluxDB, whose tags are
\`client\`, \`site\`, \`device\`, \`class\` and the labels of the metric. A value that is not known is absent. What siteward says about itself
(\`siteward_poll_…\`, \`siteward_spool_…\`, Node's process metrics) is explained in \`/metrics\`.

${tables.join('\n')}`;
}

export const REFERENCES: Readonly<Record<string, () => string>> = {
  'docs/config.md': configReference,
  'docs/metrics.md': metricsReference,
};

if (import.meta.main) {
  for (const [file, make] of Object.entries(REFERENCES))
    writeFileSync(resolve(import.meta.dirname, '..', file), make());
}
