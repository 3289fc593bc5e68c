/** The actions of `siteward profiles` that work on recordings: make one, find in one what a panel shows. */
import { existsSync, writeFileSync } from 'node:fs';
import { SnmpError } from '#collectors/snmp/errors.ts';
import { openAgents, type PooledAgent } from '#collectors/snmp/pool.ts';
import { type Candidate, propose } from '#collectors/snmp/profile/propose.ts';
import { formatRecording, type RecordedDevice, type RecordProgress, recordDevice } from '#collectors/snmp/recorder.ts';
import { parseRecording } from '#collectors/snmp/recording.ts';
import { SitewardError } from '#config/errors.ts';
import type { Credential } from '#config/schema.ts';
import { systemClock } from '../clock.ts';
import { configIfAny } from './config-if-any.ts';
import { targetOf } from './poll.ts';
import { type CliIo, EXIT, type ExitCode, type Options, textOption } from './verb.ts';

/** A walk must not be what brings a small device down. */
const GENTLE_PACKETS_PER_SECOND = 40;

/** `profiles record ADDRESS`: walks a device and writes what it says, without what is private. */
export async function record(io: CliIo, [address]: readonly string[], options: Options): Promise<ExitCode> {
  if (address === undefined) {
    throw new SitewardError(
      'NO_ADDRESS',
      'profiles record needs a device',
      'write siteward profiles record 192.0.2.20 --community public',
    );
  }
  const target = await targetOf(address, options, configIfAny(io, options));
  const file = textOption(options, 'output') ?? `${target.name.replace(/[^\w.-]/g, '_')}.snmprec`;
  if (existsSync(file)) throw notWritten(file, 'is there already', 'give the new one another name with --output');
  const pool = openAgents({ clock: systemClock, maxPacketsPerSecond: GENTLE_PACKETS_PER_SECOND });
  try {
    const { recorded, credential } = await recordWith(target.credentials, (each) => pool.agent(target, each), io);
    const text = formatRecording(recorded.varbinds, { secrets: secretsOf(credential) });
    write(file, text);
    io.out(`${file}\n`);
    io.err(`${recorded.varbinds.size} objects; communities, contact, location and e-mail addresses are left out\n`);
    for (const { column, reason } of recorded.partial) io.err(`${column} was read in part only: ${reason}\n`);
    io.err(`look through it before you hand it on, then try it: siteward profiles test ${file}\n`);
    return EXIT.done;
  } finally {
    await pool.close();
  }
}

/** The first credential that the agent takes. */
async function recordWith(
  credentials: readonly Credential[],
  agentFor: (credential: Credential) => PooledAgent,
  io: CliIo,
): Promise<{ readonly recorded: RecordedDevice; readonly credential: Credential }> {
  let refused: unknown;
  for (const credential of credentials) {
    try {
      return {
        recorded: await recordDevice(agentFor(credential), io.signal, (state) => showProgress(io, state)),
        credential,
      };
    } catch (error) {
      if (!(error instanceof SnmpError)) throw error;
      refused = error;
    }
  }
  throw refused;
}

function showProgress(io: CliIo, { title, done, of, objects }: RecordProgress): void {
  const line = `${String(done).padStart(2)}/${of} ${title}: ${objects} objects`;
  io.err(io.isTerminal ? `\r\u001b[K${line}${done === of ? '\n' : ''}` : `${line}\n`);
}

function secretsOf(credential: Credential): readonly string[] {
  if (credential.version !== '3') return [credential.community.reveal()];
  return [credential.user, credential.auth?.key.reveal(), credential.privacy?.key.reveal()].filter(
    (text) => text !== undefined,
  );
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    const reason = `cannot be written: ${error instanceof Error ? error.message : error}`;
    throw notWritten(file, reason, 'write a path to --output that can be written', error);
  }
}

function notWritten(file: string, reason: string, hint: string, cause?: unknown): SitewardError {
  return new SitewardError('NOT_WRITTEN', `${file} ${reason}`, hint, { cause });
}

/** `profiles propose FILE --panel total=12345,color=678`: the OIDs whose values match what the panel shows. */
export async function proposeFrom(
  io: CliIo,
  [file]: readonly string[],
  options: Options,
  text: (file: string) => string,
): Promise<ExitCode> {
  if (file === undefined) {
    throw new SitewardError(
      'NO_FILE',
      'profiles propose needs a recording',
      'write siteward profiles propose FILE.snmprec --panel total=12345',
    );
  }
  const proposals = propose(parseRecording(text(file)).varbinds, panelOf(textOption(options, 'panel')));
  if (options.json) io.out(`${JSON.stringify(proposals, null, 2)}\n`);
  else {
    for (const { name, value, candidates } of proposals) {
      io.out(`${name} = ${value}\n${candidates.map(candidateLine).join('') || '  no object has this value\n'}`);
    }
    io.err('a match is a hint: look the object up in the MIB, or print a page and compare again\n');
  }
  return proposals.every(({ candidates }) => candidates.length > 0) ? EXIT.done : EXIT.failed;
}

function candidateLine({ yaml, remarks }: Candidate): string {
  return `  ${yaml}${remarks.length > 0 ? `  (${remarks.join('; ')})` : ''}\n`;
}

function panelOf(written: string | undefined): Readonly<Record<string, number>> {
  const pairs = (written ?? '').split(',').filter((pair) => pair.trim() !== '');
  const panel = pairs.map((pair) => {
    const [, name, value] = /^\s*([a-z_]+)\s*=\s*(\d{1,15})\s*$/i.exec(pair) ?? [];
    if (name === undefined) {
      throw new SitewardError(
        'BAD_PANEL',
        `${JSON.stringify(pair)} is no counter of a panel`,
        'write --panel total=12345,color=678',
      );
    }
    return [name, Number(value)] as const;
  });
  if (panel.length === 0) {
    throw new SitewardError('NO_PANEL', 'nothing says what the panel shows', 'write --panel total=12345,color=678');
  }
  return Object.fromEntries(panel);
}
