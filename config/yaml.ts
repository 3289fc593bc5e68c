import { isMap, isNode, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';

/** A place in a text, counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface YamlFault extends Position {
  readonly message: string;
}

export interface YamlDocument {
  /** The document as plain data; undefined when there are faults. */
  readonly value: unknown;
  readonly faults: readonly YamlFault[];
  /** Where the value at `path` stands; of its key when `of` is `key`. The nearest place above it, if it is not there. */
  positionOf(path: readonly PropertyKey[], of?: 'value' | 'key'): Position;
}

const LARGEST_TEXT = 1_048_576;
const MOST_ALIASES = 100;
const DEEPEST = 32;
const START: Position = { line: 1, column: 1 };

/**
 * Parses YAML 1.2 (core schema, unique keys) within limits that a config or profile never needs and a bomb would: 1 MB,
 * 100 aliases, 32 levels.
 */
export function parseYaml(text: string, mostAliases: number = MOST_ALIASES): YamlDocument {
  if (Buffer.byteLength(text) > LARGEST_TEXT)
    return refused('is larger than 1 MB (split it, or remove what is no config)');
  const lines = new LineCounter();
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return line === 0 ? START : { line, column: col };
  };
  const document = parseDocument(text.replace(/^\uFEFF/, ''), {
    lineCounter: lines,
    uniqueKeys: true,
    prettyErrors: false,
    schema: 'core',
  });
  const faults = document.errors.map((error) => ({
    ...place(error.pos[0]),
    message: plain(error.code, error.message),
  }));
  if (faults.length > 0) return { value: undefined, faults, positionOf: () => START };
  const tooDeep = deepNode(document.contents, DEEPEST);
  if (tooDeep)
    return refused(`is nested deeper than ${DEEPEST} levels (write it flatter)`, place(tooDeep.range?.[0] ?? 0));
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: mostAliases });
  } catch {
    return refused(`uses more than ${mostAliases} aliases (write the values out)`);
  }
  return { value, faults: [], positionOf: (path, of = 'value') => place(offsetOf(document.contents, path, of)) };
}

function refused(message: string, at: Position = START): YamlDocument {
  return { value: undefined, faults: [{ ...at, message }], positionOf: () => at };
}

function plain(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'this key stands here twice (remove one of them)';
  if (code === 'TAB_AS_INDENT') return 'is indented with a tab (write spaces)';
  return `${message.split('\n')[0]} (check quotes, brackets and indentation)`;
}

function deepNode(node: unknown, levels: number): Node | undefined {
  if (!isNode(node)) return undefined;
  if (levels < 0) return node;
  const children = isMap(node) ? node.items.map(({ value }) => value) : isSeq(node) ? node.items : [];
  for (const child of children) {
    const found = deepNode(child, levels - 1);
    if (found) return found;
  }
  return undefined;
}

function offsetOf(root: unknown, path: readonly PropertyKey[], of: 'value' | 'key'): number {
  let node: unknown = root;
  let offset = isNode(root) ? (root.range?.[0] ?? 0) : 0;
  for (const [depth, step] of path.entries()) {
    let key: unknown;
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item: Pair) => isScalar(item.key) && String(item.key.value) === String(step));
      key = pair?.key;
      next = pair?.value;
    } else if (isSeq(node)) {
      next = node.items[Number(step)];
    }
    const wanted =
      of === 'key' && depth === path.length - 1
        ? key
        : isNode(next) && next.range && next.range[1] > next.range[0]
          ? next
          : (key ?? next);
    if (!isNode(wanted)) return offset;
    offset = wanted.range?.[0] ?? offset;
    node = next;
  }
  return offset;
}
