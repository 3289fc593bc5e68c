/** What pages show, taken from the parts of the running daemon. */
import { matchesDevice, occurrences } from '../availability/maintenance.ts';
import { type LedgerExtract, readExtract } from '../availability/timeline.ts';
import type { Span } from '../calendar.ts';
import type { Database } from '../store/store.ts';
import type { PageSources } from './page-sources.ts';
import type { StatePiece } from './strip.ts';

export interface LiveParts {
  /** Asked for at each use: a fault of the disk brings another handle. */
  readonly database: () => Database;
}

export function pageSources({ database }: LiveParts): PageSources {
  return {
    timelines: async (span) => {
      const extract = await readExtract(database(), span, span.to);
      return new Map([...extract.timelines].map(([device, pieces]) => [device, shown(device, pieces, extract, span)]));
    },
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
    .flatMap((window) => occurrences(window, { from: span.from, to: window.removed ?? span.to }));
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
