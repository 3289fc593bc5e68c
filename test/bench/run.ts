/** `npm run bench [PART…]`: measures siteward beside the tools it is compared with, in one run, and prints a table. */
import { benchAvailability } from './availability.ts';
import { benchDiscovery } from './discovery.ts';
import { benchExposition } from './exposition.ts';
import { benchFootprint } from './footprint.ts';
import { benchIcmp } from './icmp.ts';
import { benchMeters } from './meters.ts';
import { benchOutage } from './outage.ts';
import { benchPage } from './page.ts';
import { benchProfiles } from './profiles.ts';
import { benchSnmp } from './snmp.ts';
import { type Figure, printTable } from './table.ts';

const PARTS: Readonly<Record<string, () => Promise<Figure[]>>> = {
  exposition: benchExposition,
  icmp: benchIcmp,
  snmp: benchSnmp,
  profiles: benchProfiles,
  footprint: benchFootprint,
  availability: benchAvailability,
  meters: () => benchMeters(),
  discovery: benchDiscovery,
  outage: benchOutage,
  page: benchPage,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0) {
  console.error(`no such part of the bench: ${unknown.join(', ')} (write any of ${Object.keys(PARTS).join(', ')})`);
  process.exit(2);
}
const figures: Figure[] = [];
for (const [name, bench] of Object.entries(PARTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`… ${name}`);
  figures.push(...(await bench()));
}
printTable(figures);
