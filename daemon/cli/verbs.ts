import type { Verb } from './verb.ts';

const CONFIG = ['--config <file>', 'config file (default: config/siteward.yaml)'] as const;
const JSON_OUTPUT = ['--json', 'one JSON document on stdout'] as const;

/** How one device is asked. */
const ASKING = [
  ['--port <number>', "UDP port of its SNMP agent (default: 161, or the config's)"],
  ['--credentials <name>', 'a name from `credentials` in the config'],
  ['--community <text>', 'an SNMP v2c community'],
] as const;

/** Every verb, one entry and one file each. */
export const VERBS: readonly Verb[] = [
  {
    usage: 'run',
    summary: 'watch the site in the foreground until SIGTERM or SIGINT; SIGHUP reads the config again',
    options: [CONFIG],
    examples: ['siteward run', 'siteward run --config /etc/siteward/siteward.yaml'],
    load: () => import('./run.ts'),
  },
  {
    usage: 'demo',
    summary: 'watch a simulated office on loopback',
    examples: ['siteward demo'],
    load: () => import('./demo.ts'),
  },
  {
    usage: 'check',
    summary: 'read the config and every file that it names, and say what is wrong',
    options: [CONFIG],
    examples: ['siteward check', 'siteward check --config /etc/siteward/siteward.yaml'],
    load: () => import('./check.ts'),
  },
  {
    usage: 'poll <address>',
    summary: 'ask one device everything once, without the daemon',
    options: [...ASKING, CONFIG, JSON_OUTPUT],
    examples: ['siteward poll 192.0.2.20 --community public', 'siteward poll 192.0.2.1 --credentials secure --json'],
    load: () => import('./poll.ts'),
  },
  {
    usage: 'discover [ranges...]',
    summary: 'scan ranges once: what is there, what class it is, what would be adopted',
    options: [
      ['--adopt', 'watch from now on what is found'],
      ['--port <number>', 'UDP port of SNMP agents (default: 161)'],
      ['--credentials <name>', 'a name from `credentials` in the config, in place of those of the range'],
      ['--community <text>', 'an SNMP v2c community'],
      CONFIG,
      JSON_OUTPUT,
    ],
    examples: ['siteward discover 192.0.2.0/24', 'siteward discover 192.0.2.0/24 --json', 'siteward discover --adopt'],
    load: () => import('./discover.ts'),
  },
  {
    usage: 'devices',
    summary: 'the devices that are watched, and their states',
    options: [['--export', 'the adopted devices as they would stand in the config'], CONFIG, JSON_OUTPUT],
    examples: ['siteward devices', 'siteward devices --json', 'siteward devices --export'],
    load: () => import('./devices.ts'),
  },
  {
    usage: 'profiles [action] [arguments...]',
    summary:
      'device profiles: list, check, test FILE… (what a recording is read as), record ADDRESS, propose FILE (find the OIDs of what a panel shows)',
    options: [
      ...ASKING,
      ['--output <file>', 'record: the recording to write (default: ADDRESS.snmprec)'],
      ['--panel <counters>', 'propose: what the panel shows, such as total=12345,color=678'],
      CONFIG,
      JSON_OUTPUT,
    ],
    examples: [
      'siteward profiles list',
      'siteward profiles check',
      'siteward profiles record 192.0.2.20 --community public',
      'siteward profiles test printer.snmprec',
      'siteward profiles propose printer.snmprec --panel total=12345,color=678',
    ],
    load: () => import('./profiles.ts'),
  },
  {
    usage: 'user <action> <name>',
    summary: 'add NAME: the line of the config that lets somebody sign in to the page',
    options: [['--role <role>', 'viewer, operator or admin (default: viewer)']],
    examples: ['siteward user add anna --role operator', 'siteward user add anna < password.txt'],
    load: () => import('./user.ts'),
  },
  {
    usage: 'doctor',
    summary:
      'is everything there that siteward needs, and working: tools, disk, outputs, ledgers, credentials; and what to do',
    options: [CONFIG, JSON_OUTPUT],
    examples: ['siteward doctor', 'siteward doctor --json'],
    load: () => import('./doctor.ts'),
  },
  {
    usage: 'spool [action] [numbers...]',
    summary:
      'what waits for outputs and what they refused: list; retry or drop what was refused, all of it or by number',
    options: [['--output <name>', 'of this output only'], CONFIG, JSON_OUTPUT],
    examples: ['siteward spool list', 'siteward spool retry --output central', 'siteward spool drop 7'],
    load: () => import('./spool.ts'),
  },
  {
    usage: 'backup <file>',
    summary: 'copy ledgers, spool and history into one file, also while the daemon runs',
    options: [CONFIG],
    examples: ['siteward backup /srv/backup/siteward.tar.gz'],
    load: () => import('./backup.ts'),
  },
  {
    usage: 'restore <file>',
    summary: 'put a backup into the storage folder, which must hold no database yet',
    options: [CONFIG],
    examples: ['siteward restore /srv/backup/siteward.tar.gz'],
    load: () => import('./restore.ts'),
  },
  {
    usage: 'report <what>',
    summary:
      'sla: availability of a period under each contract; meters: pages of a period; pack: both, with all evidence; credentials: who answers to what; inventory: devices and contracts',
    options: [
      ['--period <period>', '2026-10, 2026-W45, 2026-Q4, 2026, this-month, last-month, or FROM/TO in ISO 8601'],
      ['--format <format>', 'table, json, csv, html or pdf (default: table)'],
      ['--output <file>', 'write it there instead of on the terminal'],
      ['--layout <name>', 'meters: the CSV that another program imports: business-central or softexpert'],
      CONFIG,
    ],
    examples: [
      'siteward report meters --period last-month --format csv',
      'siteward report pack --period last-month --output october.tar.gz',
      'siteward report sla --period last-month',
      'siteward report sla --period 2026-10 --format pdf --output october.pdf',
    ],
    load: () => import('./report.ts'),
  },
  {
    usage: 'availability [action] [device]',
    summary:
      "a person's word beside what was observed: correct DEVICE (another state, or who answers for it), corrections (what was said up to now)",
    options: [
      ['--from <time>', "correct: from when on, in ISO 8601; without an offset in the site's time zone"],
      ['--to <time>', 'correct: until when'],
      ['--state <state>', 'correct: up, down, unreachable or unknown'],
      ['--party <party>', 'correct: who answers for it: carrier, power, client or msp'],
      ['--reason <text>', 'why, in words; kept for ever'],
      ['--author <name>', 'who says so (default: the user of this terminal)'],
      CONFIG,
      JSON_OUTPUT,
    ],
    examples: [
      'siteward availability correct srv-1 --from 2026-10-23T14:10 --to 2026-10-23T15:00 --state up --reason "our cable"',
      'siteward availability correct fw-1 --from 2026-10-22T08:00 --to 2026-10-22T09:00 --party carrier --reason "ticket 4711"',
      'siteward availability corrections srv-1',
    ],
    load: () => import('./availability.ts'),
  },
  {
    usage: 'meters [action] [arguments...]',
    summary:
      'print meters: list what happened to counters, confirm, join, split or reject it, enter what a person read',
    options: [
      ['--meter <meter>', 'one meter: total, mono, color, …'],
      ['--pages <number>', 'enter: what the panel shows'],
      ['--at <time>', 'enter: when it was read, in ISO 8601 (default: now)'],
      ['--as <reason>', 'segment confirm: reset, board-swap or wrap'],
      ['--start <number>', 'segment confirm, split: where the new counter began'],
      ['--reason <text>', 'why, in words; kept for ever'],
      ['--author <name>', 'who says so (default: the user of this terminal)'],
      ['--implausible', 'enter: it is right although no printer prints so much'],
      CONFIG,
      JSON_OUTPUT,
    ],
    examples: [
      'siteward meters segment list copier-2f',
      'siteward meters segment confirm copier-2f#812 --as board-swap --reason "board replaced, ticket 4711"',
      'siteward meters enter copier-2f --meter total --pages 412345 --reason "read from the panel by phone"',
    ],
    load: () => import('./meters.ts'),
  },
  {
    usage: 'verify',
    summary: 'are the ledgers whole: chains, intervals, sums, and what the spool holds',
    options: [
      ['--pack <file>', 'check an evidence pack instead; no ledger and no config are needed'],
      CONFIG,
      JSON_OUTPUT,
    ],
    examples: ['siteward verify', 'siteward verify --json', 'siteward verify --pack october.tar.gz'],
    load: () => import('./verify.ts'),
  },
  {
    usage: 'schema',
    summary: 'the JSON Schema of the config, for editors that complete and check',
    examples: ['siteward schema > siteward.schema.json'],
    load: () => import('./schema.ts'),
  },
];
