import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { CollectContext, Milliseconds } from '../contract.ts';
import { defaultSearchPath, firstLine, runChild, startHint } from './child.ts';
import { FpingProber, fpingVersion } from './fping.ts';
import { PingProber } from './ping.ts';
import type { Prober } from './prober.ts';

const VERSION_LIMIT = 3000 as Milliseconds;

export interface IcmpOptions {
  /** Absolute path of fping; `ping` is then never used in its place. Left out: looked for on `searchPath`. */
  readonly fpingPath?: string;
  /** Folders in which fping and ping are looked for, divided by colons. Left out: PATH and the system's own. */
  readonly searchPath?: string;
}

/** What sends the echo requests, and why that; for `siteward doctor`. */
export interface IcmpDescription {
  readonly tool: 'fping' | 'ping' | 'none';
  readonly path?: string;
  readonly version?: string;
  /** One sentence. */
  readonly why: string;
  /** What would be better, where something would. */
  readonly hint?: string;
}

/** A tool that was found, or the lack of one. */
export interface IcmpTool {
  readonly description: IcmpDescription;
  readonly prober?: Prober;
}

/** Looks for fping, and for ping where there is no fping that runs. */
export async function findTool(options: IcmpOptions, context: CollectContext): Promise<IcmpTool> {
  const searchPath = options.searchPath ?? defaultSearchPath();
  const path = options.fpingPath ?? (await findExecutable('fping', searchPath));
  let whyNot: WhyNot = { why: 'fping is not installed', hint: startHint('ENOENT') };
  if (path !== undefined) {
    const version = await askVersion(path, context);
    if (version.known || options.fpingPath !== undefined) return fpingTool(path, version.text);
    whyNot = { why: `${path} does not run (${version.text})`, hint: startHint(version.code ?? '') };
  }
  return await pingTool(whyNot, searchPath);
}

/** The absolute path of a program, or nothing when no folder has one that this user may run. */
export async function findExecutable(name: string, searchPath: string): Promise<string | undefined> {
  for (const folder of searchPath.split(delimiter)) {
    if (!isAbsolute(folder)) continue; // an entry such as `.` would run whatever lies in the working directory
    const path = join(folder, name);
    const usable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return path;
  }
  return undefined;
}

interface WhyNot {
  readonly why: string;
  readonly hint: string;
}

interface VersionAnswer {
  readonly known: boolean;
  readonly text: string;
  /** Of the system, where that did not start it. */
  readonly code?: string;
}

async function askVersion(path: string, context: CollectContext): Promise<VersionAnswer> {
  const end = await runChild({ path, args: ['-v'], limit: VERSION_LIMIT, maxOutput: 16_384 }, context);
  switch (end.kind) {
    case 'exited': {
      const version = fpingVersion(`${end.stdout}\n${end.stderr}`);
      return version === undefined
        ? { known: false, text: `it says: ${firstLine(`${end.stdout}\n${end.stderr}`)}` }
        : { known: true, text: version };
    }
    case 'not-started':
      return { known: false, text: end.code, code: end.code };
    case 'signalled':
      return { known: false, text: `ended by ${end.signal}` };
    case 'stopped':
      return { known: false, text: 'it does not end' };
    default:
      return end satisfies never;
  }
}

function fpingTool(path: string, version: string): IcmpTool {
  return {
    description: { tool: 'fping', path, version, why: `${path} is there and sends a round in one process` },
    prober: new FpingProber(path),
  };
}

async function pingTool({ why, hint }: WhyNot, searchPath: string): Promise<IcmpTool> {
  const ipv4 = await findExecutable('ping', searchPath);
  if (ipv4 === undefined) {
    return { description: { tool: 'none', why: `${why}, and there is no ping either`, hint } };
  }
  const ipv6 = (await findExecutable('ping6', searchPath)) ?? ipv4;
  return {
    description: {
      tool: 'ping',
      path: ipv4,
      why: `${why}; ping takes a process per device and round, which is enough for about 200 devices`,
      hint,
    },
    prober: new PingProber({ ipv4, ipv6 }),
  };
}
