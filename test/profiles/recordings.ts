/** Reads recordings through the engine, in this process. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CATALOGUE } from '#collectors/catalogue.ts';
import { ProfileLibrary } from '#collectors/snmp/profile/library.ts';
import { type DeviceMemory, emptyMemory } from '#collectors/snmp/profile/memory.ts';
import { type DeviceReading, readDevice } from '#collectors/snmp/profile/read.ts';
import { parseRecording, RecordedAgent, type Recording } from '#collectors/snmp/recording.ts';
import { describeFault } from '#config/faults.ts';
import { readProfiles } from '#config/profiles.ts';

/** The devices recorded by others, beside the project; absent in most clones. */
export const SHARED_DEVICES = fileURLToPath(new URL('../../../shared/devices/', import.meta.url));

/** The profiles that come with siteward; what is wrong in one is told and does not stop the others. */
export function shippedProfiles(): ProfileLibrary {
  const { profiles, faults } = readProfiles({ metrics: CATALOGUE });
  for (const fault of faults) console.error(describeFault(fault));
  return new ProfileLibrary(profiles);
}

export interface ReadRecording {
  readonly reading: DeviceReading;
  readonly agent: RecordedAgent;
  readonly memory: DeviceMemory;
}

export async function readRecording(library: ProfileLibrary, recording: Recording): Promise<ReadRecording> {
  const agent = new RecordedAgent(recording);
  const memory = emptyMemory();
  const { signal } = new AbortController();
  const reading = await readDevice({ agent, library, question: 'inventory', memory, signal });
  return { reading, agent, memory };
}

export function recordingOf(file: string): Recording {
  return parseRecording(readFileSync(file, 'utf8'));
}
