import type { z } from 'zod';
import type { Position, YamlDocument } from './yaml.ts';

/** One thing that is wrong in a file, with what to write instead in `message`. */
export interface Fault extends Position {
  readonly file: string;
  /** `devices[1].port`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** `FILE:LINE:COL: key.path: what is wrong (what to write instead)` */
export function describeFault({ file, line, column, path, message }: Fault): string {
  return `${file}:${line}:${column}: ${path ? `${path}: ` : ''}${message}`;
}

export function describePath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text ? `${text}.${String(step)}` : String(step)),
    '',
  );
}

type Issue = z.core.$ZodIssue;

/** The faults that a schema found in a YAML document, in the order of the file. */
export function locateIssues(
  file: string,
  document: YamlDocument,
  issues: readonly Issue[],
  schema: z.core.JSONSchema.BaseSchema,
): Fault[] {
  return inOrder(issues.flatMap((issue) => faultsOf(file, document, issue, schema)));
}

/** As they stand in the file. */
export function inOrder(faults: readonly Fault[]): Fault[] {
  return faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function faultsOf(file: string, document: YamlDocument, issue: Issue, schema: z.core.JSONSchema.BaseSchema): Fault[] {
  const value = valueAt(document.value, issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, issue.path);
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      return { file, path: describePath(path), ...document.positionOf(path, 'key'), message: unknownKey(key, known) };
    });
  }
  if (issue.code === 'invalid_union') {
    const branch = closestBranch(issue.errors);
    if (branch)
      return branch.flatMap((inner) =>
        faultsOf(file, document, { ...inner, path: [...issue.path, ...inner.path] }, schema),
      );
  }
  const of = issue.code === 'invalid_key' ? 'key' : 'value';
  return [
    { file, path: describePath(issue.path), ...document.positionOf(issue.path, of), message: wording(issue, value) },
  ];
}

/** Of the ways a union could have been meant, the one that came furthest: a mistake inside it is what is to be told. */
function closestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const inside = branches.filter(
    (issues) =>
      issues.length > 0 &&
      issues.some(({ path, code }) => path.length > 0 || code === 'unrecognized_keys' || code === 'custom'),
  );
  return inside.toSorted((a, b) => a.length - b.length)[0];
}

function wording(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      if (value === undefined) return `is missing (write ${article(issue.expected)})`;
      // Messages of our own fields say better what to write.
      return issue.message.startsWith('Invalid input')
        ? `expected ${article(issue.expected)}, got ${shown(value)} (write ${example(issue.expected)})`
        : issue.message;
    case 'invalid_value':
      if (issue.values.length === 1)
        return `expected ${issue.values.join()}, got ${shown(value)} (write ${String(issue.values[0])})`;
      return `${value === undefined ? 'is missing' : `${shown(value)} is not known`} (write one of ${issue.values.join(', ')})`;
    case 'too_small':
      if (issue.origin === 'array') return `has too few items (write ${issue.minimum} or more)`;
      if (issue.origin === 'string')
        return `is empty (write ${issue.minimum === 1 ? 'a text' : `${issue.minimum} characters or more`})`;
      return `${shown(value)} is too small (write ${issue.minimum} or more)`;
    case 'too_big':
      return `${shown(value)} is too large (write ${issue.maximum} or less)`;
    case 'invalid_key':
      return issue.issues.map(({ message }) => message).join('; ') || `${shown(value)} cannot be a key here`;
    case 'invalid_format':
      return issue.format === 'url' ? `${shown(value)} is not a URL (write http://influx.example:8086)` : issue.message;
    default:
      return issue.message;
  }
}

function article(expected: string): string {
  if (expected === 'object' || expected === 'record') return 'a map of keys and values';
  if (expected === 'array') return 'a list';
  if (expected === 'int') return 'a whole number';
  if (expected === 'string') return 'a text';
  return `a ${expected}`;
}

function example(expected: string): string {
  const examples: Record<string, string> = {
    string: 'it in quotes',
    boolean: 'true or false',
    array: 'items that begin with "- "',
    object: 'key: value lines',
    record: 'key: value lines',
    int: 'digits only',
    number: 'digits only',
  };
  return examples[expected] ?? article(expected);
}

/** A value as a message may repeat it: short, and never a part of something larger that might hold a secret. */
function shown(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** The key that was probably meant, if there is one so near. */
export function nearestKey(key: string, known: readonly string[]): string | undefined {
  const best = known
    .map((candidate) => ({ candidate, distance: distance(key, candidate) }))
    .toSorted((a, b) => a.distance - b.distance)[0];
  return best && best.distance <= Math.max(2, Math.floor(key.length / 3)) ? best.candidate : undefined;
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearestKey(key, known);
  if (meant !== undefined) return `is not a key here (did you mean ${meant}?)`;
  return known.length > 0 ? `is not a key here (write one of ${known.join(', ')})` : 'is not a key here (remove it)';
}

/** Optimal string alignment: insertions, deletions, changes and neighbours swapped. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    const at = (r: number, c: number) => rows[r]?.[c] ?? Number.POSITIVE_INFINITY;
    for (let j = 1; j <= b.length; j += 1) {
      let cost = Math.min(at(i - 1, j) + 1, (row[j - 1] ?? 0) + 1, at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, at(i - 2, j - 2) + 1);
      row.push(cost);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}

export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) => (typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined),
    root,
  );
}

interface SchemaNode {
  readonly properties?: Record<string, SchemaNode>;
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly allOf?: readonly SchemaNode[];
  readonly $ref?: string;
  readonly $defs?: Record<string, SchemaNode>;
}

export function knownKeys(schema: z.core.JSONSchema.BaseSchema, path: readonly PropertyKey[]): string[] {
  const root = schema as SchemaNode;
  let nodes = alternatives(root, root);
  for (const step of path) {
    nodes = nodes.flatMap((node) => {
      const next =
        typeof step === 'number'
          ? node.items
          : (node.properties?.[String(step)] ??
            (typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined));
      return next ? alternatives(next, root) : [];
    });
  }
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
}

function alternatives(node: SchemaNode, root: SchemaNode): SchemaNode[] {
  const target =
    node.$ref === undefined ? node : node.$ref === '#' ? root : (root.$defs?.[node.$ref.replace('#/$defs/', '')] ?? {});
  const nested = [...(target.anyOf ?? []), ...(target.oneOf ?? []), ...(target.allOf ?? [])];
  return [target, ...nested.flatMap((inner) => alternatives(inner, root))];
}
