import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readRecording, recordingOf, shippedProfiles, WireReader } from './recordings.ts';

const FOLDER = join(import.meta.dirname, 'recordings');

test('every synthetic device is read the same over UDP as in this process, and again at the next poll', async () => {
  const library = shippedProfiles();
  await using wire = new WireReader(library);

  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.snmprec'))) {
    const recording = recordingOf(join(FOLDER, file));
    const { reading } = await readRecording(library, recording);

    const { inventory, metrics } = await wire.readTwice(file, recording);

    expect(inventory.identity, file).toEqual(reading.identity);
    expect(inventory.groups, file).toEqual(reading.groups);
    for (const group of metrics.groups) {
      expect(group, file).toEqual(reading.groups.find(({ name }) => name === group.name));
    }
  }
}, 120_000);
