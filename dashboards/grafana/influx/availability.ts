import { growthOver, INFLUX_VARIABLES, lastOf, lastOver, spreadOf } from '../influxql.ts';
import { type Board, columns, table, timeline } from '../panels.ts';
import { UP_OR_DOWN } from '../units.ts';
import { DEVICE, outages, WHERE } from './shared.ts';

const SLA_COLUMNS = [...WHERE, { field: 'sla', title: 'SLA' }] as const;
const sla = (period: string) => ({ scope: 'site', where: { period }, by: [...DEVICE, 'sla'] }) as const;

export const availability: Board = {
  uid: 'siteward-availability-influxdb',
  title: 'siteward / Availability and SLA (InfluxDB)',
  description: 'What was promised, what was kept, and what was seen. All figures come from the ledger.',
  language: 'influxql',
  variables: [INFLUX_VARIABLES.client, INFLUX_VARIABLES.site, INFLUX_VARIABLES.class],
  from: 'now-30d',
  refresh: '5m',
  annotations: [outages('site')],
  sections: [
    {
      title: 'Promised',
      panels: (['current', 'previous'] as const).map((period) =>
        table(
          period === 'current' ? 'This period' : 'Last period',
          [
            lastOf('siteward_sla_target_ratio', sla(period), 'target'),
            lastOf('siteward_sla_availability_ratio', sla(period), 'kept'),
            lastOf('siteward_sla_downtime_seconds', sla(period), 'downtime'),
            lastOf('siteward_sla_budget_remaining_seconds', sla(period), 'budget'),
          ],
          {
            width: 12,
            columns: [
              ...SLA_COLUMNS,
              { field: 'target', title: 'Promised', unit: 'percentunit' },
              { field: 'kept', title: 'Availability', unit: 'percentunit' },
              { field: 'downtime', title: 'Downtime', unit: 's' },
              {
                field: 'budget',
                title: 'Budget left',
                unit: 's',
                steps: [
                  { from: null, color: 'red' },
                  { from: 0, color: 'green' },
                ],
              },
            ],
            sortBy: 'Budget left',
          },
        ),
      ),
    },
    {
      title: 'Seen',
      panels: [
        table(
          'Seconds in each state',
          [spreadOf('siteward_availability_seconds_total', { scope: 'site', by: [...DEVICE, 'state'] }, 'seconds')],
          {
            width: 12,
            height: 12,
            description: 'Newest sum less the oldest in this time: a point that came twice changes nothing.',
            columns: [...WHERE, { field: 'state', title: 'State' }, { field: 'seconds', title: 'Time', unit: 's' }],
            sortBy: '-Time',
          },
        ),
        columns(
          'Downtime',
          [
            growthOver(
              'siteward_availability_seconds_total',
              { scope: 'site', where: { state: '/^(down|unreachable)$/' }, by: ['site', 'device', 'state'] },
              '$tag_site $tag_device $tag_state',
            ),
          ],
          {
            width: 12,
            height: 12,
            unit: 's',
            min: 0,
          },
        ),
        timeline(
          'States',
          [lastOver('siteward_device_up', { scope: 'site', by: ['site', 'device'] }, '$tag_site $tag_device')],
          { width: 24, height: 12, unit: 'none', words: UP_OR_DOWN },
        ),
      ],
    },
  ],
};
