import { describeFault, type Fault } from './faults.ts';

/** An error that a person can act on: a stable code, one sentence, and what to do next. */
export class SitewardError extends Error {
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.hint = hint;
  }

  /** What a person is told. The message of an Error is not enumerable, so without this it would be lost. */
  toJSON(): { readonly code: string; readonly message: string; readonly hint: string } {
    return { code: this.code, message: this.message, hint: this.hint };
  }
}

/** Files that cannot be used, with everything that is wrong in them. */
class FaultyFiles extends SitewardError {
  readonly faults: readonly Fault[];

  constructor(code: string, faults: readonly Fault[], verb: string) {
    super(code, faults.map(describeFault).join('\n'), `mend the places named; \`siteward ${verb}\` shows them again`);
    this.faults = faults;
  }
}

export class ConfigError extends FaultyFiles {
  constructor(faults: readonly Fault[]) {
    super('CONFIG_INVALID', faults, 'check');
  }
}

export class ProfileError extends FaultyFiles {
  constructor(faults: readonly Fault[]) {
    super('PROFILE_INVALID', faults, 'profiles check');
  }
}
