import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { expect, test } from 'vitest';
import { CATALOGUE, type CatalogueEntry } from '#collectors/catalogue.ts';
import { asked, DASHBOARDS, queryOf, substitute } from './boards.ts';

const VALUES = {
  client: '.*',
  site: '.*',
  class: '.*',
  device: '.*',
  __interval: '1m',
  __rate_interval: '5m',
  __range: '1d',
};
const promql = DASHBOARDS.flatMap(asked).filter(({ language }) => language === 'promql');
/** Labels that the way in adds: the scrape, the output, the histogram. */
const ADDED = ['client', 'site', 'device', 'class', 'instance', 'job', 'le'];

test('every expression is one that Prometheus can parse', () => {
  const broken = promql.filter(({ text }) => faults(substitute(text, VALUES)).length > 0);

  expect(promql.length).toBeGreaterThan(250);
  expect(broken).toEqual([]);
  expect(faults('sum by (site) (up{site=~"a"}')).not.toEqual([]);
});

test('every metric that is matched has the labels by which it is', () => {
  const wrong = promql.flatMap(({ board, where, text }) =>
    [...text.matchAll(/(siteward_\w+)\{([^}]*)\}/g)].flatMap(([, metric = '', matchers = '']) => {
      const entry: CatalogueEntry | undefined =
        metric in CATALOGUE ? CATALOGUE[metric as keyof typeof CATALOGUE] : undefined;
      if (!entry) return [];
      const known = new Set([...entry.labels, ...ADDED]);
      return [...matchers.matchAll(/(\w+)(?:=~|!=|!~|=)/g)]
        .filter(([, label = '']) => !known.has(label))
        .map(([, label]) => `${board}: ${where}: ${metric} has no label ${label}`);
    }),
  );

  expect(wrong).toEqual([]);
});

test('every variable is asked in words that Grafana knows', () => {
  const queries = DASHBOARDS.flatMap(({ templating }) =>
    templating.list.filter(({ type }) => type === 'query').map(queryOf),
  );
  const unknown = queries.filter(
    (query) => !/^label_values\(.+, \w+\)$/.test(query) && !/^SHOW TAG VALUES FROM "\w+" WITH KEY = "\w+"/.test(query),
  );

  expect(unknown).toEqual([]);
});

test('every metric that is asked for is one that siteward has', () => {
  const self = readFileSync(join(import.meta.dirname, '../../daemon/exposition/self.ts'), 'utf8');
  const own = new Set(self.match(/siteward_\w+/g));
  const named = promql.flatMap(({ text }) => text.match(/\bsiteward_\w+/g) ?? []);
  const unknown = named.filter(
    (name) => !(name in CATALOGUE) && !own.has(name) && !own.has(name.replace(/_(bucket|count|sum)$/, '')),
  );

  expect(unknown).toEqual([]);
});

/** Where the grammar of Prometheus does not know on. */
function faults(expression: string): number[] {
  const places: number[] = [];
  parser.parse(expression).iterate({
    enter: ({ type, from }) => {
      if (type.isError) places.push(from);
    },
  });
  return places;
}
