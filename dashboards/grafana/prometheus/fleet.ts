import { type Board, bars, lines, stat, table } from '../panels.ts';
import { column, counted, DEVICE, described, newest, now, ofClass, over, selector, VARIABLES } from '../promql.ts';
import { NONE_IS_GOOD, rising } from '../units.ts';
import { DEVICE_COLUMNS, inState, outages, SITE_COLUMNS } from './shared.ts';

const devices = selector('siteward_device_state', 'site', { state: 'up' });
/** Heard of within two hours, and not now. */
const silent = `count by (client, site) (${newest('siteward_device_info', 'site')}) unless on (client, site) count by (client, site) (${devices})`;
const DAY = 86_400;

export const fleet: Board = {
  uid: 'siteward-fleet',
  title: 'siteward / Fleet',
  description: 'All sites: where something is wrong now, and how it has been.',
  language: 'promql',
  variables: [VARIABLES.client, VARIABLES.site, VARIABLES.class],
  from: 'now-24h',
  refresh: '1m',
  annotations: [{ ...outages('site'), name: 'Outages (many at fleet scale)' }],
  sections: [
    {
      title: 'Now',
      panels: [
        stat('Sites', [now(`count(count by (client, site) (${devices}))`)], { width: 3, unit: 'locale' }),
        stat('Sites silent', [now(counted(silent))], {
          width: 3,
          unit: 'locale',
          steps: NONE_IS_GOOD,
          description:
            'Sites that were heard of within two hours and are not now: the appliance or its way out is away. The alert remembers for a day.',
        }),
        stat('Devices', [now(`count(${ofClass(devices)})`)], { width: 3, unit: 'locale' }),
        stat('Down', [now(counted(ofClass(inState('down'))))], { width: 3, unit: 'locale', steps: NONE_IS_GOOD }),
        stat('Unreachable', [now(counted(ofClass(inState('unreachable'))))], {
          width: 3,
          unit: 'locale',
          steps: NONE_IS_GOOD,
          description: 'Silent behind a parent that is down.',
        }),
        stat('In maintenance', [now(counted(ofClass(inState('maintenance'))))], { width: 3, unit: 'locale' }),
        stat('Parts failed', [now(counted(ofClass(`${selector('siteward_component_ok', 'site')} == 0`)))], {
          width: 3,
          unit: 'locale',
          steps: NONE_IS_GOOD,
        }),
        stat('On battery', [now(counted(`${selector('siteward_ups_on_battery', 'site')} == 1`))], {
          width: 3,
          unit: 'locale',
          steps: NONE_IS_GOOD,
        }),
      ],
    },
    {
      title: 'Sites',
      panels: [
        table(
          'Sites',
          [
            column(`count by (client, site) (${ofClass(devices)})`),
            column(`sum by (client, site) (${ofClass(selector('siteward_device_state', 'site', { state: 'down' }))})`),
            column(
              `sum by (client, site) (${ofClass(selector('siteward_device_state', 'site', { state: 'unreachable' }))})`,
            ),
            column(
              `min by (client, site) (${ofClass(newest('siteward_sla_budget_remaining_seconds', 'site', { period: 'current' }))})`,
            ),
            column(`time() - max by (client, site) (timestamp(${devices}))`),
          ],
          {
            width: 12,
            height: 12,
            description:
              'A site whose last word is older than five minutes is missing here and counted as silent above.',
            columns: [
              ...SITE_COLUMNS,
              { field: 'Value #A', title: 'Devices', unit: 'locale' },
              { field: 'Value #B', title: 'Down', unit: 'locale', steps: NONE_IS_GOOD },
              { field: 'Value #C', title: 'Unreachable', unit: 'locale', steps: NONE_IS_GOOD },
              { field: 'Value #D', title: 'Least SLA budget', unit: 's' },
              { field: 'Value #E', title: 'Heard', unit: 's', steps: rising(120, 240) },
            ],
            sortBy: '-Down',
          },
        ),
        table(
          'Devices that are not up',
          [
            column(
              described(`${selector('siteward_device_state', 'site', { state: '=~down|unreachable|unknown' })} == 1`, [
                'class',
                'address',
                'vendor',
                'model',
              ]),
            ),
          ],
          {
            width: 12,
            height: 12,
            empty: 'every device is up',
            columns: [
              ...DEVICE_COLUMNS,
              { field: 'state', title: 'State' },
              { field: 'address', title: 'Address' },
              { field: 'vendor', title: 'Vendor' },
              { field: 'model', title: 'Model' },
            ],
            sortBy: 'State',
          },
        ),
      ],
    },
    {
      title: 'Over time',
      panels: [
        lines(
          'Devices that are not up',
          [
            over(
              `sum by (state) (${ofClass(selector('siteward_device_state', 'site', { state: '!=up' }))})`,
              '{{state}}',
            ),
          ],
          { width: 12, unit: 'locale', min: 0 },
        ),
        bars(
          'Devices by class',
          [now(`count by (class) (${newest('siteward_device_info', 'site', { class: '=~$class' })})`, '{{class}}')],
          {
            width: 6,
            unit: 'locale',
          },
        ),
        bars(
          'Devices by vendor',
          [
            now(
              `topk(12, count by (vendor) (${newest('siteward_device_info', 'site', { class: '=~$class' })}))`,
              '{{vendor}}',
            ),
          ],
          {
            width: 6,
            unit: 'locale',
          },
        ),
      ],
    },
    {
      title: 'Soon',
      panels: [
        table(
          'Least SLA budget',
          [
            column(
              `bottomk(25, min by (${DEVICE}, sla) (${ofClass(newest('siteward_sla_budget_remaining_seconds', 'site', { period: 'current' }))}))`,
            ),
          ],
          {
            width: 8,
            columns: [
              ...SITE_COLUMNS,
              { field: 'device', title: 'Device' },
              { field: 'sla', title: 'SLA' },
              {
                field: 'Value',
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
        table(
          'Licences that end within 90 days',
          [
            column(
              `min by (${DEVICE}, license) (${newest('siteward_license_expiry_timestamp_seconds', 'site')}) - time() < ${90 * DAY}`,
            ),
          ],
          {
            width: 8,
            empty: 'none',
            columns: [
              ...SITE_COLUMNS,
              { field: 'device', title: 'Device' },
              { field: 'license', title: 'Licence' },
              {
                field: 'Value',
                title: 'Ends in',
                unit: 's',
                steps: [
                  { from: null, color: 'red' },
                  { from: 30 * DAY, color: 'orange' },
                ],
              },
            ],
            sortBy: 'Ends in',
          },
        ),
        table(
          'Fullest file systems',
          [
            column(
              `topk(25, max by (${DEVICE}, mountpoint) (${selector('siteward_filesystem_used_bytes', 'site')} / ${selector('siteward_filesystem_size_bytes', 'site')}))`,
            ),
          ],
          {
            width: 8,
            columns: [
              ...SITE_COLUMNS,
              { field: 'device', title: 'Device' },
              { field: 'mountpoint', title: 'File system' },
              { field: 'Value', title: 'Used', unit: 'percentunit', steps: rising(0.85, 0.95), bar: true },
            ],
            sortBy: '-Used',
          },
        ),
      ],
    },
  ],
};
