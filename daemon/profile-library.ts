import { resolve } from 'node:path';
import { CATALOGUE } from '#collectors/catalogue.ts';
import { ProfileLibrary } from '#collectors/snmp/profile/library.ts';
import type { Fault } from '#config/faults.ts';
import type { LoadedConfig } from '#config/load.ts';
import { PROFILE_FOLDER, type Profile, readProfiles } from '#config/profiles.ts';

export interface ReadLibrary {
  readonly library: ProfileLibrary;
  readonly profiles: ReadonlyMap<string, Profile>;
  /** Profiles named here are left out: one that is wrong must not cost the others. */
  readonly faults: readonly Fault[];
}

/** The profiles that come with siteward and, where the config names a folder, the MSP's own, which win. */
export function profileLibrary(loaded?: LoadedConfig): ReadLibrary {
  const own = loaded?.config.profiles.directory;
  const folders = own === undefined || !loaded ? [PROFILE_FOLDER] : [PROFILE_FOLDER, resolve(loaded.folder, own)];
  const cache = loaded && resolve(loaded.folder, loaded.config.storage.directory, 'profiles.json');
  const { profiles, faults } = readProfiles({ folders, metrics: CATALOGUE, ...(cache !== undefined && { cache }) });
  return { library: new ProfileLibrary(profiles), profiles, faults };
}
