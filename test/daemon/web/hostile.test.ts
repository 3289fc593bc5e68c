/** Markup in names, odd requests, and floods: what comes from devices and from the network never becomes more than text. */
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Reading } from '#collectors/contract.ts';
import { escapeHtml } from '#daemon/web/html.ts';
import { hostileTexts, MARKUP, shownAs } from '../../support/markup.ts';
import { oddRequests, raw } from '../../support/odd-requests.ts';
import { hostileText, seededRandom } from '../../support/random.ts';
import { startSite, type TestDevice, testDevice } from '../../support/site.ts';

function readings(text: string): Reading[] {
  const of = (metric: Reading['metric'], labels: Record<string, string>, value: number | bigint = 1): Reading => ({
    metric,
    labels,
    value,
  });
  return [
    of('siteward_interface_info', { interface: text, alias: text, description: text, mac: text }),
    of('siteward_interface_up', { interface: text }),
    of('siteward_interface_receive_bytes_total', { interface: text }, 5n),
    of('siteward_printer_supply_level_ratio', { supply: text, description: text, type: text, color: text }, 0.05),
    of('siteward_printer_error', { error: text }),
    of('siteward_printer_meter_pages_total', { meter: text }, 7n),
    of('siteward_component_ok', { component: text, kind: text }, 0),
    of('siteward_filesystem_used_bytes', { mountpoint: text }, 99),
    of('siteward_filesystem_size_bytes', { mountpoint: text }, 100),
    of('siteward_license_expiry_timestamp_seconds', { license: text }, 1),
    of('siteward_vpn_tunnel_up', { tunnel: text }, 0),
    of('siteward_sensor_temperature_celsius', { sensor: text }, 40),
    of('siteward_printer_status', { status: text }),
    of('siteward_printer_input_level_ratio', { tray: text }, 0.5),
  ];
}

function hostileDevice(text: string, index: number): TestDevice {
  const identity = {
    class: 'printer',
    vendor: text,
    model: text,
    serial: text,
    version: text,
    sysName: text,
    profile: text,
  } as const;
  return testDevice(
    index % 2 === 0 ? `dev-${index}` : text,
    index % 3 === 0 ? 'down' : 'up',
    { address: text, class: 'printer', identity, problems: [{ code: 'X', message: text, hint: text }] },
    readings(text),
  );
}

const OWN_SCRIPT = /^<script type="(module" src="\/assets\/[a-z]+\.js|application\/json" id="[a-z]+)">$/;

/** Tags and attributes that no template of ours makes. Every `<` and `>` of the page is one of a tag, or it is escaped. */
function strangers(page: string): string[] {
  const tags = [...page.matchAll(/<[^>]*>/g)].map(([tag]) => tag).filter((tag) => !OWN_SCRIPT.test(tag));
  return tags.filter((tag) => {
    const withoutValues = tag.replace(/"[^"]*"/g, '""');
    return (
      /^<(script|img|iframe|object|embed|style|base)\b|\son[a-z]+=|'|<.*</i.test(withoutValues) ||
      /(href|src|action)="\s*javascript:/i.test(tag)
    );
  });
}

describe('what devices say', () => {
  test('stays text on every page, whatever it is', { timeout: 120_000 }, async () => {
    const texts = hostileTexts(MARKUP.length + 60, 19);
    const site = await startSite({ devices: texts.map(hostileDevice) });
    const pages = [
      '/',
      '/supplies',
      '/?q=%3Cscript%3E',
      '/reports',
      '/maintenance',
      ...texts
        .slice(0, 30)
        .map(
          (text, index) =>
            `/devices/${encodeURIComponent((index % 2 === 0 ? `dev-${index}` : text).slice(0, 4000).toWellFormed())}`,
        ),
    ];
    for (const path of pages) {
      const response = await fetch(site.url + path, { headers: { accept: 'text/html' } });
      const page = await response.text();

      expect(response.status, path).toBeLessThan(500);
      expect(strangers(page), path).toEqual([]);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(page, path).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u202a-\u202e\u2066-\u2069]/);
    }
  });

  test('comes back from HTML as it was sent, but for marks that would turn the page round', () => {
    const random = seededRandom(20);
    const back = (html: string) =>
      html.replace(
        /&(amp|lt|gt|quot|#39);/g,
        (_all, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name] ?? '',
      );
    for (let round = 0; round < 2_000; round += 1) {
      const text = hostileText(random);
      const escaped = escapeHtml(text);

      expect(escaped).not.toMatch(/[<>"']/);
      expect(back(escaped)).toBe(shownAs(text));
    }
  });

  test('is one JSON string in the API, also past 2^53', async () => {
    const site = await startSite({
      devices: [
        testDevice('a', 'up', {}, [
          { metric: 'siteward_printer_meter_pages_total', labels: { meter: MARKUP[0] ?? '' }, value: 2n ** 60n },
        ]),
      ],
    });
    const body = (await (await fetch(`${site.url}/api/v1/devices/a`)).json()) as { readings: unknown[] };

    expect(body.readings).toEqual([
      { metric: 'siteward_printer_meter_pages_total', labels: { meter: MARKUP[0] }, value: '1152921504606846976' },
    ]);
  });
});

describe('odd requests', () => {
  test('are never answered with 500, nor with a stack trace, and leave no memory behind', {
    timeout: 120_000,
  }, async () => {
    const site = await startSite({ devices: [testDevice('a')] });
    const odd = oddRequests(seededRandom(21));
    const failures: string[] = [];
    const round = async () => {
      const failure = await odd(site.url);
      if (failure !== undefined) failures.push(failure);
    };
    const batches = async (count: number) => {
      for (let batch = 0; batch < count; batch += 1) await Promise.all(Array.from({ length: 25 }, round));
    };
    await batches(10);
    const before = process.memoryUsage().heapUsed;
    await batches(40);

    expect(failures).toEqual([]);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(60_000_000);
    expect(site.lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect((await fetch(`${site.url}/-/healthy`)).status).toBe(200);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  test('with a body that is too large are turned away before it is read', async () => {
    const site = await startSite();
    const { status } = await raw(
      site.url,
      'POST',
      '/maintenance',
      { 'content-type': 'application/json', 'content-length': '104857600' },
      '{"a":1',
    );

    expect(status).toBe(413);
  });

  test('of a source that opens connections and says nothing leave room for the others', async () => {
    const site = await startSite();
    const { port } = new URL(site.url);
    let closed = 0;
    const silent = Array.from({ length: 300 }, () =>
      connect({ port: Number(port), host: '127.0.0.1', localAddress: '127.0.0.2' })
        .on('error', () => undefined)
        .on('close', () => {
          closed += 1;
        }),
    );
    onTestFinished(() => {
      for (const socket of silent) socket.destroy();
    });

    await vi.waitFor(() => expect(closed).toBeGreaterThanOrEqual(300 - 128), { timeout: 20_000 });
    expect((await fetch(`${site.url}/-/healthy`)).status).toBe(200);
    expect(closed).toBe(300 - 128);
  });

  test('that are not HTTP end their own connection and nothing else', async () => {
    const site = await startSite();
    const { port } = new URL(site.url);
    for (const text of [
      '\0\0\0\0\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
      'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ]) {
      const answer = await new Promise<string>((resolve) => {
        let got = '';
        const socket = connect(Number(port), '127.0.0.1', () => socket.end(text));
        socket.setEncoding('latin1').on('data', (data: string) => {
          got += data;
        });
        socket.on('close', () => resolve(got)).on('error', () => resolve(got));
      });
      expect(answer).not.toMatch(/ 500 /);
    }
    expect((await fetch(`${site.url}/-/healthy`)).status).toBe(200);
  });
});
