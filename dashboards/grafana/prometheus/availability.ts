import { type Board, bars, columns, lines, stat, table, timeline } from '../panels.ts';
import { column, counted, DEVICE, newest, now, ofClass, over, selector, VARIABLES } from '../promql.ts';
import { falling, NONE_IS_GOOD, STATE_WORDS } from '../units.ts';
import { outages, SITE_COLUMNS, stateNumber } from './shared.ts';

/** Seconds in these states within the time of the board, per device. */
const spent = (states: string) =>
  `sum by (${DEVICE}) (increase(${selector('siteward_availability_seconds_total', 'site', { state: `=~${states}` })}[$__range]))`;
const KNOWN = 'up|down|unreachable';
const raw = `${spent('up')} / (${spent(KNOWN)} > 0)`;
const budget = (period: 'current' | 'previous') => newest('siteward_sla_budget_remaining_seconds', 'site', { period });
const BELOW_ZERO = [
  { from: null, color: 'red' },
  { from: 0, color: 'green' },
] as const;

function slaTable(title: string, period: 'current' | 'previous') {
  const by = (expr: string) => column(`max by (${DEVICE}, sla) (${ofClass(expr)})`);
  return table(
    title,
    [
      by(newest('siteward_sla_target_ratio', 'site', { period })),
      by(newest('siteward_sla_availability_ratio', 'site', { period })),
      by(newest('siteward_sla_downtime_seconds', 'site', { period })),
      by(budget(period)),
    ],
    {
      width: 12,
      height: 10,
      description:
        'From the ledger, by the rules of the contract: service hours, maintenance, minimum outage. No query can change it.',
      columns: [
        ...SITE_COLUMNS,
        { field: 'device', title: 'Device' },
        { field: 'sla', title: 'SLA' },
        { field: 'Value #A', title: 'Promised', unit: 'percentunit' },
        { field: 'Value #B', title: 'Availability', unit: 'percentunit' },
        { field: 'Value #C', title: 'Downtime', unit: 's' },
        { field: 'Value #D', title: 'Budget left', unit: 's', steps: BELOW_ZERO },
      ],
      sortBy: 'Budget left',
    },
  );
}

export const availability: Board = {
  uid: 'siteward-availability',
  title: 'siteward / Availability and SLA',
  description:
    'What was promised, what was kept, and what was seen. Figures of an SLA come from the ledger, the rest from its sums.',
  language: 'promql',
  variables: [VARIABLES.client, VARIABLES.site, VARIABLES.class],
  from: 'now-30d',
  refresh: '5m',
  annotations: [outages('site')],
  sections: [
    {
      title: 'Promised',
      panels: [
        stat('SLAs missed in this period', [now(counted(ofClass(`${budget('current')} < 0`)))], {
          width: 6,
          unit: 'locale',
          steps: NONE_IS_GOOD,
        }),
        stat('SLAs missed in the last', [now(counted(ofClass(`${budget('previous')} < 0`)))], {
          width: 6,
          unit: 'locale',
          steps: NONE_IS_GOOD,
        }),
        stat('Least budget left', [now(`min(${ofClass(budget('current'))})`)], {
          width: 6,
          unit: 's',
          steps: BELOW_ZERO,
        }),
        stat(
          'Time that nobody watched',
          [now(`sum(${spent('unknown')}) / sum(${spent(`${KNOWN}|unknown|maintenance`)})`)],
          {
            width: 6,
            unit: 'percentunit',
            decimals: 2,
            description: 'Share of unknown time: siteward was off, or could not tell.',
          },
        ),
        slaTable('This period', 'current'),
        slaTable('Last period', 'previous'),
        lines('Budget left', [over(ofClass(budget('current')), '{{site}} {{device}} {{sla}}')], {
          width: 24,
          unit: 's',
        }),
      ],
    },
    {
      title: 'Seen',
      panels: [
        bars('Least available in this time', [now(`bottomk(15, ${ofClass(raw)})`, '{{site}} {{device}}')], {
          width: 12,
          unit: 'percentunit',
          decimals: 3,
          steps: falling(0.99, 0.999),
          description: 'Time up as a share of the time that is known, around the clock and without any rule.',
        }),
        table(
          'Seconds in each state',
          [
            column(ofClass(spent('down'))),
            column(ofClass(spent('unreachable'))),
            column(ofClass(spent('maintenance'))),
            column(ofClass(spent('unknown'))),
            column(ofClass(raw)),
          ],
          {
            width: 12,
            height: 8,
            columns: [
              ...SITE_COLUMNS,
              { field: 'device', title: 'Device' },
              { field: 'Value #A', title: 'Down', unit: 's' },
              { field: 'Value #B', title: 'Unreachable', unit: 's' },
              { field: 'Value #C', title: 'Maintenance', unit: 's' },
              { field: 'Value #D', title: 'Unknown', unit: 's' },
              { field: 'Value #E', title: 'Available', unit: 'percentunit' },
            ],
            sortBy: 'Available',
          },
        ),
        timeline('States', [over(ofClass(stateNumber('site')), '{{site}} {{device}}')], {
          width: 24,
          height: 12,
          unit: 'none',
          words: STATE_WORDS,
        }),
        columns(
          'Downtime',
          [
            over(
              `sum by (${DEVICE}) (increase(${selector('siteward_availability_seconds_total', 'site', { state: '=~down|unreachable' })}[$__interval])) > 0`,
              '{{site}} {{device}}',
            ),
          ],
          { width: 24, unit: 's', min: 0, empty: 'none' },
        ),
      ],
    },
  ],
};
