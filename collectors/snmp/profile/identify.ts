/** Who a device is, in the few requests that this takes: no readings. */
import type { Identity } from '#collectors/contract.ts';
import type { Agent, Oid } from '../agent.ts';
import { identityOf } from './identity.ts';
import type { ProfileLibrary } from './library.ts';
import { recognise } from './recognise.ts';
import { Scope } from './scope.ts';

/**
 * Recognises the device and reads the objects that its profile makes an identity from. Undefined where no profile fits.
 * @throws SnmpError when the agent gives no answer at all
 */
export async function identify(
  agent: Agent,
  library: ProfileLibrary,
  signal: AbortSignal,
): Promise<Identity | undefined> {
  const recognition = await recognise(agent, library, signal);
  const profile = library.get(recognition.profile ?? '');
  if (!profile) return undefined;
  agent.advise(profile.hints);
  const scope = new Scope(recognition.scalars, { remember: false });
  const { scalars, columns } = profile.identityNeeds;
  const open = [...scalars].filter((oid) => !recognition.asked.has(oid));
  const tables = new Map<string, Set<Oid>>();
  for (const [table, oids] of columns) {
    const known = tables.get(table.name) ?? new Set();
    for (const oid of oids) known.add(oid);
    tables.set(table.name, known);
  }
  const plan = { scalars: open, tables: [...tables.values()].map((oids) => [...oids]) };
  scope.add(await agent.read(plan, signal));
  return identityOf(profile, scope);
}
