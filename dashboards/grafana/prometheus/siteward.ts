import { type Board, lines, stat, table } from '../panels.ts';
import { column, now, over, VARIABLES } from '../promql.ts';
import { rising } from '../units.ts';

/** Series of the daemon itself: they are scraped, and no output carries them. */
const own = (name: string, more = '') => `${name}{client=~"$client",site=~"$site"${more}}`;
const rate = (name: string, more = '') => `rate(${own(name, more)}[$__rate_interval])`;
const quantile = (q: number, name: string, by: string) =>
  `histogram_quantile(${q}, sum by (${by}, le) (${rate(`${name}_bucket`)}))`;

export const itself: Board = {
  uid: 'siteward-itself',
  title: 'siteward / siteward itself',
  description: 'Whether the appliances keep up, and whether what they measure gets out. Needs their /metrics scraped.',
  language: 'promql',
  variables: [
    { ...VARIABLES.client, query: 'label_values(siteward_build_info, client)' },
    { ...VARIABLES.site, query: 'label_values(siteward_build_info{client=~"$client"}, site)' },
  ],
  from: 'now-6h',
  refresh: '30s',
  sections: [
    {
      title: 'Now',
      panels: [
        stat('Appliances', [now(`count(${own('siteward_build_info')})`)], { width: 4, unit: 'locale' }),
        stat('Devices', [now(`sum(${own('siteward_devices')})`)], { width: 4, unit: 'locale' }),
        stat('Config', [now(`min(${own('siteward_config_last_reload_successful')})`)], {
          width: 4,
          unit: 'none',
          words: { 0: { text: 'refused', color: 'red' }, 1: { text: 'good', color: 'green' } },
        }),
        stat('Points waiting', [now(`sum(${own('siteward_spool_points')})`)], {
          width: 4,
          unit: 'locale',
          empty: 'no output',
        }),
        stat('Oldest point waits', [now(`time() - min(${own('siteward_spool_oldest_timestamp_seconds')})`)], {
          width: 4,
          unit: 's',
          steps: rising(300, 3600),
          empty: 'none waits',
        }),
        stat(
          'Points refused in this time',
          [now(`sum(increase(${own('siteward_output_points_total', ',outcome=~"rejected|dropped"')}[$__range]))`)],
          {
            width: 4,
            unit: 'locale',
            steps: rising(1, 1000),
            empty: 'no output',
          },
        ),
        table('Versions', [column(`max by (client, site, version, node) (${own('siteward_build_info')})`)], {
          width: 24,
          height: 6,
          columns: [
            { field: 'client', title: 'Client' },
            { field: 'site', title: 'Site' },
            { field: 'version', title: 'siteward' },
            { field: 'node', title: 'Node.js' },
          ],
        }),
      ],
    },
    {
      title: 'Polling',
      panels: [
        lines(
          'Questions per second',
          [over(`sum by (collector) (${rate('siteward_poll_duration_seconds_count')})`, '{{collector}}')],
          { width: 8, unit: 'cps', min: 0 },
        ),
        lines(
          'How long one takes',
          [
            over(quantile(0.5, 'siteward_poll_duration_seconds', 'collector'), '{{collector}} median'),
            over(quantile(0.99, 'siteward_poll_duration_seconds', 'collector'), '{{collector}} 99 %'),
          ],
          { width: 8, unit: 's', min: 0 },
        ),
        lines(
          'Without an answer',
          [over(`sum by (collector, reason) (${rate('siteward_poll_failures_total')})`, '{{collector}} {{reason}}')],
          {
            width: 8,
            unit: 'cps',
            min: 0,
            empty: 'none',
          },
        ),
        lines(
          'SNMP requests',
          [
            over(`sum(${rate('siteward_snmp_requests_total')})`, 'sent'),
            over(`sum(${rate('siteward_snmp_timeouts_total')})`, 'without an answer in time'),
          ],
          {
            width: 8,
            unit: 'cps',
            min: 0,
          },
        ),
        lines(
          'Cycles start late by',
          [
            over(quantile(0.5, 'siteward_scheduler_lag_seconds', 'site'), '{{site}} median'),
            over(quantile(0.99, 'siteward_scheduler_lag_seconds', 'site'), '{{site}} 99 %'),
          ],
          {
            width: 8,
            unit: 's',
            min: 0,
          },
        ),
        lines(
          'Cycles left out',
          [over(`sum by (site) (${rate('siteward_scheduler_missed_cycles_total')})`, '{{site}}')],
          { width: 8, unit: 'cps', min: 0 },
        ),
      ],
    },
    {
      title: 'Outputs',
      panels: [
        lines(
          'Points',
          [over(`sum by (output, outcome) (${rate('siteward_output_points_total')})`, '{{output}} {{outcome}}')],
          { width: 8, unit: 'cps', min: 0, empty: 'no output' },
        ),
        lines('Points waiting on disk', [over(own('siteward_spool_points'), '{{site}} {{output}}')], {
          width: 8,
          unit: 'locale',
          min: 0,
          empty: 'no output',
        }),
        lines('Bytes waiting on disk', [over(own('siteward_spool_bytes'), '{{site}} {{output}}')], {
          width: 8,
          unit: 'bytes',
          min: 0,
          empty: 'no output',
        }),
      ],
    },
    {
      title: 'The process',
      panels: [
        lines('Processor', [over(rate('process_cpu_seconds_total', ',job=~".*siteward.*"'), '{{site}}')], {
          width: 6,
          unit: 'percentunit',
          min: 0,
        }),
        lines('Memory', [over(own('process_resident_memory_bytes', ',job=~".*siteward.*"'), '{{site}}')], {
          width: 6,
          unit: 'bytes',
          min: 0,
        }),
        lines('Event loop late by', [over(own('nodejs_eventloop_lag_seconds', ',job=~".*siteward.*"'), '{{site}}')], {
          width: 6,
          unit: 's',
          min: 0,
        }),
        lines('Open files', [over(own('process_open_fds', ',job=~".*siteward.*"'), '{{site}}')], {
          width: 6,
          unit: 'locale',
          min: 0,
        }),
      ],
    },
  ],
};
