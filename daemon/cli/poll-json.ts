import type { Observation, Target } from '#collectors/contract.ts';
import { jsonNumber } from '../web/json.ts';

/** The contract's JSON of `poll`, also of `profiles test`. */
export function pollJson(
  target: Pick<Target, 'name' | 'address' | 'class'>,
  { identity, groups, requests, took, problems }: Observation,
): Record<string, unknown> {
  return {
    device: {
      name: target.name,
      address: target.address,
      class: target.class ?? identity?.class ?? null,
      vendor: identity?.vendor ?? null,
      model: identity?.model ?? null,
      serial: identity?.serial ?? null,
      version: identity?.version ?? null,
      sys_name: identity?.sysName ?? null,
      profile: identity?.profile ?? null,
    },
    readings: groups
      .flatMap(({ readings }) => readings)
      .map(({ metric, labels, value }) => ({ metric, labels, value: jsonNumber(value) })),
    requests,
    seconds: Math.round(took) / 1000,
    problems,
  };
}
