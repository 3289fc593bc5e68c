/**
 * Every synthetic recording in `recordings/` is read as the JSON beside it says. A metric that the JSON names is named
 * with all its series; other metrics are not compared. `absent` lists metrics that must not be there.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readRecording, recordingOf, shippedProfiles } from './recordings.ts';

interface Expected {
  readonly device: Readonly<Record<string, string | null>>;
  readonly readings: readonly {
    readonly metric: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
  readonly absent?: readonly string[];
}

const FOLDER = join(import.meta.dirname, 'recordings');
const library = shippedProfiles();

describe('synthetic recordings', () => {
  for (const name of readdirSync(FOLDER).filter((file) => file.endsWith('.snmprec'))) {
    test(`${name} is read as expected`, async () => {
      const expected = JSON.parse(readFileSync(join(FOLDER, name.replace(/\.snmprec$/, '.json')), 'utf8')) as Expected;
      const recording = recordingOf(join(FOLDER, name));

      const { reading } = await readRecording(library, recording);

      const { identity, groups } = reading;
      const readings = groups.flatMap((group) => group.readings);
      expect(recording.faults).toEqual([]);
      expect({
        class: identity?.class ?? null,
        vendor: identity?.vendor ?? null,
        model: identity?.model ?? null,
        serial: identity?.serial ?? null,
        version: identity?.version ?? null,
        sys_name: identity?.sysName ?? null,
        profile: identity?.profile ?? null,
      }).toMatchObject(expected.device);
      const named = new Set(expected.readings.map(({ metric }) => metric));
      const got = readings
        .filter(({ metric }) => named.has(metric))
        .map(({ metric, labels, value }) => line(metric, labels, Number(value)));
      expect(got.toSorted()).toEqual(
        expected.readings.map(({ metric, labels, value }) => line(metric, labels, value)).toSorted(),
      );
      for (const metric of expected.absent ?? []) {
        expect(readings.filter((each) => each.metric === metric)).toEqual([]);
      }
    });
  }
});

function line(metric: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).toSorted(([a], [b]) => a.localeCompare(b));
  return `${metric}{${pairs.map(([label, text]) => `${label}=${JSON.stringify(text)}`).join(',')}} ${Number(value.toPrecision(9))}`;
}
