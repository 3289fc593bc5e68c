import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SitewardError } from '#config/errors.ts';
import type { LoadedConfig } from '#config/load.ts';
import type { TlsFiles } from '../server.ts';

/** Reads the files that `http.tls` names. @throws SitewardError `HTTP_TLS` */
export function tlsFiles({ config, folder }: LoadedConfig): TlsFiles {
  const { tls } = config.http;
  const read = (path = '') => {
    try {
      return readFileSync(resolve(folder, path), 'utf8');
    } catch (error) {
      throw new SitewardError(
        'HTTP_TLS',
        `the file ${path} of http.tls cannot be read: ${error instanceof Error ? error.message : error}`,
        'write the paths of a certificate chain and its key in PEM, relative to the config file',
        { cause: error },
      );
    }
  };
  return { cert: read(tls?.certificate), key: read(tls?.key) };
}
