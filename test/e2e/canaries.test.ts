import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { samplesOf, sampleValue } from '../support/exposition.ts';
import { temporaryFolder } from '../support/folder.ts';
import { freePort } from '../support/process.ts';
import { startReceiver } from '../support/receiver.ts';
import { startRelay } from '../support/relay.ts';
import { type DaemonOptions, siteward, startDaemon, writeConfig } from '../support/siteward.ts';
import { startSnmpd } from '../support/snmpd.ts';

/** One unique text for each place of the config that takes a secret. */
const CANARY = {
  community: 'canary-community-01',
  wrongCommunity: 'canary-community-02',
  auth: 'canary-auth-key-03',
  privacy: 'canary-privacy-key-04',
  wrongAuth: 'canary-auth-key-05',
  wrongPrivacy: 'canary-privacy-key-06',
  influxToken: 'canary-influx-token-07',
  influxPassword: 'canary-influx-password-08',
  remoteToken: 'canary-remote-token-09',
  remotePassword: 'canary-remote-password-10',
  smtpPassword: 'canary-smtp-password-11',
  webhookToken: 'canary-webhook-token-12',
  alertmanagerToken: 'canary-alertmanager-token-13',
  apiToken: 'canary-api-token-14',
  env: 'canary-from-environment-15',
  file: 'canary-from-file-16',
} as const;

const user = (auth: string, privacy: string) => ({
  version: 3,
  user: 'monitor',
  level: 'auth_priv',
  auth: { protocol: 'sha256', key: auth },
  privacy: { protocol: 'aes128', key: privacy },
});

function expectNone(where: string, text: string): void {
  for (const [name, canary] of Object.entries(CANARY)) expect(text.includes(canary), `${name} in ${where}`).toBe(false);
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Command line and environment of each process that `pid` has now. */
function childrenOf(pid: number): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const parent = Number(
          readFileSync(`/proc/${name}/stat`, 'utf8')
            .replace(/^.*\) /, '')
            .split(' ')[1],
        );
        if (parent !== pid) return [];
        return [readFileSync(`/proc/${name}/cmdline`, 'utf8') + readFileSync(`/proc/${name}/environ`, 'utf8')];
      } catch {
        return []; // it has ended meanwhile
      }
    });
}

test('no secret of the config is in logs, metrics, API, pages, files, errors, or in what its children are given', async () => {
  const snmpd = await startSnmpd({
    communities: [CANARY.community],
    users: [
      {
        name: 'monitor',
        level: 'priv',
        auth: { protocol: 'SHA-256', key: CANARY.auth },
        privacy: { protocol: 'AES', key: CANARY.privacy },
      },
    ],
  });
  onTestFinished(() => snmpd.stop());
  // One receiver that refuses, one that breaks, and one that is not there: their errors must not tell either.
  const refusing = await startReceiver(() => ({ status: 401, body: 'unauthorized' }));
  const breaking = await startReceiver(() => ({ status: 500, body: 'broken' }));
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'secret.key'), `${CANARY.file}\n`, { mode: 0o600 });
  const options: DaemonOptions = { folder, env: { ...process.env, SITEWARD_TEST_SECRET: CANARY.env } };
  const credentials = {
    right: { version: '2c', community: CANARY.community },
    wrong: { version: '2c', community: CANARY.wrongCommunity },
    secure: user(CANARY.auth, CANARY.privacy),
    'wrong-auth': user(CANARY.wrongAuth, CANARY.privacy),
    'wrong-privacy': user(CANARY.auth, CANARY.wrongPrivacy),
    env: { version: '2c', community: { env: 'SITEWARD_TEST_SECRET' } },
    file: { version: '1', community: { file: 'secret.key' } },
  };
  // The same agent seven times over: at one address and port the config lets only one device be.
  const devices: Readonly<Record<string, unknown>>[] = [];
  for (const name of Object.keys(credentials)) {
    const relay = await startRelay(snmpd.port, (reply) => [reply]);
    onTestFinished(() => relay[Symbol.asyncDispose]());
    const { address, port } = relay;
    devices.push({ name, address, port, credentials: [name], checks: ['icmp', 'snmp'] });
  }
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const config = {
    log: { level: 'debug' },
    credentials,
    polling: { availability: '5s', metrics: '15s' },
    devices,
    outputs: {
      influx: [
        { name: 'refusing', url: refusing.url, token: CANARY.influxToken },
        { name: 'breaking', url: breaking.url, user: 'monitor', password: CANARY.influxPassword },
      ],
      remote_write: [
        { name: 'away', url: `${nobody}/api/v1/write`, token: CANARY.remoteToken },
        { name: 'away-too', url: `${nobody}/api/v1/write`, user: 'monitor', password: CANARY.remotePassword },
      ],
    },
    smtp: {
      host: '127.0.0.1',
      port: await freePort(),
      user: 'monitor',
      password: CANARY.smtpPassword,
      from: 'a@example.com',
    },
    notices: {
      webhooks: [{ name: 'hook', url: nobody, token: CANARY.webhookToken }],
      alertmanagers: [{ name: 'alerts', url: nobody, token: CANARY.alertmanagerToken }],
      mail: [{ name: 'desk', to: ['desk@example.com'] }],
    },
    http: { listen: '127.0.0.1:0', auth: { tokens: [{ name: 'scraper', token: CANARY.apiToken, role: 'admin' }] } },
  };
  await using daemon = await startDaemon(config, options);
  const bearer = { authorization: `Bearer ${CANARY.apiToken}` };
  const children = new Set<string>();

  await daemon.metrics(
    'answers and refusals of all seven, and tries of the outputs',
    (samples) => {
      for (const child of childrenOf(daemon.pid)) children.add(child);
      const probes = samplesOf(samples, 'siteward_probe_success', { probe: 'snmp' });
      return (probes.length === 7 && refusing.requests.length > 0 && breaking.requests.length > 0) || undefined;
    },
    undefined,
    bearer,
  );
  // The secrets do reach those for whom they are.
  expect(refusing.requests.some(({ headers }) => headers.authorization?.includes(CANARY.influxToken))).toBe(true);
  const samples = await daemon.scrape(bearer);
  expect(sampleValue(samples, 'siteward_probe_success', { device: 'right', probe: 'snmp' })).toBe(1);
  expect(sampleValue(samples, 'siteward_probe_success', { device: 'secure', probe: 'snmp' })).toBe(1);
  expect(sampleValue(samples, 'siteward_probe_success', { device: 'wrong', probe: 'snmp' })).toBe(0);

  const paths = [
    '/',
    '/metrics',
    '/api/v1/site',
    '/api/v1/devices',
    '/api/openapi.json',
    '/login',
    '/nowhere',
    '/-/ready',
  ];
  for (const path of [...paths, ...Object.keys(credentials).map((name) => `/api/v1/devices/${name}`)]) {
    expectNone(path, await daemon.get(path, bearer));
    expectNone(`${path} without a token`, await daemon.get(path));
  }

  // A reload with a fault beside the secrets, as in a config that somebody is writing.
  await writeConfig(daemon.configFile, {
    ...config,
    credentials: {
      ...credentials,
      broken: { version: '2c', comunity: CANARY.wrongCommunity },
      odd: { version: '2c', community: [CANARY.community] },
    },
  });
  const refused = await fetch(`${daemon.url}/-/reload`, { method: 'POST', headers: bearer });
  expect(refused.status).toBe(422);
  expectNone('the answer to a reload', await refused.text());
  for (const args of [['check'], ['devices'], ['poll', 'right'], ['run']]) {
    const { stdout, stderr } = await siteward([...args, '--config', daemon.configFile], options);
    expectNone(args.join(' '), stdout + stderr);
  }
  await writeConfig(daemon.configFile, config);
  for (const device of ['right', 'wrong-auth', 'wrong-privacy']) {
    const { stdout, stderr } = await siteward(['poll', device, '--config', daemon.configFile, '--json'], options);
    expectNone(`poll ${device}`, stdout + stderr);
  }

  await daemon.stop();

  expect(children.size).toBeGreaterThan(0);
  for (const child of children) expectNone('the command line or environment of a child', child);
  expectNone('its log', daemon.printed);
  expect(daemon.log.some(({ level }) => level === 'warn' || level === 'error')).toBe(true);
  const own = new Set([daemon.configFile, join(folder, 'secret.key')]);
  const kept = filesUnder(folder).filter((file) => !own.has(file));
  expect(kept.length).toBeGreaterThan(0);
  for (const file of kept) expectNone(file, readFileSync(file, 'latin1'));
}, 300_000);
