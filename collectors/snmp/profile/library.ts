/** All profiles of an appliance, compiled when first used and shared by all devices. */

import type { MatchSettings } from '#config/profile.ts';
import type { Profile } from '#config/profiles.ts';
import type { Oid } from '../agent.ts';
import { type CompiledProfile, compileProfile } from './compile.ts';

export interface Probe {
  readonly oid: Oid;
  readonly matches: RegExp | undefined;
}

/** What has to hold for a profile, and how much that says about the device. */
export interface Matcher {
  readonly profile: string;
  readonly rank: number;
  readonly prefixes: readonly Oid[];
  readonly notPrefixes: readonly Oid[];
  readonly sysDescr: RegExp | undefined;
  readonly notSysDescr: RegExp | undefined;
  readonly sysName: RegExp | undefined;
  readonly probes: readonly Probe[];
}

/** Where profiles come from: a map of them, or something that parses each when it is asked for. */
export interface ProfileSource {
  values(): Iterable<{
    readonly name: string;
    readonly settings: Pick<Profile['settings'], 'abstract' | 'match' | 'rank'>;
  }>;
  get(name: string): Profile | undefined;
}

export class ProfileLibrary {
  readonly matchers: readonly Matcher[];
  readonly #profiles: ProfileSource;
  readonly #compiled = new Map<string, CompiledProfile>();

  constructor(profiles: ProfileSource) {
    this.#profiles = profiles;
    this.matchers = [...profiles.values()]
      .filter(({ settings }) => !settings.abstract)
      .flatMap(({ name, settings }) => settings.match.map((match) => matcherOf(name, settings.rank, match)));
  }

  /** A profile as it is written, with everything that it extends: what its version is made of. */
  content(name: string): Profile | undefined {
    return this.#profiles.get(name);
  }

  get(name: string): CompiledProfile | undefined {
    const known = this.#compiled.get(name);
    if (known) return known;
    const profile = this.#profiles.get(name);
    if (!profile) return undefined;
    const compiled = compileProfile(profile);
    this.#compiled.set(name, compiled);
    return compiled;
  }
}

function matcherOf(profile: string, rank: number, match: MatchSettings): Matcher {
  const pattern = (source: string | undefined) => (source === undefined ? undefined : new RegExp(source, 'iu'));
  return {
    profile,
    rank,
    prefixes: [match.sys_object_id ?? []].flat(),
    notPrefixes: [match.not_sys_object_id ?? []].flat(),
    sysDescr: pattern(match.sys_descr),
    notSysDescr: pattern(match.not_sys_descr),
    sysName: pattern(match.sys_name),
    probes: (match.probe ?? []).map(({ oid, matches }) => ({ oid, matches: pattern(matches) })),
  };
}
