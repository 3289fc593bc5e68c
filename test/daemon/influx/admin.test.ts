import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '#daemon/clock.ts';
import { InfluxAdmin, parseGoDuration } from '#daemon/influx/admin.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startInfluxd } from '../../support/influxd.ts';
import { influxSettings } from '../../support/output-settings.ts';
import { startReceiver } from '../../support/receiver.ts';

const never = new AbortController().signal;

async function realAdmin(settings: Record<string, unknown> = {}) {
  const influxd = await startInfluxd(await temporaryFolder());
  onTestFinished(() => influxd.stop('SIGKILL'));
  return { influxd, admin: new InfluxAdmin(influxSettings({ url: influxd.url, ...settings }), systemClock) };
}

describe('with a real influxd', () => {
  test('it makes database and retention policy, again and again, and changes the length where it differs', async () => {
    const { influxd, admin } = await realAdmin({ retention: '48h' });
    await admin.prepare(never);
    await admin.prepare(never);
    await new InfluxAdmin(influxSettings({ url: influxd.url, retention: '72h' }), systemClock).prepare(never);

    expect(await admin.databases(never)).toContain('siteward');
    expect(await admin.policies(never)).toEqual([
      { name: 'autogen', isDefault: false },
      { name: 'siteward', duration: 72 * 3_600_000, isDefault: true },
    ]);
    expect(await admin.ping(never)).toMatch(/^v?1\./);
  });

  test('it reads back, with values that cannot become part of the statement', async () => {
    const { influxd, admin } = await realAdmin();
    await admin.prepare(never);
    await fetch(`${influxd.url}/write?db=siteward&precision=ms`, {
      method: 'POST',
      body: "m,t=it's v=1.5 1790000000000",
    });

    const rows = await admin.query('SELECT v, t FROM m WHERE t = $t', { t: "it's" }, never);
    const none = await admin.query('SELECT v FROM m WHERE t = $t', { t: "x' OR t = 'it" }, never);

    expect(rows).toMatchObject([{ v: 1.5, t: "it's" }]);
    expect(none).toEqual([]);
  });

  test('a statement that is wrong is an error with a next step', async () => {
    const { admin } = await realAdmin();

    await expect(admin.query('SELEC', {}, never)).rejects.toMatchObject({ code: 'INFLUX_ADMIN', hint: /./ });
  });
});

describe('with a server that does not end its answer', () => {
  test.each(['silent', 'after-headers', 'dripping'] as const)('%s: it settles within the timeout', async (hang) => {
    const receiver = await startReceiver(() => ({ hang }));
    const admin = new InfluxAdmin(influxSettings({ url: receiver.url, timeout: '1s' }), systemClock);
    const began = performance.now();

    await expect(admin.databases(never)).rejects.toMatchObject({ code: 'INFLUX_ADMIN' });

    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test('cut after its headers: it settles within the timeout', async () => {
    const receiver = await startReceiver(() => ({ close: 'after-headers' }));
    const admin = new InfluxAdmin(influxSettings({ url: receiver.url, timeout: '1s' }), systemClock);

    await expect(admin.databases(never)).rejects.toMatchObject({ code: 'INFLUX_ADMIN' });
  });

  test('given up by the caller, it gives the reason', async () => {
    const receiver = await startReceiver(() => ({ hang: 'silent' }));
    const admin = new InfluxAdmin(influxSettings({ url: receiver.url }), systemClock);
    const stop = new AbortController();

    const asked = admin.databases(stop.signal);
    stop.abort(new Error('stopping'));

    await expect(asked).rejects.toThrow('stopping');
  });
});

test.each([
  ['168h0m0s', 604_800_000],
  ['1h30m0s', 5_400_000],
  ['0s', undefined],
  ['forever', undefined],
])('%s is %s ms', (text, duration) => {
  expect(parseGoDuration(text)).toBe(duration);
});
