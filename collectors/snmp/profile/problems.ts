/** What went wrong while a device was read, in words that a technician can act on. */
import type { Problem } from '#collectors/contract.ts';
import type { PartialWalk } from '../agent.ts';
import type { RefusedValue } from './output.ts';

const REASONS: Readonly<Record<PartialWalk['reason'], string>> = {
  'not-increasing': 'the agent did not go forward',
  'too-many-rows': 'it has too many rows',
  'too-many-bytes': 'it is too large',
  'out-of-time': 'the time was over',
  'no-answer': 'the agent stopped answering',
  'too-big': 'the agent calls even one row too big',
};

export function unknownDevice(): Problem {
  return {
    code: 'PROFILE_NONE',
    message: 'no profile fits the device',
    hint: 'record it with `siteward profiles record ADDRESS` and write a profile (docs/profiles.md)',
  };
}

export function partialProblems(partial: readonly PartialWalk[]): readonly Problem[] {
  const reasons = Map.groupBy(partial, ({ reason }) => reason);
  return [...reasons].map(([reason, walks]) => ({
    code: 'SNMP_PARTIAL',
    message: `${walks.length === 1 ? 'a column was' : `${walks.length} columns were`} read in part, for ${REASONS[reason]}: ${walks
      .slice(0, 3)
      .map(({ column }) => column)
      .join(', ')}${walks.length > 3 ? ', …' : ''}`,
    hint: 'readings from it may be missing until the next poll; if it stays so, look at the agent and at the path to it',
  }));
}

export function refusalProblems(refused: readonly RefusedValue[]): readonly Problem[] {
  const metrics = Map.groupBy(refused, ({ metric }) => metric);
  return [...metrics].map(([metric, values]) => {
    const [first] = values;
    const more = values.length > 1 ? ` and ${values.length - 1} more` : '';
    return {
      code: 'PROFILE_VALUE_UNUSABLE',
      message: `${metric} cannot be made from ${JSON.stringify(first?.raw.slice(0, 60))} at ${first?.oid}${more}; it is absent`,
      hint: 'the agent sends something else than its MIB says; compare with the device and record it for a better profile',
    };
  });
}
