/** `read-profiles.ts FOLDER…`: checks the device profiles in these folders and puts them into the cache. */
import { profilesOf } from '../profile-library.ts';

await profilesOf(process.argv.slice(2));
