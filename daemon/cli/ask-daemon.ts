import { SitewardError } from '#config/errors.ts';
import type { LoadedConfig } from '#config/load.ts';

const PATIENCE = 10_000;

/**
 * Lets the daemon that runs beside this terminal write something down, as somebody who calls its API would.
 * @throws SitewardError `NO_DAEMON` when none answers, `refusal` when it does not take it
 */
export async function askDaemon(
  { config }: Pick<LoadedConfig, 'config'>,
  env: NodeJS.ProcessEnv,
  path: string,
  body: unknown,
  refusal: string,
): Promise<void> {
  const listen = config.http.listen.replace(/^(0\.0\.0\.0|\[::\]):/, '127.0.0.1:');
  const url = `${config.http.tls ? 'https' : 'http'}://${listen}`;
  const token = env['SITEWARD_TOKEN'];
  let response: Response;
  try {
    response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
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
  if (response.ok) return;
  const answer = (await response.json().catch(() => ({}))) as { readonly title?: string; readonly detail?: string };
  throw new SitewardError(
    refusal,
    answer.title ?? `the daemon answers ${response.status}`,
    answer.detail ?? 'give a token of an operator in SITEWARD_TOKEN',
  );
}
