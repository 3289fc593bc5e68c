import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { generatedFiles } from '../../dashboards/grafana/boards.ts';
import { relabelling } from '../../dashboards/victoriametrics/relabelling.ts';
import { BOARDS_FOLDER, RELABELLING_FILE } from '../../scripts/generate-dashboards.ts';
import { asked, DASHBOARDS, type Panel, queryOf } from './boards.ts';

const root = join(import.meta.dirname, '../..');

test('the boards that are kept are those that the code makes', () => {
  const kept = new Map(
    readdirSync(BOARDS_FOLDER).map((name) => [name, readFileSync(join(BOARDS_FOLDER, name), 'utf8')]),
  );

  // `npx node scripts/generate-dashboards.ts` makes them anew.
  expect(Object.fromEntries(kept)).toEqual(Object.fromEntries(generatedFiles()));
});

test('the renaming for VictoriaMetrics is that of the catalogue', () => {
  expect(readFileSync(RELABELLING_FILE, 'utf8')).toBe(relabelling());
});

test('each board has an identifier of its own, which Grafana can take', () => {
  const uids = DASHBOARDS.map(({ uid }) => uid);

  expect(new Set(uids).size).toBe(uids.length);
  expect(uids.filter((uid) => !/^[a-z0-9-]{8,40}$/.test(uid))).toEqual([]);
});

describe.each(DASHBOARDS.map((dashboard) => [dashboard.title, dashboard] as const))('%s', (_title, dashboard) => {
  const panels = dashboard.panels.filter(({ type }) => type !== 'row');

  test('has panels with numbers of their own that do not lie upon one another', () => {
    const ids = dashboard.panels.map(({ id }) => id);

    expect(panels.length).toBeGreaterThan(3);
    expect(new Set(ids).size).toBe(ids.length);
    expect(dashboard.panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
    expect(overlapping(dashboard.panels)).toEqual([]);
  });

  test('asks only by the data source that its reader has chosen', () => {
    const sources = [
      ...panels.map(({ datasource }) => datasource?.uid),
      ...panels.flatMap(({ targets = [] }) => targets.map(({ datasource }) => datasource?.uid)),
      ...dashboard.templating.list.filter(({ type }) => type === 'query').map(({ datasource }) => datasource?.uid),
      ...(dashboard.annotations.list ?? []).map(({ datasource }) => datasource?.uid),
    ];

    expect(new Set(sources)).toEqual(new Set([`\${datasource}`]));
  });

  test('uses no variable that it does not define, and defines none that it does not use', () => {
    const texts = [
      ...asked(dashboard).map(({ text }) => text),
      ...dashboard.templating.list.map((variable) => queryOf(variable)),
    ];
    const used = new Set(texts.flatMap((text) => [...text.matchAll(/\$\{?(\w+)/g)].map(([, name]) => name ?? '')));
    const defined = new Set(dashboard.templating.list.map(({ name }) => name));
    const builtIn = new Set(['__interval', '__rate_interval', '__range', 'timeFilter']);

    expect([...used].filter((name) => !defined.has(name) && !builtIn.has(name))).toEqual([]);
    expect([...defined].filter((name) => !used.has(name) && name !== 'datasource')).toEqual([]);
  });

  test('names no client, site or device of its own', () => {
    const fixed = asked(dashboard).filter(({ text }) =>
      /\b(client|site|device)"?(::tag)?\s*(=~|!~|!=|=)\s*['"/](?!\^?\$)/.test(text),
    );

    expect(fixed).toEqual([]);
  });

  test('has a unit on every panel, and on every column of numbers', () => {
    expect(panels.filter(({ fieldConfig }) => !fieldConfig?.defaults.unit).map(({ title }) => title)).toEqual([]);
    expect(panels.filter(({ type }) => type === 'table').flatMap(columnsWithoutUnit)).toEqual([]);
  });

  test('asks nothing that counts samples: what is sent again would count again', () => {
    const counting = asked(dashboard).filter(({ text }) =>
      /\bcount_over_time\b|\bcount\("|\bsum\("|\bmean\("/.test(text),
    );

    expect(counting).toEqual([]);
  });

  test('leads only to boards that are there', () => {
    const uids = new Set(DASHBOARDS.map(({ uid }) => uid));
    const links = panels.flatMap(({ fieldConfig }) =>
      (fieldConfig?.overrides ?? []).flatMap(({ properties }) =>
        properties.filter(({ id }) => id === 'links').flatMap(({ value }) => value as readonly { url: string }[]),
      ),
    );
    const classes = ['firewall', 'printer', 'server', 'switch', 'ap', 'ups', 'nas', 'other'];
    const missing = links
      .map(({ url }) => /^\/d\/([^?]+)\?/.exec(url)?.[1] ?? url)
      .flatMap((uid) => (uid.includes('$') ? classes.map((name) => uid.replace(/\$\{.*\}/, name)) : [uid]))
      .filter((uid) => !uids.has(uid));

    expect(missing).toEqual([]);
  });
});

test('compose gives Grafana the folders that are there', () => {
  const compose = readFileSync(join(root, 'compose.yaml'), 'utf8');
  const provider = readFileSync(join(root, 'dashboards/grafana/provisioning/dashboards/siteward.yaml'), 'utf8');

  expect(compose).toContain('./dashboards/grafana/provisioning:/etc/grafana/provisioning:ro');
  expect(compose).toContain('./dashboards/grafana/generated:/var/lib/grafana/dashboards:ro');
  expect(compose).toContain('./dashboards/prometheus:/etc/prometheus:ro');
  expect(provider).toContain('path: /var/lib/grafana/dashboards');
});

function overlapping(panels: readonly Panel[]): string[] {
  const taken = new Map<string, string>();
  return panels.flatMap(({ title, gridPos: { x, y, w, h } }) => {
    const cells = Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`);
    const under = cells.map((cell) => taken.get(cell)).find((other) => other !== undefined);
    for (const cell of cells) taken.set(cell, title);
    return under === undefined ? [] : [`${title} over ${under}`];
  });
}

/** A column of numbers is one made by a query (`Value`, `Value #A`), and says its unit or its words. */
function columnsWithoutUnit(panel: Panel): string[] {
  const names = panel.transformations?.find(({ id }) => id === 'organize')?.options.renameByName ?? {};
  const styled = new Set(
    (panel.fieldConfig?.overrides ?? [])
      .filter(({ properties }) => properties.some(({ id }) => id === 'unit' || id === 'mappings'))
      .map(({ matcher }) => matcher.options),
  );
  return Object.entries(names)
    .filter(([field, title]) => /^Value( #[A-Z])?$/.test(field) && !styled.has(title))
    .map(([, title]) => `${panel.title}: ${title}`);
}
