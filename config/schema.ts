/**
 * Every setting once: its type, default and meaning. Validation, defaults, the JSON Schema (`siteward schema`) and the
 * reference in docs/config.md all come from here. `config/load.ts` reads a file by it.
 */
import { z } from 'zod';
import {
  address,
  addressRange,
  bytes,
  decimal,
  devicePattern,
  duration,
  identifier,
  localDate,
  localDateTime,
  port,
  ratio,
  secret,
  timezone,
} from './fields.ts';
import { DEVICE_CLASSES, METERS } from './words.ts';

const DEVICE_CLASS = z.enum(DEVICE_CLASSES);

const Site = z.strictObject({
  id: identifier().describe('Short name of the premises; a label on every series.'),
  client: z.string().min(1).describe('The client whose premises these are; a label on every series.'),
  timezone: timezone().default('UTC').describe('Where service hours and reports are cut.'),
});

const Storage = z.strictObject({
  directory: z
    .string()
    .min(1)
    .default('.siteward')
    .describe('Folder of the ledgers, the spool and the history. Relative to the config file.'),
  free_floor: bytes().prefault('64MiB').describe('Free space below which only the ledgers are still written.'),
  history_days: z
    .int()
    .min(1)
    .max(3660)
    .default(400)
    .describe('How long the page keeps its own charts, and meters the levels of supplies.'),
  history_bytes: bytes().prefault('1GB').describe('How large history.db may grow.'),
});

const User = z.strictObject({
  name: identifier(),
  password_hash: secret().describe('As printed by `siteward user add`.'),
  role: z.enum(['viewer', 'operator', 'admin']).default('viewer'),
});

const Http = z.strictObject({
  listen: z
    .string()
    .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, {
      error: (issue) => `${JSON.stringify(issue.input)} is not an address to listen on (write 127.0.0.1:9720)`,
    })
    .default('127.0.0.1:9720'),
  allow_anonymous: z
    .boolean()
    .default(false)
    .describe('Serve off loopback without login. Only behind something that asks who it is.'),
  tls: z
    .strictObject({ certificate: z.string(), key: z.string() })
    .optional()
    .describe('Paths of the certificate chain and its key in PEM.'),
  hosts: z
    .array(z.string())
    .default([])
    .describe('Names by which browsers may call the page, beside localhost and the address listened on.'),
  auth: z
    .strictObject({
      users: z.array(User).default([]),
      tokens: z
        .array(
          z.strictObject({
            name: identifier(),
            token: secret(),
            role: z.enum(['viewer', 'operator', 'admin', 'metrics']).default('viewer'),
          }),
        )
        .default([]),
    })
    .optional()
    .describe('Who may see the page, use the API and scrape. Needed off loopback.'),
});

const CommunityCredential = z.strictObject({
  version: z.enum(['1', '2c']),
  community: secret(),
});

const UserCredential = z.strictObject({
  version: z.literal('3'),
  user: z.string().min(1),
  level: z.enum(['no_auth_no_priv', 'auth_no_priv', 'auth_priv']).default('auth_priv'),
  auth: z
    .strictObject({ protocol: z.enum(['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512']), key: secret() })
    .optional(),
  privacy: z.strictObject({ protocol: z.enum(['des', 'aes128', 'aes256', 'aes256_cisco']), key: secret() }).optional(),
  context: z.string().default('').describe('contextName; empty for the default context.'),
});

/** YAML reads `version: 3` as a number and `2c` as text; both are meant. */
export const CredentialSettings = z
  .preprocess(
    (value) =>
      typeof value === 'object' && value !== null && 'version' in value && typeof value.version === 'number'
        ? { ...value, version: String(value.version) }
        : value,
    z.discriminatedUnion('version', [CommunityCredential, UserCredential], { error: 'version is not one of 1, 2c, 3' }),
  )
  .check((context) => {
    const value = context.value;
    if (value.version !== '3') return;
    const missing = (key: 'auth' | 'privacy') =>
      context.issues.push({
        code: 'custom',
        input: value,
        path: [key],
        message: `is missing (level ${value.level} needs ${key}: {protocol: …, key: …})`,
      });
    if (value.level !== 'no_auth_no_priv' && !value.auth) missing('auth');
    if (value.level === 'auth_priv' && !value.privacy) missing('privacy');
  });

const intervals = {
  availability: duration({ min: '5s', max: '1h' }).describe('How often a device is asked whether it is there.'),
  metrics: duration({ min: '15s', max: '1d' }).describe('How often counters and gauges are read.'),
  inventory: duration({ min: '1m', max: '7d' }).describe('How often a device is asked who it is and what it has.'),
};
const PollingOverride = z.strictObject({
  availability: intervals.availability.optional(),
  metrics: intervals.metrics.optional(),
  inventory: intervals.inventory.optional(),
});
const Polling = z.strictObject({
  availability: intervals.availability.prefault('15s'),
  metrics: intervals.metrics.prefault('1m'),
  inventory: intervals.inventory.prefault('1h'),
  classes: z
    .partialRecord(DEVICE_CLASS, PollingOverride)
    .default({})
    .describe('Other intervals for a class of devices.'),
  shard: z
    .strictObject({ index: z.int().min(1), of: z.int().min(1).max(64) })
    .optional()
    .describe('Which part of a large site this appliance polls.'),
  max_packets_per_second: z
    .int()
    .min(10)
    .max(100_000)
    .default(2_000)
    .describe('Cap on SNMP requests of the whole appliance.'),
});

const Check = z.string().regex(/^(icmp|snmp|tcp\/([1-9]\d{0,4}))$/, {
  error: (issue) => `${JSON.stringify(issue.input)} is not a check (write icmp, snmp or tcp/443)`,
});

const Device = z.strictObject({
  name: identifier().optional().describe('Left out: its sysName, else its address.'),
  address: address(),
  port: port().default(161).describe('UDP port of its SNMP agent.'),
  credentials: z
    .array(z.string())
    .default([])
    .describe('Names from `credentials`, in the order in which they are tried.'),
  class: DEVICE_CLASS.optional(),
  sla: z.string().optional().describe('Name from `slas`.'),
  parent: z
    .string()
    .optional()
    .describe('The device through which it is reached: while that is down, this one is unreachable.'),
  checks: z
    .array(Check)
    .min(1)
    .optional()
    .describe('What must answer for it to be up. Left out: icmp, or snmp where icmp never answered.'),
  polling: PollingOverride.optional(),
  party: z
    .enum(['carrier', 'power', 'client', 'msp'])
    .optional()
    .describe(
      "Who answers for its outages, and for those of the devices behind it: carrier for the provider's router.",
    ),
});

const Discovery = z.strictObject({
  ranges: z
    .array(
      z.strictObject({
        range: addressRange(),
        exclude: z.array(addressRange()).default([]),
        every: duration({ min: '5m', max: '30d' }).prefault('6h'),
        credentials: z.array(z.string()).default([]),
        adopt: z
          .enum(['ask', 'yes', 'rules'])
          .default('ask')
          .describe('Whether what is found is watched without asking.'),
        max_packets_per_second: z.int().min(1).max(10_000).default(200).describe('Of a scan, everything together.'),
        window: z.string().optional().describe('Hours in which it may scan, as service hours are written.'),
        port: port().default(161).describe('UDP port of the SNMP agents there.'),
        nmap: z.boolean().default(false).describe('Ask nmap about what stays unknown.'),
      }),
    )
    .default([]),
  rules: z
    .array(
      z.strictObject({
        class: DEVICE_CLASS.optional(),
        vendor: z.string().optional(),
        name: devicePattern().optional(),
        adopt: z.boolean().default(true),
        as: z.string().optional().describe('Template of the name: {sys_name}, {class}, {serial}, {address}.'),
        sla: z.string().optional(),
        contract: z.string().optional(),
        parent: z.string().optional(),
        polling: PollingOverride.optional(),
      }),
    )
    .default([]),
});

const Sla = z.strictObject({
  target: ratio().describe('Availability promised, such as 99.9%.'),
  service_hours: z
    .string()
    .default('always')
    .describe('When it is promised: always, or "Mon-Fri 08:00-18:00, Sat 09:00-13:00".'),
  period: z.enum(['calendar_month', 'calendar_week', 'calendar_quarter', 'calendar_year']).default('calendar_month'),
  timezone: timezone().optional().describe("Left out: the site's."),
  holidays: z
    .strictObject({
      dates: z.array(localDate()).default([]),
      country: z
        .string()
        .regex(/^[A-Z]{2}$/)
        .optional()
        .describe('ISO 3166 code, for its public holidays.'),
      region: z.string().optional(),
    })
    .optional()
    .describe('Days that are no service hours.'),
  minimum_outage: duration({ max: '1d' }).prefault('0s').describe('Shorter outages do not count.'),
  maximum_outages: z.int().min(0).optional().describe('More outages than this miss the SLA whatever they add up to.'),
  exclude_parties: z
    .array(z.enum(['carrier', 'power', 'client', 'msp']))
    .default([])
    .describe('Whose outages do not count.'),
  unreachable: z
    .enum(['downtime', 'excluded'])
    .default('downtime')
    .describe(
      'Whether time behind a parent that is down counts against the device itself, or only against the parent.',
    ),
  maintenance_notice: duration({ max: '30d' })
    .prefault('0s')
    .describe('How long before its start maintenance must be announced to be excluded.'),
  coverage_floor: ratio().prefault('95%').describe('Below this share of known time the figure is withheld.'),
  groups: z
    .record(
      identifier(),
      z.strictObject({
        devices: z.array(devicePattern()).min(1),
        need: z.union([z.literal('all'), z.literal('any'), z.int().min(1)]).default('all'),
      }),
    )
    .default({})
    .describe('Availability of several devices together: all of them, any of them, or at least n.'),
  credits: z
    .strictObject({
      tiers: z.array(z.strictObject({ below: ratio(), credit: ratio() })).min(1),
      cap: ratio().optional(),
    })
    .optional()
    .describe('What is paid back when the figure falls below a tier.'),
});

const Maintenance = z.strictObject({
  name: z.string().min(1),
  devices: z.array(devicePattern()).min(1),
  starts: localDateTime(),
  duration: duration({ min: '1m', max: '30d' }),
  timezone: timezone().optional(),
  repeats: z.enum(['daily', 'weekly', 'monthly']).optional(),
  until: localDate().optional(),
  announced_at: localDateTime().optional().describe('When the client was told. Left out: when siteward first read it.'),
});

const METER = z.enum(METERS);
const Contract = z.strictObject({
  devices: z.array(devicePattern()).min(1),
  cut: z
    .strictObject({
      day: z.int().min(1).max(28).default(1),
      time: z
        .string()
        .regex(/^([01]\d|2[0-3]):[0-5]\d$/)
        .default('00:00'),
    })
    .default({ day: 1, time: '00:00' }),
  timezone: timezone().optional(),
  every: z.enum(['month', 'quarter']).default('month'),
  tolerance: duration({ min: '1m', max: '7d' })
    .prefault('1d')
    .describe('How far from the cut a read is still the actual value.'),
  meters: z
    .partialRecord(
      METER,
      z.strictObject({
        as: z.string().optional(),
        price: decimal().optional(),
        included: z.int().min(0).optional(),
        tiers: z.array(z.strictObject({ from: z.int().min(0), price: decimal() })).optional(),
      }),
    )
    .default({ total: {} }),
  large_format: z
    .enum(['once', 'twice'])
    .default('once')
    .describe('Whether a page larger than A4 is billed once or twice.'),
  large_counted: z
    .enum(['once', 'twice'])
    .default('once')
    .describe("How the printers' own counters take such a page: a service setting of the printer."),
  pooled: z
    .boolean()
    .default(false)
    .describe('`included` and `tiers` are those of all devices of the contract together, not of each.'),
  minimum: decimal().optional().describe('Least amount of a period.'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .default('EUR'),
  rated_pages_per_minute: z
    .int()
    .min(1)
    .max(1000)
    .default(120)
    .describe('Faster jumps are not billed until they are confirmed.'),
});

const output = {
  name: identifier(),
  url: z.url(),
  timeout: duration({ min: '1s', max: '5m' }).prefault('30s'),
  max_bytes_per_second: bytes().optional(),
  ca: z.string().optional(),
  certificate: z.string().optional(),
  key: z.string().optional(),
  proxy: z.url().optional(),
};
const spool = {
  max_age: duration({ min: '1h', max: '365d' }).prefault('30d'),
  max_bytes: bytes().prefault('1GB'),
};
const InfluxOutput = z.strictObject({
  ...output,
  ...spool,
  dialect: z.enum(['influx1', 'influx2', 'influx3', 'victoriametrics']).default('influx1'),
  database: identifier()
    .default('siteward')
    .describe('Database (influx1, influx3, victoriametrics) or bucket (influx2).'),
  retention_policy: identifier().optional(),
  retention: duration({ min: '1h' }).optional().describe('influx1: make the retention policy with this length.'),
  organization: z.string().optional().describe('influx2.'),
  tenant: z.string().optional().describe('victoriametrics cluster.'),
  user: z.string().optional(),
  password: secret().optional(),
  token: secret().optional(),
  precision: z.enum(['s', 'ms']).default('ms'),
  create_database: z.boolean().default(true),
});
const RemoteWriteOutput = z.strictObject({
  ...output,
  ...spool,
  user: z.string().optional(),
  password: secret().optional(),
  token: secret().optional(),
  tenant: z.string().optional().describe('X-Scope-OrgID.'),
});

const Smtp = z.strictObject({
  host: address(),
  port: port().default(587),
  secure: z.boolean().default(false),
  user: z.string().optional(),
  password: secret().optional(),
  from: z.string().min(3),
  ca: z.string().optional(),
});
const Notices = z.strictObject({
  webhooks: z.array(z.strictObject({ name: identifier(), url: z.url(), token: secret().optional() })).default([]),
  mail: z.array(z.strictObject({ name: identifier(), to: z.array(z.string().min(3)).min(1) })).default([]),
  alertmanagers: z.array(z.strictObject({ name: identifier(), url: z.url(), token: secret().optional() })).default([]),
  remind_every: duration({ min: '5m' }).prefault('4h'),
  hold_flapping: duration({ max: '1h' })
    .prefault('5m')
    .describe('A device that changes more often than this is reported once.'),
  quiet_in_maintenance: z.boolean().default(true),
  only_in_service_hours: z.boolean().default(false),
});

const Reports = z.strictObject({
  directory: z.string().default('reports'),
  scheduled: z
    .array(
      z.strictObject({
        report: z.enum(['sla', 'meters']),
        at: z
          .string()
          .regex(/^([01]\d|2[0-3]):[0-5]\d$/)
          .default('06:00'),
        day: z.int().min(1).max(28).default(1),
        formats: z.array(z.enum(['json', 'csv', 'html', 'pdf'])).default(['html', 'pdf']),
        mail_to: z.array(z.string().min(3)).default([]),
      }),
    )
    .default([]),
});

const Log = z.strictObject({ level: z.enum(['error', 'warn', 'info', 'debug']).default('info') });

export const ConfigSettings = z.strictObject({
  site: Site,
  storage: Storage.prefault({}),
  http: Http.prefault({}),
  log: Log.prefault({}),
  credentials: z.record(identifier(), CredentialSettings).default({}).describe('SNMP communities and users by name.'),
  devices: z.array(Device).default([]),
  polling: Polling.prefault({}),
  discovery: Discovery.prefault({}),
  slas: z.record(identifier(), Sla).default({}),
  maintenance: z.array(Maintenance).default([]),
  contracts: z.record(identifier(), Contract).default({}),
  outputs: z
    .strictObject({ influx: z.array(InfluxOutput).default([]), remote_write: z.array(RemoteWriteOutput).default([]) })
    .prefault({}),
  notices: Notices.prefault({}),
  smtp: Smtp.optional(),
  reports: Reports.prefault({}),
  profiles: z
    .strictObject({
      directory: z
        .string()
        .optional()
        .describe("A folder of the MSP's own profiles, beside those that come with siteward."),
    })
    .prefault({}),
});

export type Config = z.output<typeof ConfigSettings>;
export type CredentialSettings = z.output<typeof CredentialSettings>;
/** Settings of a credential with its name. */
export type Credential = CredentialSettings & { readonly name: string };
export type DeviceSettings = Config['devices'][number];
export type SlaSettings = Config['slas'][string];
export type MaintenanceSettings = Config['maintenance'][number];
export type ContractSettings = Config['contracts'][string];
export type InfluxOutputSettings = Config['outputs']['influx'][number];
export type RemoteWriteOutputSettings = Config['outputs']['remote_write'][number];
