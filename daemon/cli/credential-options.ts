import { SitewardError } from '#config/errors.ts';
import type { LoadedConfig } from '#config/load.ts';
import type { Credential } from '#config/schema.ts';
import { Secret } from '#config/secret.ts';
import { plain } from './readings-text.ts';
import { type Options, textOption } from './verb.ts';

/** What `--community` or `--credentials` names; undefined where neither is written. */
export function credentialsFrom(options: Options, loaded: LoadedConfig | undefined): readonly Credential[] | undefined {
  const community = textOption(options, 'community');
  if (community !== undefined) return [{ name: 'command line', version: '2c', community: new Secret(community) }];
  const name = textOption(options, 'credentials');
  if (name === undefined) return undefined;
  const known = loaded?.config.credentials ?? {};
  const settings = Object.hasOwn(known, name) ? known[name] : undefined;
  if (settings) return [{ ...settings, name }];
  throw new SitewardError(
    'NO_SUCH_CREDENTIAL',
    `there is no ${JSON.stringify(plain(name))} under credentials`,
    `write one of: ${Object.keys(known).join(', ') || 'none is configured; use --community'}`,
  );
}

/** `--port`, the UDP port of SNMP agents. */
export function portOption(options: Options): number | undefined {
  const text = textOption(options, 'port');
  if (text === undefined) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new SitewardError('BAD_PORT', `--port ${plain(text)} is not a port`, 'write 1 to 65535');
}
