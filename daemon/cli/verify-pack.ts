import { createLogger } from '../log.ts';
import { checkPack } from '../meters/pack-check.ts';
import { plain } from './readings-text.ts';
import { EXIT, type RunVerb, textOption } from './verb.ts';

/** Needs the pack and nothing else: no config, no ledger, no network. */
export const verifyPack: RunVerb = async (io, _args, options) => {
  const path = textOption(options, 'pack') ?? '';
  const { checked, faults, manifest, fingerprint } = await checkPack(path, createLogger('error', process.stderr));
  const ok = faults.length === 0;
  if (options.json) {
    io.out(`${JSON.stringify({ ok, checked, signed_with: fingerprint, site: manifest.site, faults }, null, 2)}\n`);
  } else {
    for (const [what, count] of Object.entries(checked)) io.out(`${what.replaceAll('_', ' ')}: ${count}\n`);
    for (const { what, where, message } of faults) io.out(`FAULT ${what}, ${plain(where)}: ${plain(message)}\n`);
    io.out(`signed with ${fingerprint}: compare it with what the sender told you by another way\n`);
    io.out(ok ? `${path} is whole: every figure follows from its evidence\n` : `${faults.length} faults in ${path}\n`);
  }
  return ok ? EXIT.done : EXIT.failed;
};
