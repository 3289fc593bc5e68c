/** What machines ask for is answered without the web framework, and must look no other than with it. */
import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { openSite } from '../../support/invented-site.ts';

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** With these headers and no others. A query, even an empty one, is for the application. */
async function ask(url: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Answered> {
  return await new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
    });
    asked.on('error', reject).end();
  });
}

/** What differs between two answers to the same question, or is up to the sender. */
function lasting({ status, headers }: Answered) {
  const { date: _date, etag: _etag, 'content-length': _length, 'transfer-encoding': _encoding, ...rest } = headers;
  return { status, headers: rest };
}

test.each([
  ['/metrics', {}],
  ['/metrics', { accept: 'application/openmetrics-text;version=1.0.0', 'accept-encoding': 'gzip' }],
  ['/metrics', { 'accept-encoding': 'deflate, gzip;q=0.5' }],
  ['/metrics', { 'accept-encoding': 'gzip;q=0' }],
  ['/metrics', { 'accept-encoding': 'GZIP' }],
  ['/-/healthy', {}],
  ['/-/ready', {}],
])('%s asked with %j is answered as by the application', async (path, headers) => {
  const site = await openSite();
  try {
    const [atTheDoor, inside] = [await ask(site.url + path, headers), await ask(`${site.url}${path}?`, headers)];

    expect(lasting(atTheDoor)).toEqual(lasting(inside));
    expect(atTheDoor.headers['content-security-policy']).toContain("default-src 'none'");
    const [first, second] = [atTheDoor, inside].map(({ body, headers: { 'content-encoding': encoding } }) =>
      String(encoding === 'gzip' ? gunzipSync(body) : body),
    );
    // Of metrics the families: how many samples some have changes from moment to moment.
    const families = (text = '') => text.match(/^# (?:TYPE|EOF).*$/gm) ?? text;
    expect(families(first)).toEqual(families(second));
    expect(first?.length).toBeGreaterThan(10);
  } finally {
    await site.close();
  }
});

test('not ready is 503 with its reasons', async () => {
  const site = await openSite({ view: { notReady: () => ['the first cycle is not done', 'the disk is full'] } });
  try {
    const { status, body } = await ask(`${site.url}/-/ready`);

    expect([status, String(body)]).toEqual([503, 'the first cycle is not done\nthe disk is full\n']);
  } finally {
    await site.close();
  }
});

test('who may not scrape gets no further than inside', async () => {
  const tokens = [
    { name: 'prometheus', role: 'metrics', token: 'token-of-prometheus-1' },
    { name: 'reader', role: 'viewer', token: 'token-of-the-viewer-1' },
  ];
  const site = await openSite({ http: { auth: { users: [], tokens } } });
  try {
    const as = async (headers: Readonly<Record<string, string>>, path = '/metrics') =>
      (await ask(site.url + path, headers)).status;

    expect(await as({})).toBe(401);
    expect(await as({ authorization: 'Bearer token-of-prometheus-2' })).toBe(401);
    expect(await as({ authorization: 'Bearer token-of-prometheus-1' })).toBe(200);
    expect(await as({ authorization: 'Bearer token-of-the-viewer-1' })).toBe(200);
    expect(await as({}, '/-/healthy')).toBe(200);
    expect(await as({ host: 'evil.example' }, '/-/healthy')).toBe(421);
    expect(await as({ host: 'evil.example', authorization: 'Bearer token-of-prometheus-1' })).toBe(421);
    expect((await ask(`${site.url}/metrics`, { authorization: 'Bearer token-of-prometheus-1' }, 'POST')).status).toBe(
      404,
    );
  } finally {
    await site.close();
  }
});
