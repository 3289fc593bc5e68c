import { type ChildEnd, firstLine, startHint } from './child.ts';
import { couldNotTell, type EchoResult } from './prober.ts';

/** What it means for the addresses asked that the tool did not come to its own end. */
export function childFault(end: Exclude<ChildEnd, { kind: 'exited' }>, path: string): EchoResult {
  switch (end.kind) {
    case 'not-started':
      return couldNotTell('ICMP_TOOL_NOT_STARTED', `${path} cannot be started (${end.code})`, startHint(end.code));
    case 'signalled':
      return couldNotTell(
        'ICMP_TOOL_KILLED',
        `${path} was ended by ${end.signal}`,
        'look in the system log for what ended it; often it is a shortage of memory',
      );
    case 'stopped':
      return stopFault(end.because, path);
    default:
      return end satisfies never;
  }
}

/** A tool ended by itself and brought nothing that can be used. */
export function refusalFault(said: string, path: string): EchoResult {
  const line = firstLine(said);
  if (/permi|root\?|run as root|privileg/i.test(line)) {
    return couldNotTell('ICMP_NO_PERMISSION', `${path} may not send echo requests: ${line}`, startHint('EPERM'));
  }
  if (/connect: |unreachable|invalid argument/i.test(line)) {
    return couldNotTell('ICMP_NO_ROUTE', `${path} found no way out: ${line}`, "check this machine's routes");
  }
  return couldNotTell('ICMP_TOOL_REFUSED', `${path} gave no result: ${line}`, `run ${path} by hand and see`);
}

function stopFault(because: 'limit' | 'output' | 'aborted', path: string): EchoResult {
  switch (because) {
    case 'aborted':
      return couldNotTell(
        'ICMP_INTERRUPTED',
        'the round of echo requests was broken off',
        'nothing, if siteward was stopping; else give the availability interval more time',
      );
    case 'limit':
      return couldNotTell('ICMP_TOOL_HANGS', `${path} did not end and was killed`, `run ${path} by hand and see`);
    case 'output':
      return couldNotTell(
        'ICMP_TOOL_FLOODS',
        `${path} printed without end and was killed`,
        `run ${path} by hand and see`,
      );
    default:
      return because satisfies never;
  }
}
