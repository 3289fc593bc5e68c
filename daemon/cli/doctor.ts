import { describeFault } from '#config/faults.ts';
import { loadConfig } from '#config/load.ts';
import { systemClock } from '../clock.ts';
import { checkClock } from '../doctor/clock.ts';
import { type Finding, warning } from '../doctor/finding.ts';
import { checkCredentials, checkNames, checkProfiles, checkRuntime, checkStorage, checkTools } from '../doctor/host.ts';
import { checkLedger, checkSpool } from '../doctor/ledgers.ts';
import { checkOutputs } from '../doctor/outputs.ts';
import { createLogger } from '../log.ts';
import { configPath } from './config-path.ts';
import { plain } from './readings-text.ts';
import { EXIT, type RunVerb } from './verb.ts';

export const run: RunVerb = async (io, _args, options) => {
  const loaded = loadConfig(configPath(options), io.env);
  const clock = systemClock;
  const log = createLogger('error', process.stderr);
  const settings = loaded.warnings.map((each) => warning('config', describeFault(each), 'mend it as it says'));
  const checked = await Promise.all([
    checkRuntime(),
    checkStorage(loaded),
    checkTools(loaded, clock, io.env),
    checkClock(clock),
    checkNames(loaded),
    checkProfiles(loaded),
    checkCredentials(loaded),
    checkOutputs(loaded, clock),
    checkLedger(loaded, log),
    checkSpool(loaded, clock, log, io.signal),
  ]);
  const findings: Finding[] = [...settings, ...checked.flat()];
  const ok = findings.every(({ state }) => state !== 'fault');
  if (options.json) io.out(`${JSON.stringify({ ok, findings }, null, 2)}\n`);
  else for (const finding of findings) io.out(line(finding));
  return ok ? EXIT.done : EXIT.failed;
};

function line({ check, state, message, advice }: Finding): string {
  return `${state.padEnd(8)}${plain(check)}: ${plain(message)}\n${advice === undefined ? '' : `        ${plain(advice)}\n`}`;
}
