/** Reads recordings through the engine: in this process, or from an agent on loopback that serves them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CATALOGUE } from '#collectors/catalogue.ts';
import type { Observation, Question } from '#collectors/contract.ts';
import { createSnmpCollector, type SnmpCollector } from '#collectors/snmp/collector.ts';
import { ProfileLibrary } from '#collectors/snmp/profile/library.ts';
import { type DeviceMemory, emptyMemory } from '#collectors/snmp/profile/memory.ts';
import { type DeviceReading, readDevice } from '#collectors/snmp/profile/read.ts';
import { parseRecording, RecordedAgent, type Recording } from '#collectors/snmp/recording.ts';
import { describeFault } from '#config/faults.ts';
import { readProfiles } from '#config/profiles.ts';
import { systemClock } from '#daemon/clock.ts';
import { startMibAgent } from '../support/mib-agent.ts';
import { community } from '../support/snmp.ts';
import { target } from '../support/targets.ts';

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

/** Reads recordings through the real path: an agent on loopback answers UDP, the collector asks it. */
export class WireReader implements AsyncDisposable {
  readonly #collector: SnmpCollector;

  constructor(library: ProfileLibrary) {
    this.#collector = createSnmpCollector({ clock: systemClock, profiles: library, maxPacketsPerSecond: 100_000 });
  }

  /** The first full reading of a device, and the poll after it. */
  async readTwice(name: string, recording: Recording): Promise<{ inventory: Observation; metrics: Observation }> {
    await using agent = await startMibAgent({ varbinds: recording.varbinds, community: 'public' });
    const device = target(name, agent.address, { snmpPort: agent.port, credentials: [community()] });
    const ask = async (question: Question): Promise<Observation> => {
      const context = { clock: systemClock, signal: AbortSignal.timeout(30_000) };
      const [observation] = await this.#collector.collect(question, [device], context);
      if (!observation) throw new Error(`${name} gave no observation`);
      return observation;
    };
    return { inventory: await ask('inventory'), metrics: await ask('metrics') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#collector.close();
  }
}
