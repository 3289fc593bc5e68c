import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { configOf } from '#config/load.ts';
import { createLogger } from '#daemon/log.ts';
import { writePack } from '#daemon/meters/pack.ts';
import { checkPack } from '#daemon/meters/pack-check.ts';
import { packKey } from '#daemon/meters/signing.ts';
import { allTerms } from '#daemon/meters/terms.ts';
import { verifyMeters } from '#daemon/meters/verify.ts';
import { LEDGER_OPTIONS } from '#daemon/store/ledger.ts';
import { openStore } from '#daemon/store/sqlite-store.ts';
import { tarHeader } from '#daemon/store/tar.ts';
import { DAY, HOUR, openSite, type Site } from './site.ts';

const JAN = Date.UTC(2026, 0, 1) as WallTime;
const MAR = Date.UTC(2026, 2, 1) as WallTime;
const APR = Date.UTC(2026, 3, 1) as WallTime;
const log = createLogger('error');
const { config } = configOf(
  {
    site: { id: 'acme-hq', client: 'ACME Ltd', timezone: 'UTC' },
    contracts: {
      'acme-print': { devices: ['copier-*'], meters: { total: { price: '0.0125' } }, rated_pages_per_minute: 60 },
    },
  },
  '/',
);

let site: Site;
let folder: string;
let pack: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'siteward-pack-test-'));
  pack = join(folder, 'march.tar.gz');
  site = await openSite();
  const terms = allTerms(config);
  for (let at = JAN; at <= APR; at = (at + 6 * HOUR) as WallTime) {
    const hours = (at - JAN) / HOUR;
    // Silent over the cut of March, so that February is estimated and trued up in March.
    const silent = at >= MAR - 3 * DAY && at <= MAR + 3 * DAY;
    await Promise.all([
      site.read({ device: 'copier-1', serial: 'SN1' }, at, { total: 10_000 + 10 * hours }),
      ...(silent
        ? []
        : [site.read({ device: 'copier-2', serial: 'SN2' }, at, { total: 500 + 5 * hours + (hours % 24) })]),
      site.read({ device: 'spare', serial: 'SN3' }, at, { total: 70 }),
    ]);
    if (hours % 120 === 0) await site.close(terms, at);
  }
  await site.close(terms, (APR + DAY + HOUR) as WallTime);
  await writePack({
    database: site.database,
    config,
    period: { from: MAR, to: APR },
    now: (APR + 2 * DAY) as WallTime,
    version: 'test',
    key: packKey(folder),
    log,
    sla: undefined,
    output: pack,
  });
});

afterAll(async () => {
  await site.remove();
  rmSync(folder, { recursive: true, force: true });
});

test('a pack is whole, and every figure follows from its evidence', async () => {
  const { faults, checked } = await checkPack(pack, log);

  expect(faults).toEqual([]);
  expect(checked['figures']).toBeGreaterThan(50);
  expect(checked['meter_periods']).toBeGreaterThanOrEqual(4);
});

test('one changed figure in a report is named, in whatever format it was changed', async () => {
  const changed = join(folder, 'changed.tar.gz');
  rewrite(pack, changed, (name, text) => {
    if (name === 'reports/meters.json') return text.replace('"used": 7440', '"used": 7450');
    return name === 'reports/meters.csv' ? text.replace('7440', '7450') : text;
  });

  const { faults } = await checkPack(changed, log);

  expect(faults.map(({ where, message }) => `${where}: ${message}`)).toEqual(
    expect.arrayContaining([
      'reports/meters.json: it is not the file that was signed',
      'reports/meters.json contracts[0].devices[0].meters.total.used: the pack says 7450, the evidence gives 7440',
      expect.stringMatching(/^reports\/meters\.csv line \d+: it says .*7450/),
    ]),
  );
});

test('a pack signed anew by someone else gives itself away by its evidence and its key', async () => {
  const forged = join(folder, 'forged.tar.gz');
  rewrite(pack, forged, (name, text) => {
    if (name === 'reports/meters.json') return text.replace('"used": 7440', '"used": 7450');
    if (name !== 'manifest.json') return text;
    const { publicKey } = generateKeyPairSync('ed25519');
    const manifest = JSON.parse(text) as Record<string, unknown>;
    return JSON.stringify({ ...manifest, public_key: publicKey.export({ type: 'spki', format: 'pem' }) });
  });

  const { faults, fingerprint } = await checkPack(forged, log);

  expect(fingerprint).not.toBe((await checkPack(pack, log)).fingerprint);
  expect(faults.map(({ where }) => where)).toContain('manifest.json');
  expect(faults.map(({ where }) => where)).toContain('reports/meters.json contracts[0].devices[0].meters.total.used');
});

test.each([
  [
    'meter_chunks',
    'UPDATE meter_chunks SET body = zeroblob(length(body)) WHERE device = 1 AND first = 65',
    /meter_chunks row \(1, 65\): reads 65 to 128 of copier-1/,
  ],
  [
    'meter_reads',
    'UPDATE meter_reads SET body = zeroblob(length(body)) WHERE device = 3',
    /meter_reads row \(3, \d+\): read \d+ of spare/,
  ],
  [
    'meter_reads',
    'DELETE FROM meter_reads WHERE device = 3 AND number = (SELECT min(number) + 1 FROM meter_reads WHERE device = 3)',
    /reads? \d+ (of spare|to \d+ are missing)/,
  ],
  [
    'meter_entries',
    `UPDATE meter_entries SET body = replace(body, '0.0125', '0.0225') WHERE kind = 'terms'`,
    /meter_entries row \d+ \(terms\)/,
  ],
  [
    'meter_periods',
    "UPDATE meter_periods SET body = x'00' WHERE printer = 'Acme:SN1'",
    /meter_periods row \(acme-print, \d+, Acme:SN1\)/,
  ],
])('one changed row in a copy of the ledger is named: %s', async (_table, sql, named) => {
  const copy = mkdtempSync(join(tmpdir(), 'siteward-copy-'));
  await site.database.backup(join(copy, 'ledger.db'));
  const direct = new DatabaseSync(join(copy, 'ledger.db'));
  for (const { name } of direct.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all())
    direct.exec(`DROP TRIGGER ${String(name)}`);
  direct.exec(sql);
  direct.close();
  const store = await openStore({ directory: copy, log, readOnly: true });

  const { database } = await store.open('ledger', LEDGER_OPTIONS);
  const { faults } = await verifyMeters(database);
  await store.close();
  rmSync(copy, { recursive: true, force: true });

  expect(faults.map(({ where, message }) => `${where}: ${message}`).join('\n')).toMatch(named);
});

test('the ledger that nobody touched holds', async () => {
  const { faults, checked } = await verifyMeters(site.database);

  expect(faults).toEqual([]);
  expect(checked['meter_reads']).toBeGreaterThan(1_000);
});

/** The same tar file with files changed; sizes follow. */
function rewrite(from: string, to: string, change: (name: string, text: string) => string): void {
  const tar = gunzipSync(readFileSync(from));
  const parts: Buffer[] = [];
  for (let at = 0; at + 512 <= tar.length; ) {
    const name = tar.toString('utf8', at, tar.indexOf(0, at));
    if (name === '') break;
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8);
    const content = tar.subarray(at + 512, at + 512 + size);
    const text =
      name.endsWith('.json') || name.endsWith('.csv') ? Buffer.from(change(name, content.toString('utf8'))) : content;
    parts.push(
      tarHeader({ name, size: text.length }, new Date(0)),
      text,
      Buffer.alloc((512 - (text.length % 512)) % 512),
    );
    at += 512 + Math.ceil(size / 512) * 512;
  }
  writeFileSync(to, gzipSync(Buffer.concat([...parts, Buffer.alloc(1024)])));
}
