/** Where two JSON values differ, by path. */
export interface Difference {
  /** `contracts[0].devices[1].meters.total.used` */
  readonly path: string;
  readonly is: unknown;
  readonly should: unknown;
}

/** @param looked called for each plain value that was compared */
export function* differences(is: unknown, should: unknown, looked: () => void, path = ''): Generator<Difference> {
  if (Array.isArray(is) && Array.isArray(should)) {
    for (let index = 0; index < Math.max(is.length, should.length); index += 1)
      yield* differences(is[index], should[index], looked, `${path}[${index}]`);
    return;
  }
  if (isRecord(is) && isRecord(should)) {
    for (const key of new Set([...Object.keys(is), ...Object.keys(should)]))
      yield* differences(is[key], should[key], looked, path === '' ? key : `${path}.${key}`);
    return;
  }
  looked();
  if (is !== should) yield { path, is, should };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
