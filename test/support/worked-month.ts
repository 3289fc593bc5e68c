/** docs/examples/worked-month.md as input and as expectation. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { WallTime } from '#collectors/contract.ts';
import { type LoadedConfig, parseConfig } from '#config/load.ts';
import type { AnnouncedMaintenance, Draft, Party } from '#daemon/availability/entries.ts';
import { readSlaReport } from '#daemon/availability/reading.ts';
import { slaDocument } from '#daemon/availability/sla-document.ts';
import { type ObservedState, RULE_VERSION, type Rule } from '#daemon/availability/verdict.ts';
import { parsePeriod } from '#daemon/calendar.ts';
import type { ReportDocument } from '#daemon/reports/document.ts';
import { verifyDatabase } from '#daemon/store/ledger.ts';
import { VERIFIERS } from '#daemon/verifiers.ts';
import { type OpenBook, openBook, setClock } from './availability.ts';

const PAGE = resolve(import.meta.dirname, '../../docs/examples/worked-month.md');
const TIMEZONE = 'Europe/Berlin';

export type SheetRow = Readonly<Record<string, string>>;

export interface WorkedMonth {
  /** The config of the page, as it stands there. */
  readonly yaml: string;
  readonly loaded: LoadedConfig;
  readonly maintenance: readonly SheetRow[];
  readonly outages: readonly SheetRow[];
  readonly corrections: readonly SheetRow[];
  readonly figures: readonly SheetRow[];
  readonly times: readonly SheetRow[];
}

export function workedMonth(): WorkedMonth {
  const page = readFileSync(PAGE, 'utf8');
  const yaml = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const [maintenance = [], outages = [], corrections = [], figures = [], times = []] = tables(page);
  return { yaml, loaded: parseConfig(yaml, 'worked-month.yaml'), maintenance, outages, corrections, figures, times };
}

function tables(page: string): SheetRow[][] {
  return [...page.matchAll(/(?:^\|.*\n)+/gm)].map(([block]) => {
    const [head = [], , ...rows] = block
      .trim()
      .split('\n')
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim().replaceAll('`', '')),
      );
    return rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index] ?? ''])));
  });
}

/** A local time of the page, with or without an offset. */
export function at(text: string | undefined): WallTime {
  const span = parsePeriod(`2020-01-01/${text}`, 0 as WallTime, TIMEZONE);
  if (!span) throw new Error(`${text} is no time`);
  return span.to;
}

interface Event {
  readonly at: WallTime;
  readonly do: () => void | Promise<void>;
}

/** Enters the month as a daemon would have, at the times at which it would have. */
export async function enterMonth(directory: string, month: WorkedMonth): Promise<OpenBook> {
  const clock = setClock(at('2026-09-30T12:00'));
  let book = await openBook(directory, clock);
  const devices = month.loaded.config.devices.map(({ name = '', sla }) => [name, sla] as const);
  const announced: AnnouncedMaintenance[] = [];
  const state = (device: string, from: WallTime, to: ObservedState, rule: Rule, parent?: string): void =>
    book.availability.append({
      kind: 'state',
      device,
      at: from,
      state: to,
      rule,
      ruleVersion: RULE_VERSION,
      detail: {
        evidence: { icmp: to === 'up' ? 'answered' : 'silent' },
        resolution: 15_000,
        ...(parent ? { parent } : {}),
      },
    });
  const allUp = (): void => {
    book.availability.watch(new Map(devices), clock.wallNow());
    for (const [device] of devices) state(device, clock.wallNow(), 'up', 'answered');
  };
  const cut = at('2026-10-26T17:20');
  const events: Event[] = [
    ...month.maintenance.map(
      (row): Event => ({
        at: at(row['announced']),
        do: () => {
          announced.push(windowOf(row));
          book.availability.announce(announced, clock.wallNow());
        },
      }),
    ),
    ...month.outages.flatMap((row): Event[] => {
      const unreachable = row['state'] === 'unreachable';
      const rule = unreachable ? 'silent behind a parent that is down' : 'silent three rounds';
      const from = at(row['from']);
      const to = at(row['to']);
      const begin = {
        at: from,
        do: () =>
          state(row['device'] ?? '', from, row['state'] as ObservedState, rule, unreachable ? 'fw-1' : undefined),
      };
      // Siteward was not there to see this one end.
      return to === cut ? [begin] : [begin, { at: to, do: () => state(row['device'] ?? '', to, 'up', 'answered') }];
    }),
    ...month.corrections.map(
      (row): Event => ({ at: at(row['entered']), do: () => book.availability.append(correctionOf(row)) }),
    ),
    {
      at: cut,
      do: async () => {
        book.availability.beat(cut, clock.monotonicNow());
        await book.flush();
        await book.close();
      },
    },
    {
      at: at('2026-10-26T18:05'),
      do: async () => {
        book = await openBook(directory, clock);
        allUp();
      },
    },
  ];
  allUp();
  for (const event of events.toSorted((a, b) => a.at - b.at)) {
    clock.set(event.at);
    await event.do();
  }
  clock.set(at('2026-11-02T09:00'));
  book.availability.beat(clock.wallNow(), clock.monotonicNow());
  await book.flush();
  return book;
}

function windowOf(row: SheetRow): AnnouncedMaintenance {
  const { window: name = '', device = '', from = '', to } = row;
  return { key: name, name, devices: [device], starts: from, duration: at(to) - at(from), timezone: TIMEZONE };
}

function correctionOf(row: SheetRow): Draft {
  const { device = '', from, to, says = '', by: author = '', reason = '' } = row;
  const word = says === 'up' || says === 'down' ? ({ state: says } as const) : { party: says as Party };
  return { kind: 'correction', device, at: at(from), detail: { to: at(to), ...word, author, reason } };
}

/** The report of October, from a ledger that holds the month and verifies. */
export async function reportOfMonth(month: WorkedMonth): Promise<ReportDocument> {
  const folder = mkdtempSync(join(tmpdir(), 'siteward-month-'));
  const book = await enterMonth(folder, month);
  const made = await readSlaReport(book.ledger.database, '2026-10', {
    config: month.loaded.config,
    now: at('2026-11-02T09:00'),
  });
  const { faults } = await verifyDatabase(book.ledger.database, VERIFIERS);
  await book.close();
  rmSync(folder, { recursive: true });
  if (!made || faults.length > 0) throw new Error(`no report: ${JSON.stringify(faults)}`);
  return slaDocument(made);
}

/** Seconds as the report prints them for people. */
function shown(seconds: string | undefined): string {
  const value = Number(seconds);
  const size = Math.abs(value);
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  const rest = Math.round((size % 1) * 1000);
  return `${value < 0 ? '-' : ''}${Math.floor(size / 3600)}:${two((size / 60) % 60)}:${two(size % 60)}${rest ? `.${String(rest).padStart(3, '0')}` : ''}`;
}

/** Every figure of the sheet as people read it. */
export function figuresOfSheet(month: WorkedMonth): string[] {
  return [
    ...month.figures.flatMap((row) => [
      `${row['availability']} %`,
      `${row['raw']} %`,
      `${row['coverage']} %`,
      shown(row['downtime']),
      shown(row['measured']),
      shown(row['budget left']),
      ...(row['credit'] ? [row['credit']] : []),
    ]),
    ...month.times.flatMap((row) =>
      Object.entries(row).flatMap(([name, value]) => (name === 'sla' || name === 'subject' ? [] : [shown(value)])),
    ),
    ...month.outages.map((row) => shown(row['counted seconds'])),
  ];
}
