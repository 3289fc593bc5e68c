import { scryptSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { get as httpsGet } from 'node:https';
import { describe, expect, test } from 'vitest';
import { hashPassword, PasswordChecker } from '#daemon/web/access/passwords.ts';
import { startSite, testDevice } from '../../support/site.ts';

const PASSWORD = 'correct horse battery';
const HASH = await hashPassword(PASSWORD);
/** Its cost is low, for tests that are not about it. */
const QUICK_HASH = `scrypt:1024:8:1:${Buffer.from('0123456789abcdef').toString('base64url')}:${scryptSync(PASSWORD, '0123456789abcdef', 32, { N: 1024, r: 8, p: 1 }).toString('base64url')}`;
const TOKENS = [
  { name: 'reader', role: 'viewer', token: 'token-of-the-viewer-1' },
  { name: 'robot', role: 'operator', token: 'token-of-the-operator-1' },
  { name: 'prometheus', role: 'metrics', token: 'token-of-prometheus-1' },
];
const GUARDED = {
  auth: {
    users: [
      { name: 'anna', role: 'operator', password_hash: QUICK_HASH },
      { name: 'vera', role: 'viewer', password_hash: QUICK_HASH },
    ],
    tokens: TOKENS,
  },
};

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** `fetch` sets Host and Sec-Fetch-Site itself; here they are to be wrong. */
async function ask(
  url: string,
  method: string,
  headers: Record<string, string>,
  body = '',
): Promise<{ status: number; text: string; headers: Record<string, unknown> }> {
  return await new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function signIn(url: string, name: string, password: string) {
  const form = await fetch(`${url}/login`);
  const token = /name="form_token" value="([^"]+)"/.exec(await form.text())?.[1] ?? '';
  const response = await fetch(`${url}/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' },
    body: new URLSearchParams({ form_token: token, name, password, to: '/' }),
  });
  return {
    status: response.status,
    cookie: response.headers.get('set-cookie') ?? '',
    location: response.headers.get('location'),
  };
}

describe('passwords', () => {
  test('fit their own hash and no other', async () => {
    const checker = new PasswordChecker();

    expect(await checker.fits(PASSWORD, HASH)).toBe(true);
    expect(await checker.fits('wrong', HASH)).toBe(false);
    expect(await checker.fits(PASSWORD, undefined)).toBe(false);
    expect(await checker.fits(PASSWORD, 'scrypt:1:1:1:x:y')).toBe(false);
  });

  test('of who was not wrong yet are looked at before those of who guesses, however many these are', async () => {
    const checker = new PasswordChecker();
    const done: string[] = [];
    const ask = async (source: string, password: string) => {
      const fits = await checker.fits(password, QUICK_HASH, source).catch(() => 'turned away');
      done.push(`${source} ${fits}`);
    };
    const guesses = Array.from({ length: 40 }, async () => await ask('guesser', 'wrong'));
    const legal = ask('desk', PASSWORD);
    await legal;

    expect(done.filter((each) => each === 'guesser false').length).toBeLessThanOrEqual(2);
    expect(done.at(-1)).toBe('desk true');
    await Promise.all(guesses);
    expect(done.filter((each) => each.endsWith('turned away')).length).toBeGreaterThanOrEqual(7);
  });

  test('of who signed in before come first, also when many sources guess', async () => {
    const checker = new PasswordChecker();
    await checker.fits(PASSWORD, QUICK_HASH, 'desk');
    const done: string[] = [];
    const guesses = Array.from({ length: 60 }, async (_, index) => {
      await checker.fits('wrong', QUICK_HASH, `guesser-${index}`).catch(() => undefined);
      done.push('guesser');
    });
    await checker.fits(PASSWORD, QUICK_HASH, 'desk');

    // Those that were turned away at once, and the one that was under way.
    expect(done.length).toBeLessThanOrEqual(60 - 32 + 2);
    await Promise.all(guesses);
  });

  test('an unknown user takes as long as a wrong password', async () => {
    const checker = new PasswordChecker();
    const timed = async (hash: string | undefined) => {
      const began = process.cpuUsage();
      await checker.fits('wrong', hash);
      const { user, system } = process.cpuUsage(began);
      return user + system;
    };
    let known = Number.POSITIVE_INFINITY;
    let unknown = Number.POSITIVE_INFINITY;
    // In turn, so that a machine that is slow for a while is slow for both.
    for (let round = 0; round < 5; round += 1) {
      known = Math.min(known, await timed(HASH));
      unknown = Math.min(unknown, await timed(undefined));
    }

    // The work is the same; what differs is what else the machine does meanwhile.
    expect(unknown / known).toBeGreaterThan(0.6);
    expect(unknown / known).toBeLessThan(1.6);
  });
});

describe('who may', () => {
  test('every route is closed without a token, but for those that must be open', async () => {
    const site = await startSite({ http: GUARDED, devices: [testDevice('srv-1')] });
    const open: string[] = [];
    for (const { method, path } of await site.routes()) {
      const { status } = await ask(site.url + path.replace(/:\w+/g, 'x'), method.toUpperCase(), {
        accept: 'application/json',
      });
      if (status !== 401) open.push(`${method} ${path}`);
    }

    expect((await site.routes()).length).toBeGreaterThan(20);
    expect(open.toSorted()).toEqual(['get /-/healthy', 'get /-/ready', 'get /assets/:name', 'get /login']);
  });

  test('no route that changes something is open to a viewer', async () => {
    const site = await startSite({ http: GUARDED });
    for (const { method, path, access } of await site.routes()) {
      if (method !== 'post' || path === '/login' || path === '/logout') continue;
      const { status } = await ask(site.url + path.replace(/:\w+/g, 'x'), 'POST', bearer(TOKENS[0]?.token ?? ''));
      expect({ path, status, access }).toMatchObject({ status: 403 });
    }
  });

  test('a token of the role metrics scrapes and does nothing else', async () => {
    const site = await startSite({ http: GUARDED });
    const headers = bearer('token-of-prometheus-1');

    expect((await fetch(`${site.url}/metrics`, { headers })).status).toBe(200);
    expect((await fetch(`${site.url}/api/v1/devices`, { headers })).status).toBe(403);
  });

  test('a wrong token is refused, and so is a cut one', async () => {
    const site = await startSite({ http: GUARDED });
    for (const token of ['wrong', 'token-of-the-viewer-', 'token-of-the-viewer-11'])
      expect((await fetch(`${site.url}/api/v1/site`, { headers: bearer(token) })).status).toBe(401);
  });

  test('a browser is led to the page for signing in, and back', async () => {
    const site = await startSite({ http: GUARDED });
    const response = await fetch(`${site.url}/reports?period=last-month`, {
      redirect: 'manual',
      headers: { accept: 'text/html' },
    });

    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('/login?to=%2Freports%3Fperiod%3Dlast-month');
  });

  test('on loopback without users everything is open, and nothing of it to names that are not ours', async () => {
    const site = await startSite();

    expect((await fetch(`${site.url}/api/v1/site`)).status).toBe(200);
    for (const host of ['evil.example', 'localhost.evil.example', 'a b', '127.0.0.1.evil.example:9720'])
      expect((await ask(`${site.url}/api/v1/site`, 'GET', { host })).status).toBeGreaterThanOrEqual(400);
    for (const host of ['localhost', '127.0.0.1:9720', '[::1]:9720', '192.0.2.4'])
      expect((await ask(`${site.url}/api/v1/site`, 'GET', { host })).status).toBe(200);
  });

  test('with allow_anonymous everybody reads and nobody writes', async () => {
    const site = await startSite({ http: { listen: '192.0.2.1:9720', allow_anonymous: true } });

    expect((await fetch(`${site.url}/api/v1/site`)).status).toBe(200);
    expect((await fetch(`${site.url}/-/reload`, { method: 'POST' })).status).toBe(403);
  });
});

describe('signing in', () => {
  test('gives a cookie that scripts and other sites do not get, and ends with it', async () => {
    const site = await startSite({ http: GUARDED });
    const { status, cookie } = await signIn(site.url, 'anna', PASSWORD);

    expect(status).toBe(303);
    expect(cookie).toMatch(/^siteward_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    const headers = { cookie: cookie.split(';')[0] ?? '', accept: 'text/html' };
    const page = await (await fetch(`${site.url}/`, { headers })).text();
    const token = /name="form_token" value="([^"]+)"/.exec(page)?.[1] ?? '';
    expect(token).not.toBe('');
    const out = await fetch(`${site.url}/logout`, {
      method: 'POST',
      redirect: 'manual',
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ form_token: token }),
    });
    expect(out.status).toBe(303);
    expect(
      (await fetch(`${site.url}/api/v1/site`, { headers: { ...headers, accept: 'application/json' } })).status,
    ).toBe(401);
  });

  test('with a wrong password says no more than with an unknown name', async () => {
    const site = await startSite({ http: GUARDED });

    expect((await signIn(site.url, 'anna', 'wrong')).status).toBe(401);
    expect((await signIn(site.url, 'nobody', PASSWORD)).status).toBe(401);
  });

  test('never leads to another site', async () => {
    const site = await startSite({ http: GUARDED });
    for (const to of ['//evil.example', '/\\evil.example', 'https://evil.example', '/\r\nSet-Cookie: a=b']) {
      const form = await (await fetch(`${site.url}/login?${new URLSearchParams({ to })}`)).text();
      expect(form).toContain('name="to" value="/"');
    }
  });

  test('is slowed down for a source that guesses, and for no other', async () => {
    const site = await startSite({ http: GUARDED });
    const statuses = new Map<number, number>();
    await Promise.all(
      Array.from({ length: 300 }, async () => {
        const { status } = await ask(
          `${site.url}/login`,
          'POST',
          { 'content-type': 'application/json' },
          '{"name":"anna","password":"x"}',
        );
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }),
    );

    expect(statuses.get(429)).toBeGreaterThanOrEqual(285);
    expect([...statuses.keys()].every((status) => status === 401 || status === 429)).toBe(true);
    expect((await fetch(`${site.url}/-/healthy`)).status).toBe(200);
  });
});

describe('writes', () => {
  const evil = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };

  test('that another site asks for are refused, on loopback and with a session', async () => {
    const local = await startSite();
    expect((await ask(`${local.url}/-/reload`, 'POST', evil)).status).toBe(403);
    expect((await ask(`${local.url}/-/reload`, 'POST', { origin: 'https://evil.example' })).status).toBe(403);
    expect((await ask(`${local.url}/-/reload`, 'POST', { origin: 'null' })).status).toBe(403);
    expect((await ask(`${local.url}/-/reload`, 'POST', {})).status).toBe(200);
    expect((await ask(`${local.url}/-/reload`, 'POST', { origin: local.url })).status).toBe(200);

    const guarded = await startSite({ http: GUARDED, devices: [testDevice('srv-1')] });
    const cookie = (await signIn(guarded.url, 'anna', PASSWORD)).cookie.split(';')[0] ?? '';
    const path = `${guarded.url}/api/v1/devices/srv-1/diagnosis`;
    expect((await ask(path, 'POST', { cookie })).status).toBe(403);
    expect((await ask(path, 'POST', { cookie, 'x-siteward': '1', ...evil })).status).toBe(403);
    expect((await ask(path, 'POST', { cookie, 'x-siteward': '1' })).status).toBe(200);
  });

  test('by a form need the token of that form', async () => {
    const site = await startSite({ devices: [testDevice('srv-1')] });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const page = await (await fetch(`${site.url}/maintenance`)).text();
    const token = /name="form_token" value="([^"]+)"/.exec(page)?.[1] ?? '';
    const fields = { devices: 'srv-*', minutes: '60', reason: 'a new disk' };

    expect((await ask(`${site.url}/maintenance`, 'POST', form, String(new URLSearchParams(fields)))).status).toBe(403);
    const good = String(new URLSearchParams({ ...fields, form_token: token }));
    expect((await ask(`${site.url}/maintenance`, 'POST', form, good)).status).toBe(303);
    expect(site.windows).toMatchObject([{ devices: ['srv-*'], reason: 'a new disk', by: 'local' }]);
  });

  test('are noted with who, what and why, also those that were refused', async () => {
    const site = await startSite({ http: GUARDED, devices: [testDevice('srv-1')] });
    const headers = { ...bearer('token-of-the-operator-1'), 'content-type': 'application/json' };
    await ask(`${site.url}/maintenance`, 'POST', headers, '{"devices":"srv-1","minutes":30,"reason":"fan"}');
    await ask(`${site.url}/maintenance`, 'POST', headers, '{"devices":"nothing-*","minutes":30,"reason":"typo"}');

    expect(await site.audit.latest(10)).toMatchObject([
      { who: 'robot', what: 'POST /maintenance', why: 'typo', outcome: 422 },
      { who: 'robot', what: 'POST /maintenance', why: 'fan', outcome: 303 },
    ]);
  });
});

test('over TLS the page is there, and its cookie is for TLS only', async () => {
  const read = (name: string) => readFileSync(new URL(`../../support/certificates/${name}`, import.meta.url), 'utf8');
  const site = await startSite({ http: GUARDED, tls: () => ({ cert: read('server.pem'), key: read('server.key') }) });
  const text = await new Promise<string>((resolve, reject) => {
    httpsGet(`${site.url}/-/healthy`, { rejectUnauthorized: false, agent: false }, (response) => {
      response.setEncoding('utf8').on('data', resolve);
    }).on('error', reject);
  });

  expect(site.url).toMatch(/^https:/);
  expect(text).toBe('siteward is healthy\n');
});
