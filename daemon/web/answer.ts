import type { Answer } from './route.ts';

/** One JSON document: keys in snake_case, times ISO 8601 with offset, durations in seconds, unknown is null. */
export const json = (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer => ({
  kind: 'json',
  body,
  status,
  headers,
});

/** RFC 9457. The detail says what to ask for instead. */
export const problem = (status: number, title: string, detail: string): Answer => ({
  kind: 'problem',
  status,
  title,
  detail,
});

export const notFound = (what: string, detail: string): Answer => problem(404, `no such ${what}`, detail);

export const text = (body: string, status = 200) => ({ kind: 'text', text: body, status }) satisfies Answer;

export const page = (html: string, status = 200): Answer => ({ kind: 'page', html, status });

/** After a form was taken: the page to show next, so that a reload does not send the form again. */
export const seeOther = (to: string, cookie?: string): Answer => ({
  kind: 'redirect',
  to,
  ...(cookie === undefined ? {} : { cookie }),
});

export const download = (bytes: Uint8Array, type: string, name: string): Answer => ({
  kind: 'file',
  bytes,
  type,
  name,
});
