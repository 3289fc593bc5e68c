import type { Observation, Target } from '#collectors/contract.ts';
import { plain, readingsText } from './readings-text.ts';
import type { CliIo } from './verb.ts';

/** One poll as a technician reads it: what it is, what it says, what is wrong and what to do. */
export function showObservation(
  io: CliIo,
  target: Pick<Target, 'address' | 'class'>,
  { identity, groups, requests, took, problems, evidence }: Observation,
): void {
  if (identity) {
    const what = [identity.vendor, identity.model].filter(Boolean).join(' ') || 'an unknown device';
    io.out(`${plain(what)} (${target.class ?? identity.class})\n`);
    const facts = {
      name: identity.sysName,
      serial: identity.serial,
      version: identity.version,
      profile: identity.profile,
      address: target.address,
    };
    for (const [label, value] of Object.entries(facts)) if (value) io.out(`  ${label.padEnd(8)} ${plain(value)}\n`);
    io.out('\n');
  }
  io.out(readingsText(groups.flatMap(({ readings }) => readings)));
  io.out(
    `\n${evidence.kind === 'answered' ? 'answered' : 'no answer'}: ${requests} requests in ${(took / 1000).toFixed(2)} s\n`,
  );
  for (const { message, hint } of problems) io.err(`! ${plain(message)}\n  ${plain(hint)}\n`);
}
