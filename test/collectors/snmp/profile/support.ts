/** Profiles and recordings written in a test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CATALOGUE } from '#collectors/catalogue.ts';
import type { Monotonic, Reading } from '#collectors/contract.ts';
import type { Agent, AgentHints, Oid, PartialWalk, ReadPlan, ReadResult } from '#collectors/snmp/agent.ts';
import { ProfileLibrary } from '#collectors/snmp/profile/library.ts';
import { type DeviceMemory, emptyMemory } from '#collectors/snmp/profile/memory.ts';
import { type DeviceReading, readDevice } from '#collectors/snmp/profile/read.ts';
import { parseRecording, RecordedAgent } from '#collectors/snmp/recording.ts';
import { describeFault } from '#config/faults.ts';
import { readProfiles } from '#config/profiles.ts';

/** Reads profiles from texts by name; faults come as lines. */
export function profilesOf(texts: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'siteward-profiles-'));
  try {
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, `${name}.yaml`), text);
    const { profiles, faults } = readProfiles({ folders: [folder], metrics: CATALOGUE });
    const lines = faults.map((fault) => describeFault({ ...fault, file: fault.file.replace(/^.*\//, '') }));
    return { profiles, lines };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A library of the one profile `test`, which every device fits. */
export function libraryOf(text: string): ProfileLibrary {
  const { profiles, lines } = profilesOf({ test: `title: Test\nmatch: [{}]\n${text}` });
  if (lines.length > 0) throw new Error(lines.join('\n'));
  return new ProfileLibrary(profiles);
}

/** Notes what it is asked, and can be told to break off columns. */
export class TestAgent implements Agent {
  readonly plans: ReadPlan[] = [];
  readonly hints: AgentHints[] = [];
  readonly partial: PartialWalk[] = [];
  #agent: RecordedAgent;

  constructor(recording: string) {
    this.#agent = new RecordedAgent(parseRecording(recording));
  }

  become(recording: string): void {
    this.#agent = new RecordedAgent(parseRecording(recording));
  }

  async read(plan: ReadPlan, signal: AbortSignal): Promise<ReadResult> {
    this.plans.push(plan);
    const result = await this.#agent.read(plan, signal);
    const asked = new Set([...plan.scalars, ...plan.tables.flat()]);
    return { ...result, partial: this.partial.filter(({ column }) => asked.has(column)) };
  }

  advise(hints: AgentHints): void {
    this.hints.push(hints);
  }

  /** Everything asked since the last call. */
  takeAsked(): readonly Oid[] {
    const asked = this.plans.flatMap(({ scalars, tables }) => [...scalars, ...tables.flat()]);
    this.plans.length = 0;
    return asked;
  }
}

export interface TestDevice {
  readonly agent: TestAgent;
  readonly memory: DeviceMemory;
  /** @param seconds when, by our clock; left out where it does not matter. */
  ask(question: 'inventory' | 'metrics', seconds?: number): Promise<DeviceReading>;
}

export function deviceOf(library: ProfileLibrary, recording: string): TestDevice {
  const agent = new TestAgent(recording);
  const memory = emptyMemory();
  const { signal } = new AbortController();
  return {
    agent,
    memory,
    ask: async (question, seconds) => {
      const at = seconds === undefined ? {} : { at: (seconds * 1000) as Monotonic };
      return await readDevice({ agent, library, question, memory, signal, ...at });
    },
  };
}

/** `metric{label} value` without the prefix, in the order of the readings. */
export function lines({ groups }: DeviceReading): readonly string[] {
  return groups.flatMap(({ readings }) => readings.map(line));
}

function line({ metric, labels, value }: Reading): string {
  return `${metric.replace('siteward_', '')}{${Object.values(labels).join(',')}} ${value}`;
}
