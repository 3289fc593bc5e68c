/** Is everything on this machine that siteward needs? */
import { lookup } from 'node:dns/promises';
import { access, constants, mkdir, statfs } from 'node:fs/promises';
import { isIP } from 'node:net';
import { delimiter } from 'node:path';
import type { Clock, Milliseconds, Target } from '#collectors/contract.ts';
import { createIcmpCollector } from '#collectors/icmp/collector.ts';
import { findExecutable } from '#collectors/icmp/tool.ts';
import { describeFault } from '#config/faults.ts';
import type { LoadedConfig } from '#config/load.ts';
import { profileLibrary } from '../profile-library.ts';
import { storageDirectory } from '../storage.ts';
import { assertSqliteVersion } from '../store/database-file.ts';
import { type Finding, fault, good, messageOf, warning } from './finding.ts';

const PATIENCE = 5_000 as Milliseconds;
/** Above this, one ping process per probe is too much for a small box. */
const MOST_BY_PING = 200;
const ITSELF: Target = { name: 'this machine', address: '127.0.0.1', snmpPort: 161, tcpPorts: [], credentials: [] };

export function checkRuntime(): Finding[] {
  const node = good(
    'runtime',
    `Node.js ${process.versions.node}, SQLite ${process.versions.sqlite ?? 'of unknown version'}`,
  );
  try {
    assertSqliteVersion();
    return [node];
  } catch (error) {
    return [fault('runtime', messageOf(error), 'use the Node.js that `npm ci` brings (scripts/siteward does)')];
  }
}

export async function checkStorage(loaded: LoadedConfig): Promise<Finding[]> {
  const directory = storageDirectory(loaded);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await access(directory, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(directory);
    const free = bavail * bsize;
    const shown = `${Math.round(free / 1e6)} MB free in ${directory}`;
    if (free > loaded.config.storage.free_floor) return [good('storage', shown)];
    return [
      fault(
        'storage',
        `${shown}, below storage.free_floor: only the ledgers are still written`,
        'make room on that disk, or name another storage.directory',
      ),
    ];
  } catch (error) {
    return [
      fault(
        'storage',
        `${directory} cannot be written: ${messageOf(error)}`,
        'give it to the user that siteward runs as, or name another storage.directory',
      ),
    ];
  }
}

export async function checkTools({ config }: LoadedConfig, clock: Clock, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const findings = [await checkEcho(config.devices.length, clock)];
  if (config.discovery.ranges.some(({ nmap }) => nmap)) {
    const found = await findExecutable('nmap', [...(env.PATH ?? '').split(delimiter), '/usr/bin'].join(delimiter));
    findings.push(
      found === undefined
        ? fault('nmap', 'a range asks for nmap, and it is not installed', 'apt-get install nmap, or write nmap: false')
        : good('nmap', found),
    );
  }
  return findings;
}

/** A round to this machine itself tells whether the tool may send at all. */
async function checkEcho(devices: number, clock: Clock): Promise<Finding> {
  const check = 'echo requests';
  const icmp = createIcmpCollector();
  try {
    const context = { clock, signal: clock.timeout(PATIENCE) };
    const { tool, path, version, why, hint = 'apt-get install fping' } = await icmp.describe(context);
    if (tool === 'none') return fault(check, why, hint);
    const [told] = await icmp.collect('alive', [ITSELF], context);
    const problem = told?.problems[0];
    if (problem) return fault(check, tool === 'fping' ? problem.message : `${why}; ${problem.message}`, problem.hint);
    if (told?.evidence.kind !== 'answered')
      return fault(check, `${path} sends, and not even this machine answers`, 'let ICMP through its own firewall');
    if (tool === 'fping') return good(check, `${path} ${version ?? ''} may send them`);
    return warning(check, `${why}${devices > MOST_BY_PING ? ': too slow for so many devices' : ''}`, hint);
  } finally {
    await icmp.close();
  }
}

/** Names that the config uses: a resolver that is away would make their devices unknown and their outputs silent. */
export async function checkNames({ config }: LoadedConfig): Promise<Finding[]> {
  const outputs = [...config.outputs.influx, ...config.outputs.remote_write].map(({ url }) => new URL(url).hostname);
  const names = new Set(
    [...config.devices.map(({ address }) => address), ...outputs].filter(
      (host) => isIP(host.replace(/^\[|\]$/g, '')) === 0,
    ),
  );
  return await Promise.all(
    [...names].map(async (name) => {
      try {
        return good('dns', `${name} is ${(await lookup(name)).address}`);
      } catch (error) {
        return fault(
          'dns',
          `${name} cannot be resolved: ${messageOf(error)}`,
          'check the name and the resolver of this machine, or write an address',
        );
      }
    }),
  );
}

export async function checkProfiles(loaded: LoadedConfig): Promise<Finding[]> {
  const { faults } = await profileLibrary(loaded);
  if (faults.length === 0) return [good('profiles', 'all device profiles can be read')];
  return faults.map((each) =>
    fault('profiles', describeFault(each), 'mend the profile; until then its devices are read as generic ones'),
  );
}

/** Credentials that anybody on the network knows or can listen to. */
export function checkCredentials({ config }: LoadedConfig): Finding[] {
  return Object.entries(config.credentials).map(([name, credential]) => {
    const check = `credential ${name}`;
    if (credential.version !== '3') {
      const known = ['public', 'private'].includes(credential.community.reveal());
      if (known)
        return warning(
          check,
          'is a community that every scanner tries',
          'set a community of your own on the devices, or better a v3 user',
        );
      return warning(
        check,
        `SNMP v${credential.version} sends its community in the clear`,
        'use a v3 user with auth_priv where the device has one',
      );
    }
    if (credential.level !== 'auth_priv') return warning(check, 'does not encrypt', 'use level auth_priv');
    if (credential.auth?.protocol === 'md5' || credential.privacy?.protocol === 'des')
      return warning(
        check,
        'uses MD5 or DES, which no longer protect',
        'use sha256 and aes128 where the device has them',
      );
    return good(check, 'SNMP v3, authenticated and encrypted');
  });
}
