/** Which profile a device is read by: one round of what every agent has, one more only where that leaves a choice. */
import type { Agent, Oid, PartialWalk, Varbind } from '../agent.ts';
import { cellOf, textOf } from './cell.ts';
import type { Matcher, ProfileLibrary } from './library.ts';

export const SYS_DESCR = '1.3.6.1.2.1.1.1.0';
export const SYS_OBJECT_ID = '1.3.6.1.2.1.1.2.0';
export const SYS_UP_TIME = '1.3.6.1.2.1.1.3.0';
export const SYS_NAME = '1.3.6.1.2.1.1.5.0';
export const ENGINE_ID = '1.3.6.1.6.3.10.2.1.1.0';

/** Asked first of every device: who are you, and since when. */
const FIRST_ROUND: readonly Oid[] = [SYS_DESCR, SYS_OBJECT_ID, SYS_UP_TIME, SYS_NAME, ENGINE_ID];

export interface Recognition {
  readonly profile: string | undefined;
  /** Everything that was asked on the way, so that it need not be asked again. */
  readonly scalars: Map<Oid, Varbind>;
  readonly asked: ReadonlySet<Oid>;
  /** What was asked and not answered: where there is any, the profile is a guess. */
  readonly partial: readonly PartialWalk[];
}

/** @throws SnmpError when the agent gives no answer at all. */
export async function recognise(agent: Agent, library: ProfileLibrary, signal: AbortSignal): Promise<Recognition> {
  const first = await agent.read({ scalars: FIRST_ROUND, tables: [] }, signal);
  const scalars = new Map(first.scalars);
  const partial = [...first.partial];
  const asked = new Set(FIRST_ROUND);
  const match = (matchers: readonly Matched[]) => matchers.toSorted(byWeight)[0];

  const candidates = library.matchers.flatMap((matcher) => weigh(matcher, scalars) ?? []);
  const sure = match(candidates.filter(({ matcher }) => matcher.probes.length === 0));
  const open = candidates.filter(
    (candidate) => candidate.matcher.probes.length > 0 && (!sure || byWeight(candidate, sure) < 0),
  );
  const probes = new Set(open.flatMap(({ matcher }) => matcher.probes.map(({ oid }) => oid)));
  for (const oid of asked) probes.delete(oid);
  if (probes.size > 0) {
    const second = await agent.read({ scalars: [...probes], tables: [] }, signal);
    for (const [oid, varbind] of second.scalars) scalars.set(oid, varbind);
    partial.push(...second.partial);
    for (const oid of probes) asked.add(oid);
  }
  const proved = open.filter(({ matcher }) => matcher.probes.every((probe) => answers(probe, scalars)));
  const best = match(sure ? [...proved, sure] : proved);
  return { profile: best?.matcher.profile, scalars, asked, partial };
}

interface Matched {
  readonly matcher: Matcher;
  /** Numbers of the longest prefix of sysObjectID that fits. */
  readonly prefix: number;
}

/** Undefined where a condition that needs no probe does not hold. */
function weigh(matcher: Matcher, scalars: ReadonlyMap<Oid, Varbind>): Matched | undefined {
  const objectId = text(scalars, SYS_OBJECT_ID) ?? '';
  const descr = text(scalars, SYS_DESCR) ?? '';
  const fitting = matcher.prefixes.filter((prefix) => startsWith(objectId, prefix));
  if (matcher.prefixes.length > 0 && fitting.length === 0) return undefined;
  if (matcher.notPrefixes.some((prefix) => startsWith(objectId, prefix))) return undefined;
  if (matcher.sysDescr && !matcher.sysDescr.test(descr)) return undefined;
  if (matcher.notSysDescr?.test(descr)) return undefined;
  if (matcher.sysName && !matcher.sysName.test(text(scalars, SYS_NAME) ?? '')) return undefined;
  return { matcher, prefix: Math.max(0, ...fitting.map((prefix) => prefix.split('.').length)) };
}

function startsWith(oid: Oid, prefix: Oid): boolean {
  return oid === prefix || oid.startsWith(`${prefix}.`);
}

function text(scalars: ReadonlyMap<Oid, Varbind>, oid: Oid): string | undefined {
  const varbind = scalars.get(oid);
  return varbind && textOf(cellOf(varbind));
}

function answers({ oid, matches }: Matcher['probes'][number], scalars: ReadonlyMap<Oid, Varbind>): boolean {
  const found = text(scalars, oid);
  return found !== undefined && found !== '' && (!matches || matches.test(found));
}

/** Best first: rank, then how much of sysObjectID it names, then probes, then what it asks of sysDescr. */
function byWeight(a: Matched, b: Matched): number {
  return (
    b.matcher.rank - a.matcher.rank ||
    b.prefix - a.prefix ||
    b.matcher.probes.length - a.matcher.probes.length ||
    Number(b.matcher.sysDescr !== undefined) - Number(a.matcher.sysDescr !== undefined) ||
    a.matcher.profile.localeCompare(b.matcher.profile)
  );
}
