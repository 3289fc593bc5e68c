import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError } from '#config/errors.ts';
import { loadConfig } from '#config/load.ts';
import { loadConfigApart } from '#daemon/apart/config.ts';
import { PATIENCE } from '../../support/siteward.ts';

const { execPath } = process;
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'siteward-apart-'));
  file = join(folder, 'siteward.yaml');
});

afterEach(() => {
  process.execPath = execPath;
  rmSync(folder, { recursive: true, force: true });
});

const CONFIG = `site: {id: hq, client: "ACME: Söhne & Co", timezone: Europe/Berlin}
credentials:
  plain: {version: 2c, community: in the file}
  variable: {version: 2c, community: {env: TEST_COMMUNITY}}
  beside: {version: 3, user: op, level: auth_no_priv, auth: {protocol: sha256, key: {file: auth.key}}}
devices:
  - {name: sw-1, address: 192.0.2.1, credentials: [plain, variable, beside]}
`;
const ENV = { ...process.env, TEST_COMMUNITY: 'in the environment' };

function writeConfig(text: string): void {
  writeFileSync(file, text);
  writeFileSync(join(folder, 'auth.key'), 'in a file beside it\n', { mode: 0o644 });
}

describe.each([
  ['another process', execPath],
  ['this one, where no other can be had', '/nowhere/node'],
])('the config that is read by %s', (_by, path) => {
  beforeEach(() => {
    process.execPath = path;
  });

  test('is the one that is read here, with its warnings and secrets', { timeout: PATIENCE }, async () => {
    writeConfig(CONFIG);

    const apart = await loadConfigApart(file, ENV);

    const here = loadConfig(file, ENV);
    expect(here.warnings).toHaveLength(1);
    expect(apart).toEqual(here);
    expect(Object.isFrozen(apart.config.devices)).toBe(true);
    const secrets = Object.values(apart.config.credentials).map((credential) =>
      'community' in credential ? credential.community : credential.auth?.key,
    );
    expect(secrets.map((secret) => secret?.reveal())).toEqual([
      'in the file',
      'in the environment',
      'in a file beside it',
    ]);
    expect(secrets.map((secret) => secret?.source)).toEqual([
      '<secret>',
      { env: 'TEST_COMMUNITY' },
      { file: 'auth.key' },
    ]);
    expect(inspect(apart, { depth: 9 })).not.toContain('in the');
  });

  test('is refused with the same faults', { timeout: PATIENCE }, async () => {
    writeConfig(`${CONFIG}polling: {metrics: 1s}\nnotifications: 7\n`);

    const refused = await loadConfigApart(file, ENV).catch((error: unknown) => error);

    const expected = (() => {
      try {
        return loadConfig(file, ENV);
      } catch (error) {
        return error;
      }
    })();
    expect(expected).toBeInstanceOf(ConfigError);
    expect(refused).toBeInstanceOf(ConfigError);
    expect((refused as ConfigError).faults).toEqual((expected as ConfigError).faults);
  });
});
