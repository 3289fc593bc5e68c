import type { RemoteWriteOutputSettings } from '#config/schema.ts';
import { commonVerdict, type Dialect, excerpt, type Verdict } from '#daemon/spool/dialect.ts';
import type { Answer } from '#daemon/spool/transport.ts';
import { SERIES } from './format.ts';
import { snappy } from './snappy.ts';

/** Prometheus remote_write 1.0. `url` of the output is the whole address, such as http://prometheus:9090/api/v1/write. */
export function remoteWriteDialect(settings: RemoteWriteOutputSettings, now: () => number): Dialect {
  return {
    name: 'remote_write',
    format: SERIES,
    path: new URL(settings.url).search,
    headers: () => ({
      'x-prometheus-remote-write-version': '0.1.0',
      ...(settings.tenant !== undefined && { 'x-scope-orgid': settings.tenant }),
      ...authorization(settings),
    }),
    async encode(raw) {
      const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' };
      return { body: await snappy(raw), headers };
    },
    verdict: (answer, _records, doubtful) => remoteWriteVerdict(answer, doubtful, now()),
  };
}

function authorization({ token, user, password }: RemoteWriteOutputSettings): Readonly<Record<string, string>> {
  if (token) return { authorization: `Bearer ${token.reveal()}` };
  if (user === undefined) return {};
  const pair = `${user}:${password?.reveal() ?? ''}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** How Prometheus, Thanos (409) and Mimir say that a sample is behind the newest of its series, or too old. */
const OUT_OF_ORDER = /out[ -]of[ -](order|bounds)|too[ -]old|duplicate[ -](sample|timestamp)|timestamp-too-old/i;

export function remoteWriteVerdict(answer: Answer, doubtful: boolean, now: number): Verdict {
  const { status, headers, body } = answer;
  if (status >= 200 && status < 300) {
    const page = /html/i.test(headers['content-type'] ?? '') || body.trimStart().startsWith('<');
    if (!page) return { kind: 'written' };
    const hint = 'check url: something else than the receiver answers there, a portal or a proxy perhaps';
    return { kind: 'held', message: `it answers ${status} with a page`, hint };
  }
  if (OUT_OF_ORDER.test(body) && (status === 400 || status === 409 || status === 422 || status === 500)) {
    // Prometheus stores a request as a whole or not at all. The same samples, sent again because the answer was lost,
    // are behind themselves: it has them.
    if (doubtful) return { kind: 'written' };
    return { kind: 'refused', message: excerpt(body), unwanted: 'out_of_order' };
  }
  if (status === 404) {
    const hint = 'check url; a Prometheus takes samples only with --web.enable-remote-write-receiver';
    return { kind: 'held', message: `status 404: ${excerpt(body)}`, hint };
  }
  return commonVerdict(answer, now) ?? { kind: 'refused', message: `status ${status}: ${excerpt(body)}` };
}
