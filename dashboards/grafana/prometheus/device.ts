import type { Board, Section } from '../panels.ts';
import { deviceOf, VARIABLES } from '../promql.ts';
import {
  fileSystems,
  firewall,
  load,
  loadAverage,
  paper,
  ports,
  power,
  powerOverEthernet,
  reachability,
  sensors,
  standing,
  vpn,
  wireless,
} from './device-parts.ts';
import { outages } from './shared.ts';

/** One board per class: what is read of a printer is nothing that a firewall has. */
const CLASSES: Readonly<Record<string, { readonly title: string; readonly parts: readonly Section[] }>> = {
  firewall: { title: 'Firewall', parts: [firewall, vpn, ports, load, sensors] },
  server: { title: 'Server', parts: [load, fileSystems, ports, sensors, loadAverage] },
  switch: { title: 'Switch', parts: [ports, load, powerOverEthernet, sensors] },
  printer: { title: 'Printer', parts: [paper] },
  ups: { title: 'UPS', parts: [power, sensors] },
  nas: { title: 'NAS', parts: [fileSystems, load, sensors, ports] },
  ap: { title: 'Access point', parts: [wireless, load, ports] },
  other: { title: 'Other device', parts: [load, ports, sensors] },
};

export const deviceBoards: readonly Board[] = Object.entries(CLASSES).map(([name, { title, parts }]) => ({
  uid: `siteward-device-${name}`,
  title: `siteward / Device / ${title}`,
  description: `One device of the class ${name}.`,
  language: 'promql',
  variables: [VARIABLES.client, VARIABLES.site, deviceOf(name)],
  from: 'now-24h',
  refresh: '30s',
  annotations: [outages('device')],
  sections: [standing, ...parts, reachability],
}));
