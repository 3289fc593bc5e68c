/** Requests that no browser makes, drawn at random from parts that have each broken some server. */
import { request as httpRequest } from 'node:http';

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'PROPFIND', 'TRACE'];
const PATHS = [
  '/',
  '/devices/a',
  '/devices/../../etc/passwd',
  '/devices/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '/assets/..%2fserver.ts',
  '/assets/__proto__',
  '/assets/constructor',
  '/assets/style.css/../x',
  '/api/v1/devices',
  '/api/v1/devices/__proto__',
  '/api/v1/devices/a/history',
  '/api/v1/devices/%ff',
  '/api/v1/devices/%00',
  '/api/v1/site',
  '/login',
  '/logout',
  '/maintenance',
  '/reports',
  '/reports/download',
  '/metrics',
  '/-/reload',
  '/api/openapi.json',
  '/%',
  '//',
  '/\\',
  '/discovery/x',
  '/api/v1/devices/a/diagnosis',
];
const QUERIES = [
  '',
  '?',
  '?q=%',
  '?q=a&q=b&q=c',
  '?page=-1',
  '?page=1e99',
  '?__proto__[x]=1',
  '?constructor=1',
  '?range=zzz&chart=cpu',
  '?chart[]=1&range[]=2',
  `?${'a=1&'.repeat(500)}`,
  '?report=__proto__&period=this-month',
  '?report=sla&period=9999-99&format=exe',
  '?limit=-5',
  '?limit=1&offset=99999999999',
  '?to=//evil',
  '?entered=%3Cscript%3E',
];
const BODIES = [
  '',
  '{}',
  '{"__proto__":{"x":1}}',
  '[',
  'null',
  '"x"',
  '1',
  '{"constructor":{"prototype":{"x":1}}}',
  `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
  'a=1&a=2&__proto__=3',
  `{"name":"${'x'.repeat(100_000)}"}`,
  '\0\0\0',
  '{"devices":[],"minutes":"x"}',
];
const TYPES = [
  'application/json',
  'application/x-www-form-urlencoded',
  'text/plain',
  'multipart/form-data; boundary=x',
  'application/json; charset=utf-99',
  '',
  'application/xml',
];

/** Sends one, and says what was wrong with the answer: 500, or where in our code it went wrong. */
export function oddRequests(random: () => number): (url: string, localAddress?: string) => Promise<string | undefined> {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  return async (url, localAddress) => {
    const [method, path, query, body, type] = [pick(METHODS), pick(PATHS), pick(QUERIES), pick(BODIES), pick(TYPES)];
    const headers = {
      'content-type': type,
      accept: pick(['*/*', 'text/html', 'x', 'application/json']),
      cookie: pick(['', 'siteward_session=x', 'a=b; siteward_session=;']),
    };
    const answer = await raw(url, method, path + query, headers, body, localAddress);
    const isFault = answer.status >= 500 || /\bat .+\.ts:\d+|node:internal/.test(answer.text);
    return isFault ? `${answer.status} ${method} ${path}${query} ${type} ${body.slice(0, 40)}` : undefined;
  };
}

/** Status 0: no answer, or one that the client would not ask for. */
export async function raw(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: string,
  localAddress?: string,
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(url);
  return await new Promise((resolve) => {
    const failed = () => resolve({ status: 0, text: '' });
    let request: ReturnType<typeof httpRequest>;
    try {
      request = httpRequest(
        { hostname, port, method, path, headers, agent: false, ...(localAddress ? { localAddress } : {}) },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
          response.on('error', failed);
        },
      );
    } catch {
      // The client itself will not say it.
      failed();
      return;
    }
    request.on('error', failed);
    if (method === 'GET' || method === 'HEAD') request.end();
    else if (headers['content-length'] === undefined) request.end(body);
    else request.write(body);
  });
}
