import { expect, test } from 'vitest';
import { SelfMetrics } from '#daemon/exposition/self.ts';

const output = {
  output: 'central',
  points: 3,
  bytes: 900,
  outcomes: { delivered: 7 },
  produced: 12,
  quarantined: 2,
  dropped: {},
};

function samples(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

const names = (text: string) => new Set(samples(text).map((line) => line.replace(/[ {].*$/, '')));

test('counters keep their names in each format, whichever was asked for before', async () => {
  const self = new SelfMetrics('test', () => [output]);

  const first = await self.render('text');
  const [openMetrics, meanwhile] = await Promise.all([self.render('openmetrics'), self.render('text')]);
  const last = await self.render('text');

  for (const text of [first, openMetrics, meanwhile, last]) {
    expect(samples(text)).toContain('siteward_output_points_total{output="central",outcome="delivered"} 7');
    expect(names(text)).toContain('siteward_snmp_requests_total');
    expect(names(text)).toContain('process_cpu_seconds_total');
    expect([...names(text)].filter((name) => names(text).has(`${name}_total`))).toEqual([]);
  }
  expect(names(last)).toEqual(names(first));
});

test('OpenMetrics names the family of a counter without its suffix and has no empty line', async () => {
  const text = await new SelfMetrics('test', () => [output]).render('openmetrics');

  expect(text).toContain('# TYPE siteward_output_points counter\n');
  expect(text).toMatch(/^# HELP siteward_output_points Points/m);
  expect(text).not.toMatch(/^# TYPE \S+_total /m);
  expect(text).not.toContain('\n\n');
  expect(text.endsWith('\n')).toBe(true);
  expect(text).not.toContain('# EOF');
});
