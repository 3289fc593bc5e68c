import { readFileSync } from 'node:fs';
import { CATALOGUE } from '#collectors/catalogue.ts';
import type { Milliseconds, Observation } from '#collectors/contract.ts';
import { ProfileLibrary } from '#collectors/snmp/profile/library.ts';
import { emptyMemory } from '#collectors/snmp/profile/memory.ts';
import { readDevice } from '#collectors/snmp/profile/read.ts';
import { parseRecording, RecordedAgent } from '#collectors/snmp/recording.ts';
import { SitewardError } from '#config/errors.ts';
import { describeFault, type Fault } from '#config/faults.ts';
import { type Profile, readProfiles } from '#config/profiles.ts';
import { systemClock } from '../clock.ts';
import { profileFolders } from '../profile-library.ts';
import { configIfAny } from './config-if-any.ts';
import { table } from './devices.ts';
import { pollJson } from './poll-json.ts';
import { showObservation } from './poll-text.ts';
import { proposeFrom, record } from './profile-recording.ts';
import { type CliIo, EXIT, type ExitCode, type Options, type RunVerb } from './verb.ts';

interface ReadLibrary {
  readonly library: ProfileLibrary;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly faults: readonly Fault[];
}

type Action = (io: CliIo, args: readonly string[], options: Options, library: ReadLibrary) => Promise<ExitCode>;

const ACTIONS: Readonly<Record<string, Action>> = {
  list,
  check,
  test,
  record,
  propose: async (io, args, options) => await proposeFrom(io, args, options, readText),
};

export const run: RunVerb = async (io, [action = 'list', ...args], options) => {
  const found = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (!found)
    throw new SitewardError(
      'NO_SUCH_ACTION',
      `profiles cannot ${JSON.stringify(action)}`,
      `write one of ${Object.keys(ACTIONS).join(', ')}`,
    );
  // Read anew, past the cache: whoever asks about profiles may be writing one.
  const { profiles, faults } = readProfiles({ folders: profileFolders(configIfAny(io, options)), metrics: CATALOGUE });
  return await found(io, args, options, { library: new ProfileLibrary(profiles), profiles, faults });
};

async function list(
  io: CliIo,
  _args: readonly string[],
  options: Options,
  { profiles }: ReadLibrary,
): Promise<ExitCode> {
  const families = [...profiles.values()]
    .filter(({ settings }) => !settings.abstract)
    .toSorted((a, b) => a.name.localeCompare(b.name));
  const rows = families.map(({ name, settings, vendor, areas, class: deviceClass }) => ({
    profile: name,
    title: settings.title,
    class: deviceClass ?? null,
    vendor: vendor ?? null,
    sure: settings.sure,
    areas: Object.keys(areas),
  }));
  if (options.json) io.out(`${JSON.stringify(rows, null, 2)}\n`);
  else
    io.out(
      table(
        ['PROFILE', 'CLASS', 'SURE', 'FAMILY'],
        rows.map((row) => [row.profile, row.class ?? '', row.sure, row.title]),
      ),
    );
  return EXIT.done;
}

async function check(
  io: CliIo,
  _args: readonly string[],
  _options: Options,
  { profiles, faults }: ReadLibrary,
): Promise<ExitCode> {
  for (const fault of faults) io.err(`${describeFault(fault)}\n`);
  if (faults.length > 0) return EXIT.failed;
  io.out(`${profiles.size} profiles are good\n`);
  return EXIT.done;
}

async function test(
  io: CliIo,
  files: readonly string[],
  options: Options,
  { library, faults }: ReadLibrary,
): Promise<ExitCode> {
  if (files.length === 0)
    throw new SitewardError('NO_FILE', 'profiles test needs a recording', 'write siteward profiles test FILE.snmprec');
  for (const fault of faults) io.err(`${describeFault(fault)}\n`);
  const results: Record<string, unknown>[] = [];
  let status: ExitCode = faults.length > 0 ? EXIT.failed : EXIT.done;
  for (const file of files) {
    const { varbinds, faults: damaged } = parseRecording(readText(file));
    for (const { line, message } of damaged) io.err(`${file}:${line}:1: ${message}\n`);
    if (damaged.length > 0) status = EXIT.failed;
    const observation = await readRecording(new RecordedAgent({ varbinds, faults: damaged }), library, io.signal);
    const target = { name: file, address: file };
    if (options.json) results.push({ file, ...pollJson(target, observation) });
    else {
      io.out(`${file}\n`);
      showObservation(io, target, observation);
      io.out('\n');
    }
  }
  if (options.json) io.out(`${JSON.stringify(results, null, 2)}\n`);
  return status;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SitewardError(
      'NO_RECORDING',
      `${file} cannot be read: ${error instanceof Error ? error.message : error}`,
      'write the path of a .snmprec file, as `siteward profiles record` makes them',
      { cause: error },
    );
  }
}

async function readRecording(
  agent: RecordedAgent,
  library: ReadLibrary['library'],
  signal: AbortSignal,
): Promise<Observation> {
  const started = systemClock.monotonicNow();
  const reading = await readDevice({ agent, library, question: 'inventory', memory: emptyMemory(), signal });
  return {
    ...reading,
    device: '',
    collector: 'snmp',
    question: 'inventory',
    at: systemClock.wallNow(),
    took: (systemClock.monotonicNow() - started) as Milliseconds,
    evidence: { kind: 'answered' },
    requests: agent.reads,
    timeouts: 0,
  };
}
