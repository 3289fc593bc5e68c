import type { OfficeDevice } from './device.ts';
import { backupStorage, domainController, fileServer, rackUps } from './machines.ts';
import { accessPoint, coreSwitch, firewallPair } from './network.ts';
import { colorMfp, labelPrinter, monoLaser } from './printers.ts';
import type { OfficeTime } from './time.ts';

/** Every device of the simulated office. */
export function office(time: OfficeTime): readonly OfficeDevice[] {
  return [
    ...firewallPair(time),
    coreSwitch(time),
    fileServer(time),
    domainController(time),
    colorMfp(time),
    monoLaser(time),
    labelPrinter(time),
    rackUps(time),
    backupStorage(time),
    accessPoint(time),
  ];
}
