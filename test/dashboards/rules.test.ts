import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const folder = join(root, 'dashboards/prometheus');
const read = (path: string) => readFileSync(join(folder, path), 'utf8');

interface Rule {
  readonly alert?: string;
  readonly labels?: { readonly severity?: string };
  readonly annotations?: { readonly summary?: string; readonly description?: string; readonly runbook?: string };
}
interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts?: readonly unknown[] }[];
  }[];
}

const rules = readdirSync(join(folder, 'rules')).flatMap(
  (name) => (parse(read(`rules/${name}`)) as { groups: readonly { rules: readonly Rule[] }[] }).groups,
);
const alerts = rules.flatMap((group) => group.rules).filter(({ alert }) => alert !== undefined);
const testFiles = readdirSync(join(folder, 'tests')).map((name) => join(folder, 'tests', name));
const checks = testFiles.flatMap((file) =>
  (parse(readFileSync(file, 'utf8')) as RuleTests).tests.map((each) => each.alert_rule_test),
);

test('the example for Prometheus and all rules are what promtool takes', async () => {
  const { stdout } = await run('promtool', ['check', 'config', join(folder, 'prometheus.yml')]);

  expect(stdout).toContain('5 rule files found');
  expect(stdout).not.toContain('FAILED');
});

test('every alert fires, does not fire and resolves as its test says', async () => {
  const { stdout } = await run('promtool', ['test', 'rules', ...testFiles]);

  expect(stdout.match(/SUCCESS/g)).toHaveLength(testFiles.length);
}, 180_000);

test.each(alerts.map((rule) => [rule.alert ?? '', rule] as const))(
  '%s is tested before it fires, while it does and after',
  (name) => {
    const course = checks.flatMap((test) => {
      const own = test.filter(({ alertname }) => alertname === name);
      return own.length === 0
        ? []
        : [own.map(({ exp_alerts }) => (exp_alerts && exp_alerts.length > 0 ? 'fires' : 'quiet'))];
    });

    expect(course.map((each) => each.join(' '))).toContainEqual(
      expect.stringMatching(/^(quiet )+(fires )+quiet( quiet)*$/),
    );
  },
);

test.each(alerts.map((rule) => [rule.alert ?? '', rule] as const))(
  '%s says what is wrong, how bad it is and what to do',
  (_name, rule) => {
    const { summary, description, runbook = '' } = rule.annotations ?? {};
    const page = join(root, runbook);

    expect(rule.labels?.severity).toMatch(/^(critical|warning|info)$/);
    expect(summary).toContain('$labels.site');
    expect(description).toMatch(/\.$/);
    expect(runbook).toMatch(/^docs\/runbooks\/[a-z-]+\.md$/);
    expect(existsSync(page)).toBe(true);
    expect(readFileSync(page, 'utf8')).toContain(rule.alert ?? '-');
  },
);

test('every runbook belongs to an alert, and says what it means, what to look at and what to do', () => {
  const pages = readdirSync(join(root, 'docs/runbooks')).map((name) => `docs/runbooks/${name}`);
  const named = new Set(alerts.map(({ annotations }) => annotations?.runbook));

  expect(pages.filter((page) => !named.has(page))).toEqual([]);
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8');
    for (const heading of ['## What it means', '## Look first', '## What to do']) expect(text, page).toContain(heading);
  }
});

test('the example for Alertmanager is what amtool takes, and sends one message per site', async () => {
  const file = join(folder, 'alertmanager.yml');
  const { stdout } = await run('amtool', ['check-config', file]);
  const { route } = parse(read('alertmanager.yml')) as { route: { group_by: readonly string[] } };
  const receiver = async (...labels: string[]) =>
    (await run('amtool', ['config', 'routes', 'test', `--config.file=${file}`, ...labels])).stdout.trim();

  expect(stdout).toContain('SUCCESS');
  expect(route.group_by).toEqual(['client', 'site']);
  expect(await receiver('alertname=SitewardDeviceDown', 'severity=critical')).toBe('operators');
  expect(await receiver('alertname=SitewardSupplyRunsOut', 'severity=warning')).toBe('print-desk');
  expect(await receiver('alertname=SitewardSlaBurnsOn', 'severity=info')).toBe('board-only');
});

test('vmalert takes the same rules', async () => {
  const { stderr } = await run('vmalert', [
    '-dryRun',
    `-rule=${folder}/rules/*.yml`,
    '-datasource.url=http://127.0.0.1:1',
  ]);

  expect(stderr).not.toMatch(/error|fatal/i);
});
