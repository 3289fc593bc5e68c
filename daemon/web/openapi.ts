/** The description of the API (OpenAPI 3.1), made from the routes themselves. */
import { z } from 'zod';
import type { Access, Route } from './route.ts';

/** What every refused request is answered with. */
const Problem = z.object({ title: z.string(), status: z.int(), detail: z.string() });

type Json = Record<string, unknown>;

export function openApi(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    if (route.summary === undefined) continue;
    const path = route.path.replace(/:([A-Za-z]+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'siteward',
      version,
      description:
        'Keys in snake_case, times ISO 8601 with offset, durations in seconds, unknown is null. Keys may be added, never changed.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { Problem: schema(Problem) },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'One of http.auth.tokens.' },
        session: { type: 'apiKey', in: 'cookie', name: 'siteward_session', description: 'By signing in at /login.' },
      },
    },
  };
}

function operation(route: Route): Json {
  const { method, path, summary, access, query, body, answer, media } = route;
  const inPath = [...path.matchAll(/:([A-Za-z]+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const good = media
    ? Object.fromEntries(media.map((type) => [type, { schema: { type: 'string' } }]))
    : { 'application/json': { schema: answer ? schema(answer) : {} } };
  return {
    operationId: `${method}${path.replace(/[^A-Za-z]+(.)?/g, (_all, letter: string = '') => letter.toUpperCase())}`,
    summary,
    tags: [/^\/api\/v1\/([a-z]+)/.exec(path)?.[1] ?? 'siteward'],
    ...(inPath.length > 0 || query ? { parameters: [...inPath, ...(query ? inQuery(query) : [])] } : {}),
    ...(body ? { requestBody: { content: { 'application/json': { schema: schema(body) } } } } : {}),
    responses: {
      200: { description: 'What was asked for.', content: good },
      ...(access === 'open' ? {} : { 401: refused('Sign in first, or send a token.') }),
      ...(method === 'post' ? { 403: refused('The role is not enough, or another site asked.') } : {}),
      ...(query || body ? { 400: refused('The request cannot be understood.') } : {}),
      ...(inPath.length > 0 ? { 404: refused('There is no such thing.') } : {}),
    },
    security: security(access),
    ...(access === 'open' ? {} : { 'x-siteward-role': access }),
  };
}

function security(access: Access): Json[] {
  return access === 'open' ? [] : [{ token: [] }, { session: [] }];
}

function refused(description: string): Json {
  return { description, content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } };
}

function inQuery(query: z.ZodType): Json[] {
  const { properties = {}, required = [] } = schema(query) as {
    properties?: Record<string, Json>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function schema(of: z.ZodType): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(of, { io: 'input', unrepresentable: 'any' });
  return rest;
}
