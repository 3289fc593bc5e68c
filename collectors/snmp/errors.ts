/** What goes wrong between us and an SNMP agent, in words that a technician can act on. */
import { SitewardError } from '#config/errors.ts';

export type SnmpErrorCode =
  | 'SNMP_TIMEOUT'
  | 'SNMP_OUT_OF_TIME'
  | 'SNMP_NOT_SENT'
  | 'SNMP_UNKNOWN_USER'
  | 'SNMP_WRONG_AUTH_KEY'
  | 'SNMP_PROBABLY_WRONG_PRIVACY_KEY'
  | 'SNMP_DECRYPTION_ERROR'
  | 'SNMP_NOT_IN_TIME_WINDOW'
  | 'SNMP_UNSUPPORTED_SECURITY_LEVEL'
  | 'SNMP_UNKNOWN_CONTEXT'
  | 'SNMP_ENGINE_ID_CHANGES'
  | 'SNMP_VIEW_TOO_SMALL'
  | 'SNMP_NO_SUCH_OBJECT'
  | 'SNMP_TOO_BIG'
  | 'SNMP_GENERAL_ERROR';

export interface SnmpErrorOptions extends ErrorOptions {
  /** Whether the agent said anything at all: then the device is there, whatever else is wrong. */
  readonly answered: boolean;
}

export class SnmpError extends SitewardError {
  declare readonly code: SnmpErrorCode;
  readonly answered: boolean;

  constructor(code: SnmpErrorCode, message: string, hint: string, options: SnmpErrorOptions) {
    super(code, message, hint, options);
    this.answered = options.answered;
  }
}

/** Address and port as people write them. */
export function agentAt(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** What a silent agent means to the one who asks: in v1 and v2c a wrong community looks the same as no device. */
export function noAnswer(
  agent: string,
  details: { version: '1' | '2c' | '3'; tries: number; waited: number; elsewhere: string | undefined },
): SnmpError {
  const { version, tries, waited, elsewhere } = details;
  const from = elsewhere ? `, but ${elsewhere} sent an answer to the same request` : '';
  return new SnmpError(
    'SNMP_TIMEOUT',
    `no SNMP answer from ${agent} after ${tries} ${tries === 1 ? 'try' : 'tries'} in ${Math.round(waited)} ms${from}`,
    elsewhere
      ? `the agent seems to have several addresses: write ${elsewhere} as the address of the device`
      : version === '3'
        ? 'check that SNMP is enabled there, that its access list has this appliance and that nothing filters UDP 161'
        : `check that SNMP v${version} is enabled there, that the community matches, that its access list has this appliance and that nothing filters UDP 161`,
    { answered: false },
  );
}

export function notSent(agent: string, cause: unknown): SnmpError {
  return new SnmpError(
    'SNMP_NOT_SENT',
    `the request to ${agent} could not be sent: ${cause instanceof Error ? cause.message : cause}`,
    'check the network of this appliance: its link, its routes and its firewall',
    { answered: false, cause },
  );
}

export function outOfTime(agent: string, answered: boolean, cause: unknown): SnmpError {
  return new SnmpError(
    'SNMP_OUT_OF_TIME',
    `time was over before ${agent} had answered`,
    'if this repeats, give this device a longer interval or look for what slows down its agent',
    { answered, cause },
  );
}

/**
 * What the agent's report says (usmStats of RFC 3414, section 5; snmpUnknownContexts of RFC 3413). Undefined for a
 * counter that is not known.
 */
export function reported(agent: string, user: string, oid: string): SnmpError | undefined {
  const error = (code: SnmpErrorCode, message: string, hint: string) =>
    new SnmpError(code, message, hint, { answered: true });
  switch (oid) {
    case '1.3.6.1.6.3.15.1.1.1.0':
      return error(
        'SNMP_UNSUPPORTED_SECURITY_LEVEL',
        `${agent} does not take user ${user} at this security level`,
        'compare level, auth and privacy of the credential with what is set up for this user on the device',
      );
    case '1.3.6.1.6.3.15.1.1.2.0':
      return error(
        'SNMP_NOT_IN_TIME_WINDOW',
        `${agent} keeps saying that our messages are outside its time window`,
        'its engine boots or engine time do not hold still: restart its SNMP agent, or check whether two devices share the address',
      );
    case '1.3.6.1.6.3.15.1.1.3.0':
      return error(
        'SNMP_UNKNOWN_USER',
        `${agent} does not know the user ${user}`,
        'create this user on the device or correct `user` in the credential; upper and lower case matter',
      );
    case '1.3.6.1.6.3.15.1.1.4.0':
      return error(
        'SNMP_ENGINE_ID_CHANGES',
        `${agent} keeps changing its engine ID`,
        'check whether two devices share the address; an agent that makes a new engine ID for each request cannot be asked by v3',
      );
    case '1.3.6.1.6.3.15.1.1.5.0':
      return error(
        'SNMP_WRONG_AUTH_KEY',
        `${agent} knows the user ${user} but not this authentication key`,
        'correct `auth.key` or `auth.protocol` in the credential: the two ends do not agree',
      );
    case '1.3.6.1.6.3.15.1.1.6.0':
      return error(
        'SNMP_DECRYPTION_ERROR',
        `${agent} cannot decrypt what user ${user} sends`,
        'correct `privacy.key` or `privacy.protocol` in the credential: the two ends do not agree',
      );
    case '1.3.6.1.6.3.12.1.5.0':
      return error(
        'SNMP_UNKNOWN_CONTEXT',
        `${agent} does not know the context of the credential`,
        'correct `context` in the credential, or leave it out for the default context',
      );
    default:
      return undefined;
  }
}

/** A wrong privacy key is met with silence: it shows only by what still answers without privacy. */
export function probablyWrongPrivacyKey(agent: string, user: string): SnmpError {
  return new SnmpError(
    'SNMP_PROBABLY_WRONG_PRIVACY_KEY',
    `${agent} accepts the authentication of user ${user} but stays silent once messages are encrypted`,
    'correct `privacy.key` or `privacy.protocol` in the credential (aes256 and aes256_cisco differ with md5 and sha)',
    { answered: true },
  );
}

export function unknownContext(agent: string, context: string): SnmpError {
  return new SnmpError(
    'SNMP_UNKNOWN_CONTEXT',
    `${agent} answers in the default context but not in the context ${context}`,
    'correct `context` in the credential, or leave it out for the default context',
    { answered: true },
  );
}

/** It told its engine ID and then said nothing: there, but not to be read. */
export function silentTo(agent: string, user: string, cause: SnmpError): SnmpError {
  return new SnmpError(
    'SNMP_TIMEOUT',
    `${agent} tells its engine ID but does not answer the requests of user ${user}`,
    'check on the device that this user may read, from this appliance and at this security level',
    { answered: true, cause },
  );
}

export function unknownReport(agent: string): SnmpError {
  return new SnmpError(
    'SNMP_GENERAL_ERROR',
    `${agent} answers with a report of an unknown kind`,
    'restart its SNMP agent or update its firmware',
    { answered: true },
  );
}

/** What an error-status (RFC 3416, section 3) means when nothing could be read because of it. */
export function refused(agent: string, status: number): SnmpError {
  const error = (code: SnmpErrorCode, message: string, hint: string) =>
    new SnmpError(code, message, hint, { answered: true });
  switch (status) {
    case 1:
      return error(
        'SNMP_TOO_BIG',
        `${agent} says tooBig even to the smallest question`,
        'its limit on message size is set too low: raise it on the device, or update its firmware',
      );
    case 2:
      return error(
        'SNMP_NO_SUCH_OBJECT',
        `${agent} has none of the objects that were asked for`,
        'check that the right profile is used, and the view of this community or user on the device',
      );
    case 6:
    case 16:
      return error(
        'SNMP_VIEW_TOO_SMALL',
        `${agent} refuses access to what was asked`,
        'give this community or user read access on the device; for v3 also compare the security level asked for there',
      );
    default:
      return error(
        'SNMP_GENERAL_ERROR',
        `${agent} answers with error-status ${status} and nothing else`,
        'restart its SNMP agent or update its firmware; it answers, but gives no values',
      );
  }
}

/** Every agent has sysObjectID and sysUpTime (RFC 3418); where they are missing, they are hidden. */
export function viewTooSmall(agent: string): SnmpError {
  return new SnmpError(
    'SNMP_VIEW_TOO_SMALL',
    `${agent} answers but shows none of what was asked, not even the system group`,
    'give this community or user a read view of 1.3.6.1 (at least 1.3.6.1.2.1 and the vendor branch) on the device',
    { answered: true },
  );
}
