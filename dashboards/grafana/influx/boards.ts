/** The boards for who keeps the data in InfluxDB 1.x, or in a 2.x by its InfluxQL. */
import type { Board } from '../panels.ts';
import { availability } from './availability.ts';
import { device } from './device.ts';
import { print } from './print.ts';
import { site } from './site.ts';

export const influxBoards: readonly Board[] = [site, device, availability, print];
