/** What a verb of the command line is made of. `verbs.ts` lists them; each `run` lives in the file of its name. */

/** The ends of the terminal or pipe that a verb talks to. */
export interface CliIo {
  /** What was asked for, and nothing else: it may be piped into another program. */
  out(text: string): void;
  /** Everything that is for the person in front of it. */
  err(text: string): void;
  readonly isTerminal: boolean;
  readonly env: NodeJS.ProcessEnv;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

export const EXIT = { done: 0, failed: 1, usage: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export type Options = Readonly<Record<string, string | boolean | undefined>>;
/** @returns the exit status. Usage and config faults are thrown as SitewardError and end with 2. */
export type RunVerb = (io: CliIo, args: readonly string[], options: Options) => Promise<ExitCode>;

export interface Verb {
  /** As commander writes it: `poll <address>`. */
  readonly usage: string;
  readonly summary: string;
  /** `[flags, meaning]` */
  readonly options?: readonly (readonly [string, string])[];
  readonly examples: readonly string[];
  readonly load: () => Promise<{ readonly run: RunVerb }>;
}

/** The text of an option that takes one. */
export function textOption(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}
