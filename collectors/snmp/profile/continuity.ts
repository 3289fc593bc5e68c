/**
 * Whether an agent went on between two reads or started anew. sysUpTime and hrSystemUptime count hundredths of a second
 * in 32 bits (TimeTicks, RFC 2578) and begin again after 497 days: a fall alone proves nothing.
 */
import type { Monotonic } from '#collectors/contract.ts';
import type { Oid, Varbind } from '../agent.ts';
import { SYS_UP_TIME } from './recognise.ts';

/** Seconds since the engine last started; set back whenever snmpEngineBoots rises (RFC 3411). Does not turn for 68 years. */
const SNMP_ENGINE_TIME = '1.3.6.1.6.3.10.2.1.3.0';
const HR_SYSTEM_UPTIME = '1.3.6.1.2.1.25.1.1.0';

const TURN = 2 ** 32;
const TICKS_PER_SECOND = 100;
/** How far two clocks may be apart, in seconds: what an answer may take, and beside it what they drift. */
const SLACK = 30;
const DRIFT = 0.001;

/** The clocks of a device and ours at one moment. What it did not tell is undefined. */
export interface Clocks {
  /** When it was asked; undefined for a device that is read once. */
  readonly at: Monotonic | undefined;
  /** sysUpTime in hundredths of a second. */
  readonly upTime: number | undefined;
  /** hrSystemUptime in hundredths of a second. */
  readonly hostUpTime: number | undefined;
  /** snmpEngineTime in seconds. */
  readonly engineTime: number | undefined;
}

export type Continuity = 'continued' | 'wrapped' | 'restarted';

/** What happened between two reads of a device. */
export interface Course {
  /**
   * `unsure`: the device did not tell, or only its agent started anew while the host went on. What counts there may or
   * may not have begun at 0.
   */
  readonly kind: 'continued' | 'unsure' | 'restarted';
  /** Whether the agent started anew, be it alone or with its host. */
  readonly agentRestarted: boolean;
  /** Seconds between the two reads by the device's clock; undefined unless it went on. */
  readonly elapsed: number | undefined;
  /** Seconds between them by whichever clock is known not to have turned. */
  readonly reference: number | undefined;
}

export function clocksOf(scalars: ReadonlyMap<Oid, Varbind>, at: Monotonic | undefined): Clocks {
  const number = (oid: Oid) => {
    const value = scalars.get(oid)?.value;
    return typeof value === 'number' && value >= 0 ? value : undefined;
  };
  return {
    at,
    upTime: number(SYS_UP_TIME),
    hostUpTime: number(HR_SYSTEM_UPTIME),
    engineTime: number(SNMP_ENGINE_TIME),
  };
}

/**
 * Whether TimeTicks went on from `before` to `now`. A fall is the turn at 497 days only if the ticks past it are the time
 * that passed; otherwise the clock was set back.
 * @param reference seconds that passed by another clock; where there is none, no fall is taken for a turn.
 */
export function continuityOf(before: number, now: number, reference: number | undefined): Continuity {
  if (now >= before) {
    const passed = reference === undefined ? 0 : reference - slackOf(reference);
    // It is up for less time than passed since it was asked last: it started in between.
    return now / TICKS_PER_SECOND < passed ? 'restarted' : 'continued';
  }
  if (reference === undefined) return 'restarted';
  const past = (now - before + TURN) / TICKS_PER_SECOND;
  return Math.abs(past - reference) <= slackOf(reference) ? 'wrapped' : 'restarted';
}

function slackOf(seconds: number): number {
  return SLACK + seconds * DRIFT;
}

export function courseOf(before: Clocks | undefined, now: Clocks): Course {
  if (before?.upTime === undefined || now.upTime === undefined) {
    return { kind: 'unsure', agentRestarted: false, elapsed: undefined, reference: undefined };
  }
  const reference = passedSince(before, now);
  const continuity =
    reference !== undefined && reference < 0 ? 'restarted' : continuityOf(before.upTime, now.upTime, reference);
  if (continuity === 'restarted') {
    const kind = hostWentOn(before, now, reference) ? 'unsure' : 'restarted';
    return { kind, agentRestarted: true, elapsed: undefined, reference };
  }
  const ticks = now.upTime - before.upTime + (continuity === 'wrapped' ? TURN : 0);
  return { kind: 'continued', agentRestarted: false, elapsed: ticks / TICKS_PER_SECOND, reference };
}

/** By the engine's clock, which a restart sets back (negative then), else by ours. */
function passedSince(before: Clocks, now: Clocks): number | undefined {
  const own = before.at === undefined || now.at === undefined ? undefined : (now.at - before.at) / 1000;
  if (before.engineTime === undefined || now.engineTime === undefined) return own;
  const engine = now.engineTime - before.engineTime;
  // An engine whose clock stands still tells nothing.
  return engine === 0 ? own : engine;
}

function hostWentOn(before: Clocks, now: Clocks, reference: number | undefined): boolean {
  if (before.hostUpTime === undefined || now.hostUpTime === undefined) return false;
  const passed = reference === undefined || reference < 0 ? undefined : reference;
  return continuityOf(before.hostUpTime, now.hostUpTime, passed) !== 'restarted';
}
