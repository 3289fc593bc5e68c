import type { Problem } from '#collectors/contract.ts';
import { ownBroadcasts } from '#collectors/discovery/own-network.ts';
import { type ScanProgress, scan } from '#collectors/discovery/scan.ts';
import type { LoadedConfig } from '#config/load.ts';
import { contains, isSwept } from '#config/ranges.ts';
import { systemClock } from '../clock.ts';
import { type Decision, decide } from '../inventory/adoption.ts';
import { crowds, type Found, found } from '../inventory/found.ts';
import { type FoundRow, foundRow, isDevice } from '../inventory/found-json.ts';
import { matches } from '../inventory/match.ts';
import { type DeviceRecord, makeAndModel } from '../inventory/record.ts';
import { commandLineScope, knownFor } from '../inventory/scope.ts';
import { readTries, triesPath, writeTries } from '../inventory/tries-file.ts';
import { profileLibrary } from '../profile-library.ts';
import { configIfAny } from './config-if-any.ts';
import { credentialsFrom, portOption } from './credential-options.ts';
import { table } from './devices.ts';
import { adoptFound, knownDevices } from './discover-ledger.ts';
import { ProgressBar } from './progress-bar.ts';
import { plain } from './readings-text.ts';
import { type CliIo, EXIT, type RunVerb } from './verb.ts';

/** Scans ranges once, without the daemon. What it may contact is in `inventory/scope.ts`. */
export const run: RunVerb = async (io, ranges, options) => {
  const loaded = configIfAny(io, options);
  const credentials = credentialsFrom(options, loaded);
  const port = portOption(options);
  const { gate, targets } = commandLineScope({
    ranges,
    ...(loaded && { config: loaded.config }),
    ...(credentials && { credentials }),
    never: ownBroadcasts(),
  });
  const { library: profiles } = await profileLibrary(loaded);
  const known = await knownDevices(loaded, systemClock.wallNow());
  const path = triesPath(loaded, io.env);
  const tries = await readTries(path);
  const bar = new ProgressBar(io);
  const started = systemClock.monotonicNow();
  const result = await scan(
    {
      clock: systemClock,
      profiles,
      gate,
      targets,
      tries,
      known: targets
        .filter((target) => !isSwept(target))
        .flatMap((target) => knownFor(target, known, (address) => gate.allow(address) !== undefined)),
      ...(port !== undefined && { port }),
      sticky: (address, mac) => stickyCredential(known, address, mac),
      onProgress: (progress: ScanProgress) => bar.show(progress),
    },
    io.signal,
  );
  bar.end();
  await writeTries(path, tries, systemClock.wallNow());
  const seconds = Math.round(systemClock.monotonicNow() - started) / 1000;
  // Routers that were asked about their neighbours only are no part of the answer.
  const inside = result.sightings.filter(({ address }) => targets.some((target) => contains(target, address)));
  const devices = found(inside);
  const problems = [...result.problems, ...crowds(devices)];
  const { rows, decisions } = rowsOf(devices, known, loaded, options.adopt === true);
  if (options.adopt === true && result.complete) await adoptFound(io, { loaded, devices, decisions });
  const answering = devices
    .filter((each) => !isDevice(each))
    .flatMap(({ sightings }) => sightings.map((s) => s.address));
  const shown = { ranges: targets.map(({ text }) => text), found: rows, packets_sent: result.packets, seconds };
  if (options.json)
    io.out(`${JSON.stringify({ ...shown, complete: result.complete, answering, problems }, null, 2)}\n`);
  else show(io, rows, answering.length, { packets: result.packets, problems, seconds });
  if (!result.complete) io.err('the scan was stopped before its end\n');
  return result.complete ? EXIT.done : EXIT.failed;
};

function rowsOf(
  devices: readonly Found[],
  known: readonly DeviceRecord[],
  loaded: LoadedConfig | undefined,
  adopting: boolean,
): { readonly rows: FoundRow[]; readonly decisions: ReadonlyMap<string, Decision> } {
  const taken = new Set(known.flatMap(({ name }) => name ?? []));
  const decisions = new Map<string, Decision>();
  const rows = matches(devices.filter(isDevice), known).map(({ found: each, record }) => {
    if (record?.name !== undefined)
      return foundRow(each, record.name, { adopt: false, name: record.name, reason: 'it is known' });
    const address = each.sightings[0]?.address ?? '';
    const deviceClass = each.sightings.find(({ identity }) => identity)?.identity?.class;
    const decision = decide(
      { class: deviceClass, evidence: each.evidence, address },
      { mode: adopting ? modeOf(loaded) : 'yes', rules: loaded?.config.discovery.rules ?? [], taken },
    );
    decisions.set(address, decision);
    if (decision.adopt) taken.add(decision.name);
    return foundRow(each, undefined, {
      adopt: decision.adopt,
      name: decision.adopt ? decision.name : null,
      reason: decision.reason,
    });
  });
  return { rows, decisions };
}

/** `--adopt` is the yes of a person; rules, where there are any, still say how and what not. */
function modeOf(loaded: LoadedConfig | undefined): 'yes' | 'rules' {
  return loaded?.config.discovery.ranges.some(({ adopt }) => adopt === 'rules') ? 'rules' : 'yes';
}

/** Only while nothing shows that another device is there now. */
function stickyCredential(
  known: readonly DeviceRecord[],
  address: string,
  mac: string | undefined,
): string | undefined {
  const record = known.find(({ addresses }) => addresses[0] === address);
  const macs = record?.evidence.macs;
  if (mac !== undefined && macs && !macs.includes(mac)) return undefined;
  return record?.credential?.name;
}

function show(
  io: CliIo,
  rows: readonly FoundRow[],
  answering: number,
  { packets, problems, seconds }: { packets: number; problems: readonly Problem[]; seconds: number },
): void {
  const cells = rows.map((row) => [
    row.address,
    row.class ?? '?',
    makeAndModel({
      ...(row.vendor !== null && { vendor: row.vendor }),
      ...(row.model !== null && { model: row.model }),
    }),
    row.sys_name ?? row.names[0] ?? '',
    row.known_as ?? (row.adoption.adopt ? `new: ${row.adoption.name}` : 'new'),
    row.reason,
  ]);
  io.out(table(['ADDRESS', 'CLASS', 'WHAT IT IS', 'NAME', 'KNOWN AS', 'HOW IT WAS FOUND'], cells));
  io.err(
    `${rows.length} ${rows.length === 1 ? 'device' : 'devices'}, ${answering} ${answering === 1 ? 'address' : 'addresses'} that only answer echo requests, ${packets} packets, ${seconds.toFixed(1)} s\n`,
  );
  for (const { message, hint } of problems) io.err(`${plain(message)}\n  ${plain(hint)}\n`);
}
