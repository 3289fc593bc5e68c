/** What the tests need beside Node: the real servers and tools that siteward works with, from Debian. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

interface Need {
  readonly debianPackage: string;
  /** A command of the package; where it is there, so is the package. */
  readonly command: string;
  readonly what: string;
}

const NEEDS: readonly Need[] = [
  { debianPackage: 'snmpd', command: 'snmpd', what: 'a real SNMP agent' },
  { debianPackage: 'snmp', command: 'snmpget', what: 'the reference SNMP client' },
  { debianPackage: 'fping', command: 'fping', what: 'echo requests in rounds' },
  { debianPackage: 'iputils-ping', command: 'ping', what: 'single echo requests' },
  { debianPackage: 'nmap', command: 'nmap', what: 'port scans' },
  { debianPackage: 'iproute2', command: 'ip', what: 'network namespaces' },
  { debianPackage: 'influxdb', command: 'influxd', what: 'a real InfluxDB 1.x' },
  { debianPackage: 'victoria-metrics', command: 'victoria-metrics', what: 'a real VictoriaMetrics' },
  { debianPackage: 'prometheus', command: 'prometheus', what: 'a real Prometheus, and promtool' },
  { debianPackage: 'prometheus-snmp-exporter', command: 'prometheus-snmp-exporter', what: 'a second opinion on SNMP' },
  {
    debianPackage: 'prometheus-blackbox-exporter',
    command: 'prometheus-blackbox-exporter',
    what: 'a neighbour fed by http_sd',
  },
  { debianPackage: 'prometheus-alertmanager', command: 'prometheus-alertmanager', what: 'a real Alertmanager' },
  { debianPackage: 'poppler-utils', command: 'pdftotext', what: 'reading PDF reports back' },
  { debianPackage: 'strace', command: 'strace', what: 'kills at each fsync' },
  { debianPackage: 'tcpdump', command: 'tcpdump', what: 'proof of what was sent' },
  { debianPackage: 'chromium', command: 'chromium', what: 'the page in a browser' },
  { debianPackage: 'gcc', command: 'gcc', what: 'building the farm of agents for benchmarks' },
  { debianPackage: 'chrony', command: 'chronyd', what: 'a real NTP server' },
  { debianPackage: 'faketime', command: 'faketime', what: 'clocks that are set' },
];

const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];

function isThere(command: string): boolean {
  return FOLDERS.some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function apt(args: readonly string[]): boolean {
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const [command = '', ...rest] = [...asRoot, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args];
  return spawnSync(command, rest, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
}

/** Installs what is missing, if that is allowed here. @returns what is still missing, as lines for a person. */
export function installMissing(): string[] {
  let missing = NEEDS.filter(({ command }) => !isThere(command));
  if (missing.length > 0 && isThere('apt-get')) {
    const names = missing.map(({ debianPackage }) => debianPackage);
    console.log(`installing from Debian: ${names.join(' ')}`);
    // Only now: an old list of packages is the usual reason for a failed installation.
    if (apt(['update', '-qq'])) apt(['install', '-y', '-qq', '--no-install-recommends', ...names]);
    missing = NEEDS.filter(({ command }) => !isThere(command));
  }
  return missing.map(
    ({ debianPackage, command, what }) => `${command} is missing, for ${what}: apt-get install ${debianPackage}`,
  );
}
