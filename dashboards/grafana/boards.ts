/** Every board, and the files that Grafana is given. */
import { influxBoards } from './influx/boards.ts';
import { type Board, build } from './panels.ts';
import { availability } from './prometheus/availability.ts';
import { deviceBoards } from './prometheus/device.ts';
import { fleet } from './prometheus/fleet.ts';
import { interfaces } from './prometheus/interfaces.ts';
import { print } from './prometheus/print.ts';
import { site } from './prometheus/site.ts';
import { itself } from './prometheus/siteward.ts';
import { supplies } from './prometheus/supplies.ts';

export const BOARDS: readonly Board[] = [
  fleet,
  site,
  ...deviceBoards,
  availability,
  print,
  supplies,
  interfaces,
  itself,
  ...influxBoards,
];

/** File name to content, for `generated/`. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map(
    BOARDS.map((board) => [
      `${board.uid.replace(/^siteward-/, '')}.json`,
      `${JSON.stringify(build(board), null, 2)}\n`,
    ]),
  );
}
