import { SitewardError } from '#config/errors.ts';
import type { Config } from '#config/schema.ts';

/** Where the daemon's API is, by the config that names it. */
type Http = Pick<Config['http'], 'listen' | 'tls'>;

/** Of a daemon that is asked without a config. */
export const DEFAULT_HTTP: Http = { listen: '127.0.0.1:9720' };

const PATIENCE = 10_000;

/**
 * Asks the daemon that runs beside this terminal, as somebody who calls its API would. With a body it is to write something
 * down.
 * @param refusal code of the error where it answers and will not
 * @throws SitewardError `NO_DAEMON` when none answers
 */
export async function callDaemon(
  http: Http,
  env: NodeJS.ProcessEnv,
  path: string,
  { body, refusal }: { readonly body?: unknown; readonly refusal: string },
): Promise<unknown> {
  const listen = http.listen.replace(/^(0\.0\.0\.0|\[::\]):/, '127.0.0.1:');
  const url = `${http.tls ? 'https' : 'http'}://${listen}`;
  const token = env['SITEWARD_TOKEN'];
  let response: Response;
  try {
    response = await fetch(`${url}${path}`, {
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch (error) {
    throw new SitewardError(
      'NO_DAEMON',
      `no daemon answers at ${url}`,
      'start it with `siteward run`, or name its config with --config',
      { cause: error },
    );
  }
  const answer: unknown = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const { title, detail } = answer as { readonly title?: string; readonly detail?: string };
  throw new SitewardError(
    refusal,
    title ?? `the daemon answers ${response.status}`,
    detail ?? 'give a token of an operator in SITEWARD_TOKEN',
  );
}
