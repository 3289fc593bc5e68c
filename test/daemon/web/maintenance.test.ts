/** Maintenance by the API and by the page: entering it, ending it early, who may, and what is noted. */
import { describe, expect, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { SitewardError } from '#config/errors.ts';
import { startSite, testDevice } from '../../support/site.ts';

const HTTP = {
  auth: {
    tokens: [
      { name: 'reader', role: 'viewer', token: 'token-of-the-viewer-1' },
      { name: 'robot', role: 'operator', token: 'token-of-the-operator-1' },
    ],
  },
};
const OPERATOR = { authorization: 'Bearer token-of-the-operator-1' };

async function post(url: string, body: unknown, headers: Record<string, string> = OPERATOR) {
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text(), location: response.headers.get('location') };
}

describe('the API', () => {
  test('enters a window, lists it, ends it, and the trail says who and why', async () => {
    const site = await startSite({ http: HTTP, devices: [testDevice('srv-1')] });
    const entered = await post(`${site.url}/api/v1/maintenance`, {
      devices: ['srv-*'],
      duration_seconds: 7200,
      reason: 'new disk',
    });
    const { id } = JSON.parse(entered.text) as { id: string };
    const [listed] = (await (await fetch(`${site.url}/api/v1/maintenance`, { headers: OPERATOR })).json()) as Record<
      string,
      string
    >[];
    const ended = await post(`${site.url}/api/v1/maintenance/${id}/end`, { reason: 'done sooner' });

    expect(entered.status).toBe(201);
    expect(listed).toMatchObject({ id, reason: 'new disk', devices: ['srv-*'], entered_by: 'robot' });
    expect(Date.parse(listed?.['to'] ?? '') - Date.parse(listed?.['from'] ?? '')).toBe(7_200_000);
    expect(ended.status).toBe(200);
    expect(site.ended).toEqual([[id, 'robot', 'done sooner']]);
    expect(await site.audit.latest(2)).toMatchObject([
      { who: 'robot', what: `POST /api/v1/maintenance/${id}/end`, why: 'done sooner', outcome: 200 },
      { who: 'robot', what: 'POST /api/v1/maintenance', why: 'new disk', outcome: 201 },
    ]);
  });

  test('plans one for later, and refuses one that is dated back', async () => {
    const site = await startSite({ http: HTTP, devices: [testDevice('srv-1')] });
    const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
    const body = { devices: ['srv-1'], duration_seconds: 3600, reason: 'firmware' };

    const later = await post(`${site.url}/api/v1/maintenance`, { ...body, from: at(5) });
    const back = await post(`${site.url}/api/v1/maintenance`, { ...body, from: at(-5) });

    expect(later.status).toBe(201);
    expect(back).toMatchObject({ status: 422 });
    expect(back.text).toContain('/api/v1/corrections');
    expect(site.windows).toHaveLength(1);
  });

  test('says why a window cannot be ended', async () => {
    const refusing = async (code: string) =>
      await startSite({
        http: HTTP,
        sources: {
          endWindow: async () => {
            throw new SitewardError(code, 'it stands in the config', 'take it out there');
          },
        },
      });
    const inConfig = await refusing('NOT_ENTERED');
    const gone = await refusing('NO_SUCH_MAINTENANCE');

    expect((await post(`${inConfig.url}/api/v1/maintenance/x/end`, { reason: 'y' })).status).toBe(409);
    expect((await post(`${gone.url}/api/v1/maintenance/x/end`, { reason: 'y' })).status).toBe(404);
  });

  test('wants a reason, a known device, a sane length and the role operator', async () => {
    const site = await startSite({ http: HTTP, devices: [testDevice('srv-1')] });
    const url = `${site.url}/api/v1/maintenance`;
    const good = { devices: ['srv-1'], duration_seconds: 60, reason: 'x' };

    expect((await post(url, { ...good, reason: ' ' })).status).toBe(400);
    expect((await post(url, { ...good, devices: ['prn-*'] })).status).toBe(422);
    expect((await post(url, { ...good, duration_seconds: 1e9 })).status).toBe(400);
    expect((await post(`${url}/x/end`, {})).status).toBe(400);
    expect((await post(url, good, { authorization: 'Bearer token-of-the-viewer-1' })).status).toBe(403);
    expect(
      (await post(`${url}/x/end`, { reason: 'x' }, { authorization: 'Bearer token-of-the-viewer-1' })).status,
    ).toBe(403);
    expect(site.windows).toEqual([]);
    expect(site.ended).toEqual([]);
  });
});

describe('the page', () => {
  test('ends a window by a form that carries its token, and by no other', async () => {
    const site = await startSite({ devices: [testDevice('srv-1')] });
    await post(`${site.url}/api/v1/maintenance`, { devices: ['srv-1'], duration_seconds: 60, reason: 'x' }, {});
    const page = await (await fetch(`${site.url}/maintenance`)).text();
    const action = /action="(\/maintenance\/[^"]+\/end)"/.exec(page)?.[1] ?? '';
    const token = /name="form_token" value="([^"]+)"/.exec(page)?.[1] ?? '';
    const send = async (fields: Record<string, string>) =>
      await fetch(site.url + action, { method: 'POST', redirect: 'manual', body: new URLSearchParams(fields) });

    expect((await send({ reason: 'sooner' })).status).toBe(403);
    expect(site.ended).toEqual([]);
    const response = await send({ reason: 'sooner', form_token: token });
    expect([response.status, response.headers.get('location')]).toEqual([303, '/maintenance?done=ended']);
    expect(site.ended).toEqual([['entered-0', 'local', 'sooner']]);
  });

  test('offers to end what a person entered, not what stands in the config, and nothing to a viewer', async () => {
    const window = {
      from: (Date.now() - 1000) as WallTime,
      to: (Date.now() + 60_000) as WallTime,
      devices: ['srv-1'],
    };
    const windows = () => [
      { ...window, key: 'entered-1', entered: true, author: 'anna', name: 'by hand' },
      { ...window, key: 'c0nf1g', entered: false, name: 'nightly' },
    ];
    const site = await startSite({ http: HTTP, sources: { windows } });
    const pageOf = async (token: string) =>
      await (await fetch(`${site.url}/maintenance`, { headers: { authorization: `Bearer ${token}` } })).text();
    const operator = await pageOf('token-of-the-operator-1');

    expect(operator).toContain('action="/maintenance/entered-1/end"');
    expect(operator).not.toContain('/maintenance/c0nf1g/end');
    expect(await pageOf('token-of-the-viewer-1')).not.toContain('/end"');
  });
});
