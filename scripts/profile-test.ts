/**
 * What a recording is read as: `npx node scripts/profile-test.ts [--json | --expected] FILE…`. `--expected` prints the
 * JSON that belongs beside a recording in `test/profiles/recordings`: compare it with the device, then keep it.
 *
 * For whoever writes a profile; `siteward profiles test` does the same for everybody.
 */
import { readFileSync } from 'node:fs';
import { CATALOGUE } from '#collectors/catalogue.ts';
import { ProfileLibrary } from '#collectors/snmp/profile/library.ts';
import { emptyMemory } from '#collectors/snmp/profile/memory.ts';
import { type DeviceReading, readDevice } from '#collectors/snmp/profile/read.ts';
import { parseRecording, RecordedAgent } from '#collectors/snmp/recording.ts';
import { describeFault } from '#config/faults.ts';
import { readProfiles } from '#config/profiles.ts';

const files = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const json = process.argv.includes('--json');
const { profiles, faults } = readProfiles({ metrics: CATALOGUE });
for (const fault of faults) console.error(describeFault(fault));
const library = new ProfileLibrary(profiles);
const documents: unknown[] = [];
const expected = process.argv.includes('--expected');

for (const file of files) {
  const recording = parseRecording(readFileSync(file, 'utf8'));
  const agent = new RecordedAgent(recording);
  const started = performance.now();
  const reading = await readDevice({
    agent,
    library,
    question: 'inventory',
    memory: emptyMemory(),
    signal: new AbortController().signal,
  });
  const seconds = (performance.now() - started) / 1000;
  if (expected) printExpected(document(file, reading, agent.reads, seconds));
  else if (json) documents.push(document(file, reading, agent.reads, seconds));
  else print(file, reading, agent);
}
if (json) console.log(JSON.stringify(documents, null, 2));

function document(file: string, { identity, groups, problems }: DeviceReading, requests: number, seconds: number) {
  return {
    file,
    device: {
      name: identity?.sysName ?? null,
      address: null,
      class: identity?.class ?? null,
      vendor: identity?.vendor ?? null,
      model: identity?.model ?? null,
      serial: identity?.serial ?? null,
      version: identity?.version ?? null,
      sys_name: identity?.sysName ?? null,
      profile: identity?.profile ?? null,
    },
    readings: groups
      .flatMap(({ readings }) => readings)
      .map(({ metric, labels, value }) => ({ metric, labels, value: Number(value) })),
    requests,
    seconds,
    problems,
  };
}

function printExpected({ device, readings }: ReturnType<typeof document>): void {
  const { name: _name, address: _address, ...identity } = device;
  const lines = readings.map((each) => `    ${JSON.stringify(each)}`);
  console.log(`{\n  "device": ${JSON.stringify(identity)},\n  "readings": [\n${lines.join(',\n')}\n  ]\n}`);
}

function print(file: string, { identity, groups, problems }: DeviceReading, agent: RecordedAgent): void {
  console.log(`\n${file}  (${agent.reads} rounds, ${agent.asked} objects and columns)`);
  if (identity) {
    const { engineId, macs, sysDescr, ...rest } = identity;
    console.log(
      '  ',
      JSON.stringify({ ...rest, engineId, macs: macs?.length, sysDescr }, null, 1).replace(/\n\s*/g, ' '),
    );
  }
  for (const { name, readings } of groups) {
    console.log(`  ${name}`);
    for (const { metric, labels, value, source } of readings) {
      const labelText = Object.entries(labels)
        .map(([label, text]) => `${label}=${JSON.stringify(text)}`)
        .join(' ');
      console.log(
        `    ${metric.replace('siteward_', '')}  ${labelText}  ${value}${source ? `  [${source.oid} ${source.unit}: ${source.raw}]` : ''}`,
      );
    }
  }
  for (const { code, message } of problems) console.log(`  ! ${code}: ${message}`);
}
