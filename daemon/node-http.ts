/**
 * Node's HTTP without what it has from browsers: whoever imports `node:http` by name makes Node look at all of its exports,
 * and those for WebSocket load a whole client, fourteen megabytes that a daemon would hold for years. TLS comes when it is
 * first needed.
 */
import type * as Http from 'node:http';
import type * as Https from 'node:https';

export type { Http, Https };

export const http: typeof Http = process.getBuiltinModule('node:http');

export function https(): typeof Https {
  return process.getBuiltinModule('node:https');
}
