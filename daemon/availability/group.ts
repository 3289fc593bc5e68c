import type { WallTime } from '#collectors/contract.ts';
import type { SlaSettings } from '#config/schema.ts';
import type { Party } from './entries.ts';
import { corrected, type JudgedPiece, type MaintenanceTime, partyOf } from './overlays.ts';
import type { Piece, StoredCorrection } from './timeline.ts';

export interface Member {
  readonly device: string;
  readonly pieces: readonly Piece[];
  readonly corrections: readonly StoredCorrection[];
  readonly maintenance: readonly MaintenanceTime[];
}

export interface GroupTimeline {
  readonly pieces: readonly Piece[];
  /** Times in which the group lacks only members that are excused; they leave the agreed time as maintenance does. */
  readonly excused: readonly MaintenanceTime[];
}

type Class = 'up' | 'down' | 'unknown' | 'excused';

/**
 * The state of several devices together: up while at least `need` are up, down while too few could be even if all that
 * is unknown or excused were up. Between the two it is excused where excused members (announced maintenance, parties that
 * do not count) would make up for it, else unknown.
 */
export function groupTimeline(
  members: readonly Member[],
  need: 'all' | 'any' | number,
  sla: Pick<SlaSettings, 'exclude_parties'>,
): GroupTimeline {
  const needed = need === 'all' ? members.length : need === 'any' ? 1 : need;
  const lines = members.map((member) => ({ device: member.device, pieces: classes(member, sla) }));
  const edges = [...new Set(lines.flatMap(({ pieces }) => pieces.flatMap(({ from, to }) => [from, to])))].sort(
    (a, b) => a - b,
  );
  const cursors = lines.map(({ device, pieces }) => ({ device, at: cursor(pieces) }));
  const pieces: Piece[] = [];
  const excused: MaintenanceTime[] = [];
  for (const [index, from] of edges.entries()) {
    const to = edges[index + 1];
    if (to === undefined) break;
    const now = cursors.map(({ device, at }) => ({ device, piece: at(from) }));
    const { state, missing } = verdict(now, needed);
    const piece: Piece = {
      from,
      to,
      state: state === 'excused' ? 'unknown' : state,
      cause:
        state === 'up'
          ? 'enough members are up'
          : `${missing.join(', ')} ${state === 'down' ? 'not up' : 'not known to be up'}`,
    };
    const last = pieces.at(-1);
    if (last && last.to === from && last.state === piece.state && last.cause === piece.cause)
      pieces[pieces.length - 1] = { ...last, to };
    else pieces.push(piece);
    if (state === 'excused')
      excused.push({
        span: { from, to },
        name: `of ${missing.join(', ')}`,
        devices: missing,
        announced: from,
        announcement: 'in time',
      });
  }
  return { pieces, excused };
}

interface ClassPiece {
  readonly from: WallTime;
  readonly to: WallTime;
  readonly class: Class;
}

function verdict(
  now: readonly { readonly device: string; readonly piece: ClassPiece | undefined }[],
  needed: number,
): { state: Class; missing: string[] } {
  const count = (wanted: Class) => now.filter(({ piece }) => (piece?.class ?? 'unknown') === wanted).length;
  const missing = now.filter(({ piece }) => piece?.class !== 'up').map(({ device }) => device);
  const up = count('up');
  if (up >= needed) return { state: 'up', missing };
  if (up + count('excused') >= needed) return { state: 'excused', missing };
  if (up + count('excused') + count('unknown') >= needed) return { state: 'unknown', missing };
  return { state: 'down', missing };
}

function classes(member: Member, sla: Pick<SlaSettings, 'exclude_parties'>): ClassPiece[] {
  const windows = member.maintenance.filter(({ announcement }) => announcement === 'in time').map(({ span }) => span);
  return corrected(member.pieces, member.corrections).flatMap((piece): ClassPiece[] => {
    if (piece.state === 'up') return [{ from: piece.from, to: piece.to, class: 'up' }];
    const party: Party | undefined = partyOf(piece, [piece as JudgedPiece], member.corrections);
    const excusedParty = party !== undefined && sla.exclude_parties.includes(party) && piece.state !== 'unknown';
    const plain: Class = excusedParty ? 'excused' : piece.state === 'unknown' ? 'unknown' : 'down';
    const cuts = [piece.from, ...windows.flatMap(({ from, to }) => [from, to]), piece.to]
      .filter((at) => at >= piece.from && at <= piece.to)
      .sort((a, b) => a - b);
    return cuts.flatMap((from, index): ClassPiece[] => {
      const to = cuts[index + 1];
      if (to === undefined || to <= from) return [];
      return [
        { from, to, class: windows.some((window) => from >= window.from && from < window.to) ? 'excused' : plain },
      ];
    });
  });
}

function cursor(pieces: readonly ClassPiece[]): (at: number) => ClassPiece | undefined {
  let index = 0;
  return (at) => {
    while ((pieces[index]?.to ?? Number.POSITIVE_INFINITY) <= at) index += 1;
    const piece = pieces[index];
    return piece && piece.from <= at ? piece : undefined;
  };
}
