/** A site of recorded devices: each an SNMP agent on loopback that serves the synthetic recording of a profile. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseRecording } from '#collectors/snmp/recording.ts';
import { SimulatedAgent } from '#daemon/demo/agent.ts';
import { ObjectTree } from '#daemon/demo/object-tree.ts';

const RECORDINGS = join(import.meta.dirname, '../profiles/recordings');

export interface ExpectedReading {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | string;
}

export interface RecordedDevice {
  /** Also its name in the config. */
  readonly recording: string;
  readonly agent: SimulatedAgent;
  /** What stands beside the recording; large counters may be written as text. */
  readonly expected: {
    readonly device: Readonly<Record<string, string | null>>;
    readonly readings: readonly ExpectedReading[];
  };
}

export interface RecordedSite extends AsyncDisposable {
  readonly devices: readonly RecordedDevice[];
  /** For the config, under the credential `office`. */
  readonly settings: readonly Readonly<Record<string, unknown>>[];
}

export const COMMUNITY = 'recorded';
export const CREDENTIALS = { office: { version: '2c', community: COMMUNITY } } as const;

/** Twenty devices of all classes, by the names of their recordings. */
export const TWENTY = [
  'fortinet-fortigate',
  'palo-alto-pan-os',
  'sonicwall',
  'mikrotik-routeros',
  'cisco-ios',
  'hp-procurve',
  'aruba-cx',
  'juniper-ex',
  'ubiquiti-unifi-ap',
  'net-snmp-linux',
  'windows',
  'vmware-esxi',
  'dell-idrac',
  'synology-dsm',
  'qnap',
  'apc-ups',
  'eaton-ups',
  'kyocera',
  'hp-laserjet',
  'brother',
] as const;

/** Starts an agent per recording on free ports of 127.0.0.1. */
export async function startRecordedSite(recordings: readonly string[] = TWENTY): Promise<RecordedSite> {
  const devices: RecordedDevice[] = [];
  for (const recording of recordings) {
    const { varbinds } = parseRecording(readFileSync(join(RECORDINGS, `${recording}.snmprec`), 'utf8'));
    const agent = await SimulatedAgent.start({ objects: new ObjectTree(varbinds), community: COMMUNITY });
    const expected = JSON.parse(readFileSync(join(RECORDINGS, `${recording}.json`), 'utf8'));
    devices.push({ recording, agent, expected });
  }
  return {
    devices,
    settings: devices.map(({ recording, agent }) => ({
      name: recording,
      address: agent.address,
      port: agent.port,
      credentials: ['office'],
      checks: ['snmp'],
    })),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(devices.map(({ agent }) => agent.close()));
    },
  };
}
