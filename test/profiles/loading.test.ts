import { describe, expect, test } from 'vitest';
import { profilesOf } from '../collectors/snmp/profile/support.ts';

const faultsOf = (texts: Readonly<Record<string, string>>) => profilesOf(texts).lines;

describe('loading profiles', () => {
  test('every fault of every file is told at once, with its place and what to write', () => {
    const lines = faultsOf({
      bad: `title: Bad
match: [{sys_object_id: '.1.3'}]
clas: printer
areas:
  meters:
    - readings:
        - {meter: pages, value: 1.3.6.1.2.1.43.10.2.1.4.1.1}
`,
      worse: 'title: [unclosed',
      twice: 'title: A\ntitle: B',
    });

    expect(lines.filter((line) => line.startsWith('bad.yaml:2:25:'))).toHaveLength(1);
    expect(lines.find((line) => line.startsWith('bad.yaml:3:1:'))).toContain('did you mean class?');
    expect(lines.some((line) => line.startsWith('bad.yaml:7:'))).toBe(true);
    expect(lines.some((line) => line.startsWith('worse.yaml:1:'))).toBe(true);
    expect(lines.some((line) => line.startsWith('twice.yaml:2:1:'))).toBe(true);
  });

  test('names that stand for nothing are found', () => {
    const lines = faultsOf({
      p: `title: P
match: [{}]
tables: {t: {entry: 1.3.9.1, columns: {a: 1}, slow: [b]}}
identity:
  serial: {row: {table: t, column: x}}
areas:
  cpu:
    - rows: nowhere
      readings: [{metric: siteward_cpu_usage_ratio, labels: {cpu: all}, value: 1}]
    - readings: [{metric: siteward_cpu_usage, labels: {cpu: all}, value: 1}]
    - readings: [{metric: siteward_cpu_usage_ratio, labels: {core: all}, value: {column: a}}]
    - readings: [{metric: siteward_cpu_usage_ratio, value: {index: 0}}]
`,
    });

    expect(lines).toEqual(
      [
        'p.yaml:3:54: tables.t.slow[0]: table t has no column b',
        'p.yaml:5:36: identity.serial.row.column: table t has no column x (write one of a)',
        'p.yaml:8:13: areas.cpu[0].rows: there is no table nowhere (write one of t)',
        'p.yaml:10:27: areas.cpu[1].readings[0].metric: there is no metric siteward_cpu_usage (did you mean siteward_cpu_usage_ratio?)',
        'p.yaml:11:27: areas.cpu[2].readings[0].metric: siteward_cpu_usage_ratio needs a label cpu (write labels: {cpu: …})',
        'p.yaml:11:68: areas.cpu[2].readings[0].labels.core: siteward_cpu_usage_ratio has no label core (write one of cpu)',
        'p.yaml:11:90: areas.cpu[2].readings[0].value.column: there is no row here (write rows: TABLE at the source, or oid instead of column)',
        'p.yaml:12:68: areas.cpu[3].readings[0].value.index: there is no row here (write rows: TABLE at the source)',
        'p.yaml:12:27: areas.cpu[3].readings[0].metric: siteward_cpu_usage_ratio needs a label cpu (write labels: {cpu: …})',
      ].toSorted(byPlace),
    );
  });

  test('what is extended must exist and must not lead back', () => {
    const lines = faultsOf({
      a: 'title: A\nmatch: [{}]\nextends: [b]',
      b: 'title: B\nmatch: [{}]\nextends: [a]',
      c: 'title: C\nmatch: [{}]\nextends: [ab]',
    });

    expect(lines.find((line) => line.startsWith('a.yaml:3:11:'))).toContain('extends itself: a > b > a');
    expect(lines.find((line) => line.startsWith('c.yaml:3:11:'))).toContain('there is no profile "ab"');
  });

  test('a value names one source', () => {
    const [line] = faultsOf({ p: 'title: P\nmatch: [{}]\nidentity: {model: {oid: 1.3.6.1.2.1.1.1.0, const: x}}' });

    expect(line).toContain('p.yaml:3:19');
    expect(line).toContain('names 2 sources (oid, const)');
  });

  test('a profile that nothing matches is a mistake, a part is not', () => {
    expect(faultsOf({ p: 'title: P' })).toHaveLength(1);
    expect(faultsOf({ p: 'title: P\nabstract: true' })).toEqual([]);
  });
});

describe('what a profile extends', () => {
  const { profiles, lines } = profilesOf({
    base: `title: Base
abstract: true
vendor: Base
tables: {t: {entry: 1.3.9.1, columns: {a: 1}}}
identity: {model: base model, serial: base serial}
areas:
  cpu: [{readings: [{metric: siteward_cpu_usage_ratio, labels: {cpu: base}, value: 0.1}]}]
  load: [{readings: [{metric: siteward_load_average, labels: {window: 1m}, value: 1}]}]
`,
    side: `title: Side
abstract: true
extends: [base]
areas:
  cpu: [{readings: [{metric: siteward_cpu_usage_ratio, labels: {cpu: side}, value: 0.2}]}, inherit]
`,
    leaf: `title: Leaf
match: [{}]
extends: [base, side]
class: server
tables: {t: {entry: 1.3.9.1, columns: {b: 2}}}
identity: {model: leaf model}
areas:
  load: []
`,
    clash: 'title: Clash\nmatch: [{}]\nextends: [base]\ntables: {t: {entry: 1.3.8.1, columns: {a: 1}}}',
  });
  const leaf = profiles.get('leaf');

  test('tables are merged, identity falls back, areas are replaced or inherited', () => {
    expect(leaf?.tables['t']?.columns).toEqual({ a: '1.3.9.1.1', b: '1.3.9.1.2' });
    expect(leaf?.identity.model).toEqual(['leaf model', 'base model']);
    expect(leaf?.identity.serial).toEqual(['base serial']);
    expect(leaf?.areas.cpu?.sources.map(({ from }) => from)).toEqual(['side', 'base']);
    expect(leaf?.areas.load?.sources).toEqual([]);
    expect(leaf).toMatchObject({ class: 'server', vendor: 'Base', lineage: ['leaf', 'side', 'base'] });
  });

  test('two tables of one name and different places are a mistake', () => {
    expect(lines).toEqual([
      'clash.yaml:4:21: tables.t.entry: table t has another entry in base (choose another name for one of them)',
    ]);
  });
});

function byPlace(a: string, b: string): number {
  const place = (line: string) => line.split(':').slice(1, 3).map(Number);
  const [lineA = 0, columnA = 0] = place(a);
  const [lineB = 0, columnB = 0] = place(b);
  return lineA - lineB || columnA - columnB;
}
