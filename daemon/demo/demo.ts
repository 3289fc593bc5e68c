import type { Clock } from '#collectors/contract.ts';
import type { ConfigSettings } from '#config/schema.ts';
import { systemClock } from '../clock.ts';
import { SimulatedAgent } from './agent.ts';
import { ObjectTree } from './object-tree.ts';
import type { OfficeDevice } from './office/device.ts';
import { office } from './office/office.ts';
import { OfficeTime } from './office/time.ts';

/** A config as a person writes it, before defaults. */
export type ConfigInput = (typeof ConfigSettings)['_zod']['input'];

export interface DemoOptions {
  /** Gives up starting when it aborts. What runs ends by `close`, after the daemon that polls it. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  /** How many times as fast as the clock the office lives: 60 shows an hour of it in a minute. */
  readonly lapse?: number;
}

export interface Demo {
  /** For the daemon: the simulated devices with their credentials, SLAs and contract. */
  readonly config: ConfigInput;
  close(): Promise<void>;
}

const COMMUNITY = 'demo';
const USER = {
  name: 'monitor',
  auth: { protocol: 'sha256', key: 'demo-auth-key' },
  privacy: { protocol: 'aes128', key: 'demo-privacy-key' },
} as const;
const DEFAULT_LAPSE = 60;

/**
 * A small office of eleven devices on loopback, each an SNMP agent on an address and a port of its own, which the daemon
 * polls as it would real ones. Needs no privileges and nothing installed. Loopback answers echo requests for every
 * address, whatever the device does: it is there when its agent answers.
 */
export async function startDemo({ signal, clock = systemClock, lapse = DEFAULT_LAPSE }: DemoOptions): Promise<Demo> {
  signal.throwIfAborted();
  const devices = office(new OfficeTime(clock, lapse));
  const agents: SimulatedAgent[] = [];
  let closed: Promise<unknown> | undefined;
  const close = async (): Promise<void> => {
    closed ??= Promise.all(agents.map(async (agent) => await agent.close()));
    await closed;
  };
  try {
    for (const [n, device] of devices.entries()) agents.push(await startAgent(device, n + 1));
    signal.throwIfAborted();
  } catch (error) {
    await close();
    throw error;
  }
  return { config: configOf(devices, agents), close };
}

async function startAgent(device: OfficeDevice, number: number): Promise<SimulatedAgent> {
  const access = device.secure ? { user: USER } : { community: COMMUNITY };
  const options = { objects: new ObjectTree(device.objects), ...access };
  const agent = await SimulatedAgent.start({ ...options, address: `127.77.0.${number}` }).catch(
    async (error: unknown) => {
      // Not every system lets one listen on all of 127.0.0.0/8.
      if (error instanceof Error && 'code' in error && error.code === 'EADDRNOTAVAIL')
        return await SimulatedAgent.start(options);
      throw error;
    },
  );
  agent.silent = device.life.silent;
  return agent;
}

function configOf(devices: readonly OfficeDevice[], agents: readonly SimulatedAgent[]): ConfigInput {
  return {
    site: { id: 'demo-office', client: 'Demo Ltd', timezone: Intl.DateTimeFormat().resolvedOptions().timeZone },
    credentials: {
      office: { version: '2c', community: COMMUNITY },
      secure: { version: '3', user: USER.name, level: 'auth_priv', auth: USER.auth, privacy: USER.privacy },
    },
    devices: devices.flatMap((device, n) => {
      const agent = agents[n];
      if (!agent) return [];
      return {
        name: device.name,
        address: agent.address,
        port: agent.port,
        credentials: [device.secure ? 'secure' : 'office'],
        checks: ['snmp'],
        ...(device.parent === undefined ? {} : { parent: device.parent }),
        ...(device.sla === undefined ? {} : { sla: device.sla }),
      };
    }),
    polling: { availability: '5s', metrics: '15s', inventory: '10m' },
    slas: {
      gateway: { target: '99.9%' },
      servers: { target: '99.5%', service_hours: 'Mon-Fri 07:00-19:00', minimum_outage: '1m' },
    },
    contracts: {
      printing: {
        devices: ['mfp-*', 'laser-*'],
        meters: { mono: { as: 'Black and white', price: '0.012' }, color: { as: 'Colour', price: '0.065' } },
      },
    },
  };
}
