/** Which NTP servers this machine takes its time from, by the files of whatever keeps its clock. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TimeServer } from './sntp.ts';

const CHRONY = ['etc/chrony/chrony.conf', 'etc/chrony.conf'];
const CHRONY_MORE = ['etc/chrony/conf.d', 'etc/chrony/sources.d', 'run/chrony-dhcp'];
const NTPD = ['etc/ntpsec/ntp.conf', 'etc/ntp.conf', 'etc/openntpd/ntpd.conf'];
const TIMESYNCD = ['etc/systemd/timesyncd.conf', 'run/systemd/netif/state'];
const TIMESYNCD_MORE = ['etc/systemd/timesyncd.conf.d', 'usr/lib/systemd/timesyncd.conf.d'];

/** Those of the first keeper that names any. `root` is `/`. */
export async function timeServers(root: string): Promise<readonly TimeServer[]> {
  for (const [files, folders, read] of [
    [CHRONY, CHRONY_MORE, serverLines],
    [NTPD, [], serverLines],
    [TIMESYNCD, TIMESYNCD_MORE, timesyncdServers],
  ] as const) {
    const servers = read(await contents(root, files, folders));
    if (servers.length > 0) return servers;
  }
  return [];
}

async function contents(root: string, files: readonly string[], folders: readonly string[]): Promise<string> {
  const inFolders = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(join(root, folder)).catch(() => [])).map((name) => join(folder, name)),
    ),
  );
  const texts = [...files, ...inFolders.flat()].map(
    async (file) => await readFile(join(root, file), 'utf8').catch(() => ''),
  );
  return (await Promise.all(texts)).join('\n');
}

/** `server NAME …`, `pool NAME …`, `servers NAME`; chrony lets a port follow. Clocks of ntpd's own have no address. */
export function serverLines(text: string): readonly TimeServer[] {
  return text.split('\n').flatMap((line) => {
    const [, host, rest = ''] = /^\s*(?:servers?|pool)\s+(?!127\.127\.)(\S+)(.*)$/i.exec(line) ?? [];
    if (host === undefined) return [];
    const port = /\sport\s+(\d+)/.exec(rest)?.[1];
    return [{ host, ...(port !== undefined && { port: Number(port) }) }];
  });
}

/** `NTP=`, or else `FallbackNTP=`, of which systemd keeps what it was built with as a comment in its file. */
export function timesyncdServers(text: string): readonly TimeServer[] {
  const values = (key: RegExp): readonly TimeServer[] =>
    text.split('\n').flatMap((line) =>
      (key.exec(line)?.[1] ?? '')
        .split(/\s+/)
        .filter((host) => host !== '')
        .map((host) => ({ host })),
    );
  const named = values(/^\s*NTP\s*=(.*)$/);
  return named.length > 0 ? named : values(/^#?\s*FallbackNTP\s*=(.*)$/);
}
