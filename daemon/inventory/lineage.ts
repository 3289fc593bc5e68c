/** Whose history a device has: its own, and that of every record that turned out to be it. Pure. */
import type { InventoryEvent } from './record.ts';

/** Ids whose events are the device's history: itself, what was joined into it, and what it was split from. */
export function lineage(
  id: string,
  events: readonly Pick<InventoryEvent, 'device' | 'kind' | 'detail'>[],
): ReadonlySet<string> {
  const origins = new Map<string, string[]>();
  for (const { device, kind, detail } of events) {
    const [to, from] =
      kind === 'joined' && detail['into'] !== undefined
        ? [detail['into'], device]
        : kind === 'split' && detail['from'] !== undefined
          ? [device, detail['from']]
          : [];
    if (to !== undefined && from !== undefined) origins.set(to, [...(origins.get(to) ?? []), from]);
  }
  const found = new Set([id]);
  for (const each of found) for (const origin of origins.get(each) ?? []) found.add(origin);
  return found;
}
