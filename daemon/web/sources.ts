/** What pages show, taken from the parts of the running daemon. */
import type { Clock, WallTime } from '#collectors/contract.ts';
import type { Config } from '#config/schema.ts';
import type { AnnouncedMaintenance } from '../availability/entries.ts';
import { isEntered, matchesDevice, type NewMaintenance, occurrences } from '../availability/maintenance.ts';
import { type LedgerExtract, readExtract } from '../availability/timeline.ts';
import type { Span } from '../calendar.ts';
import type { OutputStatus } from '../exposition/self.ts';
import { REPORTS } from '../reports/sources.ts';
import type { Database } from '../store/store.ts';
import type { PageSources } from './page-sources.ts';
import type { StatePiece } from './strip.ts';

export interface LiveParts {
  /** Asked for at each use: a fault of the disk brings another handle. */
  readonly database: () => Database;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly outputs: () => readonly OutputStatus[];
  readonly enterMaintenance: (window: NewMaintenance) => Promise<string>;
  readonly endMaintenance: (key: string, author: string, reason: string) => Promise<void>;
  /** As announced, without what was taken back. */
  readonly maintenance: () => readonly AnnouncedMaintenance[];
}

/** How far ahead planned maintenance is shown. */
const AHEAD = 60 * 86_400_000;

export function pageSources({
  database,
  config,
  clock,
  outputs,
  maintenance,
  enterMaintenance,
  endMaintenance,
}: LiveParts): PageSources {
  return {
    timelines: async (span) => {
      const extract = await readExtract(database(), span, span.to);
      return new Map([...extract.timelines].map(([device, pieces]) => [device, shown(device, pieces, extract, span)]));
    },
    report: async (kind, period) => {
      const load = Object.hasOwn(REPORTS, kind) ? REPORTS[kind] : undefined;
      return await (await load?.())?.(database(), period, { config: config(), now: clock.wallNow() });
    },
    windows: (now) =>
      maintenance()
        .flatMap((window) =>
          occurrences(window, { from: now, to: (now + AHEAD) as WallTime }).map(({ from, to }) => ({
            key: window.key,
            entered: isEntered(window),
            ...(window.author === undefined ? {} : { author: window.author }),
            name: window.name,
            devices: window.devices,
            from,
            to,
          })),
        )
        .toSorted((a, b) => a.from - b.from),
    enterWindow: async ({ devices, from, to, reason, by }) =>
      await enterMaintenance({ name: reason, devices, from, to, author: by }),
    endWindow: endMaintenance,
    outputs,
  };
}

/** What was observed, with maintenance laid over it. */
function shown(
  device: string,
  pieces: readonly StatePiece[],
  { maintenance }: LedgerExtract,
  span: Span,
): StatePiece[] {
  const windows = maintenance
    .filter(({ devices }) => matchesDevice(devices, device))
    .flatMap((window) => {
      const removed = window.removed ?? Number.POSITIVE_INFINITY;
      return occurrences(window, span)
        .filter(({ from }) => from < removed)
        .map(({ from, to }): Span => ({ from, to: Math.min(to, removed) as WallTime }));
    });
  return windows.reduce<StatePiece[]>((all, window) => all.flatMap((piece) => cut(piece, window)), [...pieces]);
}

function cut(piece: StatePiece, window: Span): StatePiece[] {
  const from = Math.max(piece.from, window.from) as StatePiece['from'];
  const to = Math.min(piece.to, window.to) as StatePiece['to'];
  if (to <= from) return [piece];
  const inside: StatePiece = { ...piece, from, to, state: 'maintenance' };
  return [
    ...(from > piece.from ? [{ ...piece, to: from }] : []),
    inside,
    ...(to < piece.to ? [{ ...piece, from: to }] : []),
  ];
}
