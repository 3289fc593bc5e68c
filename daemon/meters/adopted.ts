/** Printers that were put under a contract when they were adopted, by a rule of discovery or by a person. */
import type { Config } from '#config/schema.ts';
import { readRecords } from '../inventory/ledger.ts';
import type { DeviceRecord } from '../inventory/record.ts';
import type { Database } from '../store/store.ts';

/** The config, with every such printer named by its contract. From then on it is like one that the config names itself. */
export function withAdopted(config: Config, records: readonly DeviceRecord[]): Config {
  const names = new Map<string, string[]>();
  for (const { state, name, settings } of records) {
    if (state !== 'adopted' || name === undefined || settings.contract === undefined) continue;
    names.set(settings.contract, [...(names.get(settings.contract) ?? []), name]);
  }
  if (names.size === 0) return config;
  const contracts = Object.entries(config.contracts).map(([contract, settings]) => {
    const adopted = (names.get(contract) ?? []).filter((name) => !settings.devices.includes(name)).toSorted();
    return [contract, adopted.length > 0 ? { ...settings, devices: [...settings.devices, ...adopted] } : settings];
  });
  return { ...config, contracts: Object.fromEntries(contracts) as Config['contracts'] };
}

/** The same for who only has the ledger. */
export async function withAdoptedOf(database: Database, config: Config): Promise<Config> {
  return withAdopted(config, await readRecords(database));
}
