import { z } from 'zod';

/** For the query of a list. Without them the whole list is given. */
export const PAGING = {
  limit: z.coerce.number().int().min(1).max(10_000).optional().describe('At most so many.'),
  offset: z.coerce.number().int().min(0).default(0).describe('So many are passed over.'),
};

export interface Paging {
  readonly limit?: number | undefined;
  readonly offset: number;
}

/** A part of a list; `Link` (RFC 8288) names the next one, `X-Total-Count` says how many there are. */
export function paged<T>(
  items: readonly T[],
  { limit, offset, ...filters }: Paging & Readonly<Record<string, unknown>>,
  path: string,
): { readonly items: readonly T[]; readonly headers: Readonly<Record<string, string>> } {
  const end = limit === undefined ? items.length : offset + limit;
  const kept = Object.entries(filters).filter(([, value]) => value !== undefined);
  const next = new URLSearchParams([
    ...kept.map(([name, value]): [string, string] => [name, String(value)]),
    ['limit', String(limit)],
    ['offset', String(end)],
  ]);
  return {
    items: items.slice(offset, end),
    headers: {
      'X-Total-Count': String(items.length),
      ...(end < items.length ? { Link: `<${path}?${next}>; rel="next"` } : {}),
    },
  };
}
