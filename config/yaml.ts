/**
 * Text to plain values, with the place of each: the only file that knows `yaml`. Whoever reads settings from YAML
 * (the config, the profiles) gets the same limits and the same way of pointing at a fault.
 */
import { LineCounter, isAlias, isCollection, isMap, isNode, isScalar, isSeq, parseDocument, visit } from 'yaml';

/** Line and column, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Something wrong in a file, to be shown as `FILE:LINE:COL: PATH: MESSAGE`. */
export interface Fault extends Position {
  readonly file: string;
  /** `devices[1].port`, `''` for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

export type Path = readonly PropertyKey[];

export interface YamlFile {
  readonly value: unknown;
  /** Syntax errors and limits that were passed. Where there are any, `value` is undefined. */
  readonly faults: readonly Fault[];
  /** Where the value at `path` stands; where there is none, its nearest parent. `key` points at the key instead. */
  positionOf(path: Path, at?: 'key' | 'value'): Position;
}

const MAX_BYTES = 1_000_000;
const MAX_ALIASES = 100;
const MAX_DEPTH = 32;

/** Parses one YAML 1.2 document. Never throws: what is wrong is in `faults`. */
export function parseYaml(text: string, file: string): YamlFile {
  const start: Position = { line: 1, column: 1 };
  const refused = (message: string, position: Position = start): YamlFile => ({
    value: undefined,
    faults: [{ file, ...position, path: '', message }],
    positionOf: () => position,
  });
  if (Buffer.byteLength(text) > MAX_BYTES) return refused(`is larger than ${MAX_BYTES} bytes (split it)`);

  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    strict: true,
    customTags: [],
    resolveKnownTags: false,
  });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const errors = [...document.errors, ...document.warnings];
  if (errors.length > 0) {
    const faults = errors.map((error) => ({ file, ...at(error.pos[0]), path: '', message: sentence(error.message) }));
    return { value: undefined, faults, positionOf: () => start };
  }

  let depthFault: Position | undefined;
  visit(document, {
    Collection(_key, node, ancestors) {
      if (ancestors.length <= MAX_DEPTH) return undefined;
      depthFault = at(node.range?.[0] ?? 0);
      return visit.BREAK;
    },
  });
  if (depthFault) return refused(`is nested deeper than ${MAX_DEPTH} levels`, depthFault);

  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    return refused(sentence(error instanceof Error ? error.message : String(error)));
  }

  const positionOf = (path: Path, which: 'key' | 'value' = 'value'): Position => {
    let node: unknown = document.contents;
    let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    for (const [depth, step] of path.entries()) {
      if (isAlias(node)) node = node.resolve(document);
      if (!isCollection(node)) break;
      const last = depth === path.length - 1;
      let next: unknown;
      if (isSeq(node)) next = node.items[Number(step)];
      else if (isMap(node)) {
        const pair = node.items.find((item) => String(isScalar(item.key) ? item.key.value : item.key) === String(step));
        if (pair && isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
        if (last && which === 'key') return at(offset);
        next = pair?.value;
      }
      if (!isNode(next)) break;
      node = next;
      offset = next.range?.[0] ?? offset;
    }
    return at(offset);
  };
  return { value, faults: [], positionOf };
}

/** `devices[1].port`; names that are no plain words in quotes. */
export function pathText(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else {
      const name = String(step);
      const plain = /^[A-Za-z_][\w-]*$/.test(name) ? name : JSON.stringify(name);
      text += text === '' ? plain : `.${plain}`;
    }
  }
  return text;
}

/** One line as the contract has it: `FILE:LINE:COL: key.path: what is wrong (what to write instead)`. */
export function faultText(fault: Fault): string {
  return `${fault.file}:${fault.line}:${fault.column}: ${fault.path === '' ? '' : `${fault.path}: `}${fault.message}`;
}

function sentence(message: string): string {
  return message.replace(/\s+/g, ' ').trim();
}
