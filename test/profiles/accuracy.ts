/**
 * How right siteward reads the recorded devices, area by area.
 *
 *     npx node test/profiles/accuracy.ts [--name GLOB] [--area AREA] [--misses]
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { parseArgs } from 'node:util';
import { readRecording, recordingOf, SHARED_DEVICES, shippedProfiles } from './recordings.ts';
import { CHECKED_AREAS, type Check, compare, type Truth } from './truth.ts';

export interface Accuracy {
  readonly checks: readonly (Check & { readonly name: string; readonly profile: string })[];
}

/** Reads every recording whose name fits, and compares. */
export async function measureAccuracy(glob = '*'): Promise<Accuracy> {
  const library = shippedProfiles();
  const checks: Accuracy['checks'][number][] = [];
  for (const file of readdirSync(join(SHARED_DEVICES, 'truth')).toSorted()) {
    const name = file.replace(/\.json$/, '');
    if (!matchesGlob(name, glob)) continue;
    const truth = JSON.parse(readFileSync(join(SHARED_DEVICES, 'truth', file), 'utf8')) as Truth;
    const { reading } = await readRecording(
      library,
      recordingOf(join(SHARED_DEVICES, 'recordings', `${name}.snmprec`)),
    );
    const { identity, groups } = reading;
    const readings = groups.flatMap((group) => group.readings);
    const profile = identity?.profile ?? 'none';
    checks.push(...compare(truth, { identity, readings }).map((check) => ({ ...check, name, profile })));
  }
  return { checks };
}

/** Right and checked values of an area. */
export function share({ checks }: Accuracy, area: string): { readonly right: number; readonly of: number } {
  const own = checks.filter((check) => check.area === area);
  return { right: own.filter(({ right }) => right).length, of: own.length };
}

export function accuracyTable(accuracy: Accuracy): string {
  return CHECKED_AREAS.map((area) => {
    const { right, of } = share(accuracy, area);
    const percent = of === 0 ? '' : `${((right / of) * 100).toFixed(1)} %`;
    return `${area.padEnd(16)} ${`${right}/${of}`.padStart(9)} ${percent.padStart(8)}`;
  }).join('\n');
}

export function missLines({ checks }: Accuracy, area?: string): readonly string[] {
  return checks
    .filter((check) => !check.right && (area === undefined || check.area === area || check.area.startsWith(area)))
    .map(
      ({ area: where, name, profile, what, expected, got }) =>
        `${where} ${name} [${profile}] ${what}: expected ${expected}, got ${got}`,
    );
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { name: { type: 'string' }, area: { type: 'string' }, misses: { type: 'boolean', default: false } },
  });
  if (!existsSync(SHARED_DEVICES)) {
    console.error(`there are no recorded devices at ${SHARED_DEVICES}`);
    process.exit(1);
  }
  const accuracy = await measureAccuracy(values.name);
  if (values.misses || values.area !== undefined || values.name !== undefined) {
    for (const line of missLines(accuracy, values.area)) console.log(line.slice(0, 400));
  }
  console.log(accuracyTable(accuracy));
}
