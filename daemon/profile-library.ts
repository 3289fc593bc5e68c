import { resolve } from 'node:path';
import { CATALOGUE } from '#collectors/catalogue.ts';
import { ProfileLibrary } from '#collectors/snmp/profile/library.ts';
import type { LoadedConfig } from '#config/load.ts';
import { loadProfiles, PROFILE_FOLDER } from '#config/profiles.ts';

/**
 * The profiles that come with siteward and, where the config names a folder, the MSP's own, which win.
 * @throws ProfileError with all faults at once.
 */
export function readProfiles(loaded?: LoadedConfig): ProfileLibrary {
  const own = loaded?.config.profiles.directory;
  const folders = own === undefined || !loaded ? [PROFILE_FOLDER] : [PROFILE_FOLDER, resolve(loaded.folder, own)];
  return new ProfileLibrary(loadProfiles({ folders, metrics: CATALOGUE }));
}
