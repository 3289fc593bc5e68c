/** Reports in which every name, cause and reason is one that would like to be more than text. */

import type { WallTime } from '#collectors/contract.ts';
import { configOf } from '#config/load.ts';
import type { SlaFigures } from '#daemon/availability/sla.ts';
import { slaDocument } from '#daemon/availability/sla-document.ts';
import type { SlaResult } from '#daemon/availability/sla-report.ts';
import { contractReport } from '#daemon/inventory/contract-report.ts';
import { credentialReport } from '#daemon/inventory/credential-report.ts';
import type { KeptEvent } from '#daemon/inventory/ledger.ts';
import type { PeriodResult } from '#daemon/meters/books.ts';
import type { CutValue } from '#daemon/meters/curve.ts';
import type { PrinterPeriod } from '#daemon/meters/period-row.ts';
import { meterDocument } from '#daemon/meters/report-document.ts';
import { allTerms } from '#daemon/meters/terms.ts';
import type { ReportDocument } from '#daemon/reports/document.ts';
import { deviceRecord } from './device-record.ts';
import { placed } from './hostile-site.ts';

const { config } = configOf(
  {
    site: { id: 'yard', client: 'Yard & Sons', timezone: 'Europe/Berlin' },
    credentials: { office: { version: '2c', community: 'public' } },
    slas: { gold: { target: '99.9%' } },
    contracts: { fleet: { devices: ['*'], meters: { total: { price: 0.01 } } } },
  },
  '.',
);
const FROM = Date.parse('2026-10-01T00:00:00+02:00') as WallTime;
const TO = Date.parse('2026-11-01T00:00:00+01:00') as WallTime;
const MADE = (TO + 3_600_000) as WallTime;
const PERIOD = { from: FROM, to: TO };
const HOUR = 3_600_000;
const ALL = TO - FROM;

export interface HostileReport {
  readonly kind: string;
  readonly document: ReportDocument;
  /** Every text that must be found in it. */
  readonly shown: readonly string[];
}

/** All reports there are, each with all texts in each of its fields. Texts are numbered from `first`. */
export function hostileReports(texts: readonly string[], first = 0): readonly HostileReport[] {
  return [slaOf, metersOf, contractsOf, credentialsOf].map((make) => {
    const shown: string[] = [];
    const rows = texts.map((text, offset) => (place: string): string => {
      const sent = placed(text, `${place} ${first + offset}`);
      shown.push(sent);
      return sent;
    });
    return { ...make(rows), shown };
  });
}

/** Makes the texts of one row, each named by its place. */
type Row = (place: string) => string;
type Made = Omit<HostileReport, 'shown'>;

function figuresOf(at: Row): SlaFigures {
  return {
    watched: [PERIOD],
    raw: { up: ALL - HOUR, down: HOUR, unreachable: 0, unknown: 0 },
    agreed: ALL,
    maintenance: 0,
    excluded: 0,
    unknown: 0,
    measured: ALL,
    downtime: HOUR,
    outages: [
      {
        from: FROM,
        to: (FROM + HOUR) as WallTime,
        state: 'down',
        running: false,
        cause: at('cause'),
        correction: { author: at('outage author'), reason: '', recorded: FROM },
        counted: HOUR,
        exclusions: [{ by: at('excluded by'), milliseconds: 1_000 }],
        refused: [at('refused')],
      },
    ],
    counted: 1,
    covered: true,
    met: false,
    budget: HOUR,
    remaining: 0,
    burn: 1,
  };
}

function slaOf(rows: readonly Row[]): Made {
  const settings = config.slas['gold'];
  if (!settings) throw new Error('no such SLA');
  const result: SlaResult = {
    sla: 'gold',
    settings,
    timezone: 'Europe/Berlin',
    period: PERIOD,
    service: { agreed: [PERIOD], holidays: [] },
    subjects: rows.flatMap((at) => [
      { name: at('group'), members: [at('member')], need: 'all' as const, figures: figuresOf(at) },
      { name: at('device'), figures: figuresOf(at) },
    ]),
    maintenance: rows.map((at) => ({
      span: PERIOD,
      name: at('window'),
      devices: [at('pattern')],
      announced: FROM,
      announcement: 'in time',
    })),
    corrections: rows.map((at) => ({
      device: at('corrected'),
      from: FROM,
      to: TO,
      state: 'up',
      author: at('author'),
      reason: at('reason'),
      recorded: MADE,
    })),
    resolution: 60_000,
  };
  return {
    kind: 'sla',
    document: slaDocument({ site: config.site, period: PERIOD, until: TO, made: MADE, results: [result] }),
  };
}

function metersOf(rows: readonly Row[]): Made {
  const [terms] = allTerms(config);
  if (!terms) throw new Error('no such contract');
  const cut = (counter: number): CutValue => ({ at: TO, class: 'actual', cumulative: counter, counter, reads: [] });
  const common = { contract: 'fleet', ...PERIOD } as const;
  const printers = rows.map(
    (at): PrinterPeriod => ({
      kind: 'printer',
      ...common,
      printer: 'p',
      device: at('printer'),
      serial: at('serial'),
      meters: { total: { opening: cut(1), closing: cut(9), used: 8, class: 'actual' } },
      adjustments: [{ period: PERIOD, meter: 'total', pages: 1, reason: 'true-up' }],
      events: [],
      flags: [{ code: at('code'), text: at('flag') }],
      knows: 0,
    }),
  );
  const result: PeriodResult = {
    closed: true,
    printers,
    contract: {
      kind: 'contract',
      ...common,
      terms,
      usages: [],
      bill: {
        charges: rows.map((at) => ({
          meter: 'total',
          as: at('item'),
          printer: 'p',
          device: at('charged'),
          pages: 8,
          included: 0,
          steps: [],
          amount: '0.08',
        })),
        minimum: '0.00',
        total: '0.08',
      },
      adjustments: [],
      total: '0.08',
      closedAt: TO,
      read: { heads: {}, entry: 0 },
    },
  };
  const supply = { printer: 'p', supply: '1' };
  return {
    kind: 'meters',
    document: meterDocument({
      site: config.site,
      period: PERIOD,
      made: MADE,
      results: [result],
      notRead: rows.map((at) => ({
        device: at('not read'),
        printer: 'p',
        days: 3,
        step: 'silent',
        note: at('note'),
      })),
      noContract: rows.map((at) => ({ device: at('no contract'), printer: at('known as') })),
      notSeen: rows.map((at) => ({ contract: at('contract'), device: at('not seen') })),
      toOrder: rows.map((at) => ({ ...supply, device: at('orders'), description: at('to order'), level: 4 })),
      replaced: rows.map((at) => ({
        ...supply,
        device: at('replaces'),
        description: at('replaced'),
        at: FROM,
        left: 20,
        now: 100,
        early: true,
      })),
    }),
  };
}

/** One that is there and under no contract, and one that is under one and gone. */
function contractsOf(rows: readonly Row[]): Made {
  const records = rows.flatMap((at) => [
    deviceRecord('id', {
      firstSeen: FROM,
      lastSeen: TO,
      addresses: [at('address')],
      evidence: { model: at('model'), serial: at('serial') },
    }),
    deviceRecord('id', {
      firstSeen: FROM,
      state: 'adopted',
      name: at('name'),
      addresses: [at('other address')],
      evidence: { model: at('other model'), serial: at('other serial') },
      settings: { contract: at('contract') },
      lastSeen: FROM,
    }),
  ]);
  return { kind: 'inventory', document: contractReport({ config, records, period: PERIOD, now: MADE }) };
}

function credentialsOf(rows: readonly Row[]): Made {
  const records = rows.map((at, index) =>
    deviceRecord('id', {
      firstSeen: FROM,
      lastSeen: TO,
      id: `id-${index}`,
      state: 'adopted',
      name: at('name'),
      addresses: [at('address')],
      credential: { name: at('credential'), version: '2c' },
    }),
  );
  const events = rows.flatMap((at, index): KeptEvent[] => {
    const event = { seq: index, at: FROM, device: `id-${index}` };
    return [
      { ...event, kind: 'credential-changed', detail: { from: at('from'), to: at('to') } },
      { ...event, kind: 'credential-refused', detail: { credential: at('refused') } },
      { ...event, kind: 'new', detail: { credential: at('offered') } },
    ];
  });
  return { kind: 'credentials', document: credentialReport({ config, records, events, period: PERIOD }) };
}
