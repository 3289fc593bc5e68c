/** What people said and agreed, laid over what was observed when a report is made. Nothing here changes the ledger. Pure. */
import type { WallTime } from '#collectors/contract.ts';
import type { Span } from '../calendar.ts';
import type { Party } from './entries.ts';
import { matchesDevice, occurrences } from './maintenance.ts';
import type { Piece, StoredCorrection, StoredMaintenance } from './timeline.ts';

/** A piece as it counts: observed, or as a person has corrected it. */
export interface JudgedPiece extends Piece {
  readonly correction?: Pick<StoredCorrection, 'author' | 'reason' | 'recorded'>;
}

/** Lays corrections of the state over the pieces of a device. The one that was entered last stands. */
export function corrected(pieces: readonly Piece[], corrections: readonly StoredCorrection[]): readonly JudgedPiece[] {
  let result: readonly JudgedPiece[] = pieces;
  for (const { from, to, state, author, reason, recorded } of corrections) {
    if (state === undefined) continue;
    result = result.flatMap((piece): JudgedPiece[] => {
      const begin = Math.max(piece.from, from) as WallTime;
      const end = Math.min(piece.to, to) as WallTime;
      if (end <= begin) return [piece];
      const { detail, ...rest } = piece;
      return [
        ...(begin > piece.from ? [{ ...piece, to: begin }] : []),
        {
          ...rest,
          from: begin,
          to: end,
          state,
          cause: `corrected: ${reason}`,
          correction: { author, reason, recorded },
          ...(detail ? { detail } : {}),
        },
        ...(end < piece.to ? [{ ...piece, from: end }] : []),
      ];
    });
  }
  return result;
}

/** Who answers for an outage: what a person said last about that time, else what the site told when it began. */
export function partyOf(
  outage: Span,
  pieces: readonly JudgedPiece[],
  corrections: readonly StoredCorrection[],
): Party | undefined {
  const said = corrections.findLast(
    ({ from, to, party }) => party !== undefined && from < outage.to && to > outage.from,
  );
  return said?.party ?? pieces.find(({ detail }) => detail?.party !== undefined)?.detail?.party;
}

export type Announcement = 'in time' | 'too late' | 'after the fact';

/** One occurrence of maintenance for a device, and whether the contract lets it count. */
export interface MaintenanceTime {
  readonly span: Span;
  readonly name: string;
  readonly devices: readonly string[];
  /** When the client was told: as the config says, else when siteward first read of it. */
  readonly announced: WallTime;
  readonly announcement: Announcement;
}

/** All maintenance in a span, with the notice that a contract asks for, in milliseconds before the start. */
export function maintenanceTimes(
  windows: readonly StoredMaintenance[],
  within: Span,
  notice: number,
): MaintenanceTime[] {
  return windows
    .flatMap((window) => {
      const announced = window.announced_at ?? window.entered;
      return occurrences(window, within)
        .filter(({ from }) => window.removed === undefined || from < window.removed)
        .map(
          (span): MaintenanceTime => ({
            span: { from: span.from, to: Math.min(span.to, window.removed ?? span.to) as WallTime },
            name: window.name,
            devices: window.devices,
            announced,
            announcement:
              announced <= span.from - notice ? 'in time' : announced < span.from ? 'too late' : 'after the fact',
          }),
        );
    })
    .toSorted((a, b) => a.span.from - b.span.from);
}

/** Those that are for a device. */
export function maintenanceOf(device: string, times: readonly MaintenanceTime[]): MaintenanceTime[] {
  return times.filter(({ devices }) => matchesDevice(devices, device));
}
