/**
 * How right siteward reads the recorded devices, area by area, and with `--udp` what that costs on the wire.
 *
 *     npx node test/profiles/accuracy.ts [--name GLOB] [--area AREA] [--misses] [--udp]
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { parseArgs } from 'node:util';
import type { Identity, ReadingGroup } from '#collectors/contract.ts';
import { readRecording, recordingOf, SHARED_DEVICES, shippedProfiles, WireReader } from './recordings.ts';
import { CHECKED_AREAS, type Check, compare, type Truth } from './truth.ts';

export interface Accuracy {
  readonly checks: readonly (Check & { readonly name: string; readonly profile: string })[];
  readonly costs: readonly DeviceCost[];
}

/** What the first full reading of a device and the poll after it cost. */
interface DeviceCost {
  readonly name: string;
  readonly class: string;
  readonly inventory: { readonly requests: number; readonly seconds: number };
  readonly metrics: { readonly requests: number; readonly seconds: number };
}

interface Read {
  readonly identity?: Identity;
  readonly groups: readonly ReadingGroup[];
}

/** Reads every recording whose name fits, and compares. */
export async function measureAccuracy({ glob = '*', udp = false } = {}): Promise<Accuracy> {
  const library = shippedProfiles();
  await using wire = new WireReader(library);
  const checks: Accuracy['checks'][number][] = [];
  const costs: DeviceCost[] = [];
  for (const file of readdirSync(join(SHARED_DEVICES, 'truth')).toSorted()) {
    const name = file.replace(/\.json$/, '');
    if (!matchesGlob(name, glob)) continue;
    const truth = JSON.parse(readFileSync(join(SHARED_DEVICES, 'truth', file), 'utf8')) as Truth;
    const recording = recordingOf(join(SHARED_DEVICES, 'recordings', `${name}.snmprec`));
    let read: Read;
    if (udp) {
      const { inventory, metrics } = await wire.readTwice(name, recording);
      read = inventory;
      const cost = ({ requests, took }: typeof inventory) => ({ requests, seconds: took / 1000 });
      costs.push({ name, class: truth.category, inventory: cost(inventory), metrics: cost(metrics) });
    } else {
      read = (await readRecording(library, recording)).reading;
    }
    const { identity, groups } = read;
    const readings = groups.flatMap((group) => group.readings);
    const profile = identity?.profile ?? 'none';
    checks.push(...compare(truth, { identity, readings }).map((check) => ({ ...check, name, profile })));
  }
  return { checks, costs };
}

/** Requests and seconds per class: median and most. */
export function costTable({ costs }: Accuracy): string {
  const line = (name: string, of: readonly DeviceCost[]) => {
    const figures = (pick: (cost: DeviceCost) => number) => {
      const sorted = of.map(pick).toSorted((a, b) => a - b);
      return `${format(sorted[Math.floor(sorted.length / 2)])} / ${format(sorted.at(-1))}`.padStart(18);
    };
    return `${name.padEnd(18)}${figures((cost) => cost.inventory.requests)}${figures((cost) => cost.inventory.seconds)}${figures((cost) => cost.metrics.requests)}${figures((cost) => cost.metrics.seconds)}`;
  };
  const format = (value = Number.NaN) => (Number.isInteger(value) ? String(value) : value.toFixed(3));
  const classes = [...Map.groupBy(costs, (cost) => cost.class)].toSorted(([a], [b]) => a.localeCompare(b));
  const head = `${'median / most'.padEnd(18)}${['first requests', 'seconds', 'poll requests', 'seconds'].map((text) => text.padStart(18)).join('')}`;
  return [head, ...classes.map(([name, of]) => line(name, of)), line('all', costs)].join('\n');
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
    options: {
      name: { type: 'string' },
      area: { type: 'string' },
      misses: { type: 'boolean', default: false },
      udp: { type: 'boolean', default: false },
    },
  });
  if (!existsSync(SHARED_DEVICES)) {
    console.error(`there are no recorded devices at ${SHARED_DEVICES}`);
    process.exit(1);
  }
  const accuracy = await measureAccuracy({ udp: values.udp, ...(values.name !== undefined && { glob: values.name }) });
  if (values.misses || values.area !== undefined || values.name !== undefined) {
    for (const line of missLines(accuracy, values.area)) console.log(line.slice(0, 400));
  }
  console.log(accuracyTable(accuracy));
  if (values.udp) console.log(`\n${costTable(accuracy)}`);
}
