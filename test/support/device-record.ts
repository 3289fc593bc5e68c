import type { WallTime } from '#collectors/contract.ts';
import type { DeviceRecord } from '#daemon/inventory/record.ts';
import type { SiteBook } from '#daemon/web/route.ts';

/** What discovery keeps of a device: one that answered and waits for a decision, but for what is said. */
export function deviceRecord(id: string, rest: Partial<DeviceRecord> = {}): DeviceRecord {
  return {
    id,
    state: 'candidate',
    addresses: [],
    silent: [],
    snmpPort: 161,
    evidence: {},
    hints: [],
    ports: [],
    agent: 'answered',
    settings: {},
    doubts: [],
    firstSeen: 0 as WallTime,
    lastSeen: 0 as WallTime,
    ...rest,
  };
}

/** The inventory as pages see it: what is known and said, and nothing that may be done but what is given. */
export function siteBook(parts: Partial<SiteBook>): SiteBook {
  const refuse = async (): Promise<never> => {
    throw new Error('this inventory decides nothing');
  };
  return {
    discoveries: () => [],
    get: () => undefined,
    proposedName: () => '',
    latest: async () => [],
    history: async () => [],
    adopt: refuse,
    ignore: refuse,
    split: refuse,
    ...parts,
  };
}
