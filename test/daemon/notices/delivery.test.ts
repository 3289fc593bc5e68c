import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { Milliseconds, WallTime } from '#collectors/contract.ts';
import { configOf, type LoadedConfig } from '#config/load.ts';
import type { Condition } from '#daemon/notices/incident.ts';
import { NoticeService } from '#daemon/notices/service.ts';
import { LEDGER_OPTIONS } from '#daemon/store/ledger.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import type { Store } from '#daemon/store/store.ts';
import { type SetClock, setClock } from '../../support/availability.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startMailServer } from '../../support/mail-server.ts';
import { freePort, startServer } from '../../support/process.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

const NOW = Date.now();
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A webhook that refuses the first requests. */
async function webhook(
  refusals: number,
): Promise<{ url: string; bodies: Record<string, unknown>[]; tokens: string[]; asked: () => number }> {
  const bodies: Record<string, unknown>[] = [];
  const tokens: string[] = [];
  let asked = 0;
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    asked += 1;
    if (asked <= refusals) {
      response.writeHead(503).end();
      return;
    }
    tokens.push(request.headers.authorization ?? '');
    bodies.push(JSON.parse(text));
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/hook`, bodies, tokens, asked: () => asked };
}

async function alertmanager(): Promise<string> {
  const port = await freePort();
  const folder = await temporaryFolder();
  const config = join(folder, 'alertmanager.yml');
  writeFileSync(config, 'route: {receiver: nobody}\nreceivers: [{name: nobody}]\n');
  const server = await startServer(
    'prometheus-alertmanager',
    [
      `--config.file=${config}`,
      `--storage.path=${folder}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    /Listening on/,
  );
  closing.push(() => server.stop());
  return `http://127.0.0.1:${port}`;
}

interface Office {
  readonly service: NoticeService;
  readonly clock: SetClock;
  readonly store: Store;
  conditions: Condition[];
  restart(): Promise<NoticeService>;
}

async function office(notices: Record<string, unknown>, more: Record<string, unknown> = {}): Promise<Office> {
  const directory = await temporaryFolder();
  const loaded: LoadedConfig = configOf(
    {
      site: { id: 'hq', client: 'ACME', timezone: 'Europe/Berlin' },
      notices: { hold_flapping: '0s', ...notices },
      ...more,
    },
    directory,
  );
  const log = recordingLogger();
  const store = await openStore({ directory, log });
  closing.push(() => store.close());
  const { database } = await store.open('ledger', LEDGER_OPTIONS);
  const clock = setClock(NOW);
  const found = { conditions: [] as Condition[] };
  const open = () =>
    NoticeService.open(
      {
        clock,
        log,
        database: () => database,
        conditions: () => found.conditions,
        inService: () => true,
        settle: 0 as Milliseconds,
        retries: [5_000],
      },
      loaded,
    );
  const service = await open();
  return Object.assign(found, { service, clock, store, restart: open });
}

const DEAD: Condition = {
  key: 'device:fw-1',
  kind: 'device',
  severity: 'critical',
  title: 'fw-1 is down, 2 devices behind it cannot be reached',
  lines: [
    'fw-1 (firewall, 192.0.2.1): silent three rounds',
    'behind it: sw-1 (192.0.2.2)',
    'behind it: srv-1 (192.0.2.3)',
  ],
  since: (NOW - 45_000) as WallTime,
  device: 'fw-1',
};

test('a webhook that fails twice gets the notice at the third try, and only once', async () => {
  const hook = await webhook(2);
  const desk = await office({ webhooks: [{ name: 'chat', url: hook.url, token: 'a-token' }] });
  desk.conditions = [DEAD];

  for (let look = 0; look < 6; look += 1) {
    await desk.service.look();
    desk.clock.advance(6_000);
  }

  expect(hook.asked()).toBe(3);
  expect(hook.tokens).toEqual(['Bearer a-token']);
  expect(hook.bodies).toMatchObject([
    { status: 'opened', key: 'device:fw-1', site: 'hq', title: DEAD.title, lines: DEAD.lines },
  ]);
  expect((await desk.service.log(10)).map(({ channel, kind, attempts }) => ({ channel, kind, attempts }))).toEqual([
    { channel: 'webhook:chat', kind: 'opened', attempts: 3 },
  ]);
});

test('what was not taken before a restart is sent after it, in order, and nothing is told twice', async () => {
  const hook = await webhook(1);
  const desk = await office({ webhooks: [{ name: 'chat', url: hook.url }] });
  desk.conditions = [DEAD];
  await desk.service.look();
  desk.clock.advance(6_000);

  const after = await desk.restart();
  await after.look();
  desk.conditions = [];
  desk.clock.advance(6_000);
  await after.look();

  expect(hook.bodies.map(({ status }) => status)).toEqual(['opened', 'resolved']);
});

test('a mail says what is down and what is behind it, and that it is over', async () => {
  const server = await startMailServer();
  const desk = await office(
    { mail: [{ name: 'technicians', to: ['desk@msp.example'] }] },
    { smtp: { host: '127.0.0.1', port: server.port, from: 'siteward@acme.example' } },
  );
  desk.conditions = [DEAD];
  await desk.service.look();
  desk.conditions = [];
  desk.clock.advance(10_000);
  await desk.service.look();

  expect(server.mails).toHaveLength(2);
  expect(server.mails[0]).toContain('Subject: [ACME hq] fw-1 is down, 2 devices behind it cannot be reached');
  expect(server.mails[0]).toContain('behind it: srv-1 (192.0.2.3)');
  expect(server.mails[1]).toContain('Subject: [ACME hq] over: fw-1 is down');
});

test("a device's name in a subject begins no other header", async () => {
  const server = await startMailServer();
  const desk = await office(
    { mail: [{ name: 'technicians', to: ['desk@msp.example'] }] },
    { smtp: { host: '127.0.0.1', port: server.port, from: 'siteward@acme.example' } },
  );
  desk.conditions = [{ ...DEAD, title: 'evil\r\nBcc: everyone@msp.example is down' }];
  await desk.service.look();

  const [headers] = server.mails[0]?.split('\r\n\r\n') ?? [];
  expect(headers).toContain('Subject: [ACME hq] evil Bcc: everyone@msp.example is down');
  expect(headers).not.toMatch(/^Bcc:/m);
});

test('a real Alertmanager holds one alert while it lasts, and none when it is over', async () => {
  const url = await alertmanager();
  const desk = await office({ alertmanagers: [{ name: 'central', url }] });
  const alerts = async () =>
    (await (await fetch(`${url}/api/v2/alerts?active=true`)).json()) as {
      labels: Record<string, string>;
      annotations: Record<string, string>;
    }[];
  desk.conditions = [DEAD];
  await desk.service.look();

  expect(await alerts()).toMatchObject([
    {
      labels: { alertname: 'SitewardDeviceDown', device: 'fw-1', site: 'hq', client: 'ACME', severity: 'critical' },
      annotations: { summary: DEAD.title },
    },
  ]);

  desk.clock.set(Date.now());
  desk.conditions = [];
  await desk.service.look();

  await vi.waitFor(async () => expect(await alerts()).toEqual([]), { timeout: 10_000, interval: 200 });
});
