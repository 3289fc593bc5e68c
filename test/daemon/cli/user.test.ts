import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { PasswordChecker } from '#daemon/web/access/passwords.ts';

const SITEWARD = resolve(import.meta.dirname, '../../../scripts/siteward');

test('user add prints the line for the config, with a hash that fits the password and not the password itself', async () => {
  const { status, stdout, stderr } = spawnSync(SITEWARD, ['user', 'add', 'anna', '--role', 'operator'], {
    input: 'a long enough password\n',
    encoding: 'utf8',
  });
  const hash = /^- \{name: anna, role: operator, password_hash: "(scrypt:[^"]+)"\}\n$/.exec(stdout)?.[1];

  expect(status, stderr).toBe(0);
  expect(await new PasswordChecker().fits('a long enough password', hash)).toBe(true);
  expect(stdout + stderr).not.toContain('a long enough password');
});

test('user add refuses a short password with a sentence and no stack trace', () => {
  const { status, stdout, stderr } = spawnSync(SITEWARD, ['user', 'add', 'anna'], {
    input: 'short\n',
    encoding: 'utf8',
  });

  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toBe('the password has fewer than 10 characters\nchoose a longer one\n');
});
