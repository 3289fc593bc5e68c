import type { WallTime } from '#collectors/contract.ts';
import { SitewardError } from '#config/errors.ts';
import type { LoadedConfig } from '#config/load.ts';
import type { Secret } from '#config/secret.ts';
import { isoInstant, localTime } from '../calendar.ts';
import type { Notice } from './incident.ts';
import { sendMail } from './mail.ts';

/** Where notices go. A notice that was not taken is sent again. */
export interface Channel {
  readonly name: string;
  /** @throws SitewardError when the receiver did not take it */
  send(notice: Notice, id: number, signal: AbortSignal): Promise<void>;
  /** Receivers that forget what is not repeated are told all that is open, now and then. */
  refresh?(notices: readonly Notice[], signal: AbortSignal): Promise<void>;
}

const TIMEOUT = 15_000;
/** An Alertmanager takes an alert for over when it has not heard of it for this long. */
const ALERT_LASTS = 600_000;

/** The channels of a config. */
export function channelsOf({ config, folder }: LoadedConfig): Channel[] {
  const { notices, smtp, site } = config;
  return [
    ...notices.webhooks.map(
      ({ name, url, token }): Channel => ({
        name: `webhook:${name}`,
        send: (notice, id, signal) => post(url, token, { id, ...webhookBody(notice, site) }, signal),
      }),
    ),
    ...notices.mail.flatMap(({ name, to }): Channel[] =>
      smtp
        ? [
            {
              name: `mail:${name}`,
              send: (notice, id) =>
                sendMail(smtp, folder, {
                  to,
                  subject: subjectOf(notice, site),
                  text: textOf(notice, site),
                  id: `<notice-${id}-${notice.at}@${site.id}.siteward>`,
                }),
            },
          ]
        : [],
    ),
    ...notices.alertmanagers.map(({ name, url, token }): Channel => {
      const alerts = `${url.replace(/\/$/, '')}/api/v2/alerts`;
      return {
        name: `alertmanager:${name}`,
        send: (notice, _id, signal) => post(alerts, token, [alertOf(notice, site)], signal),
        refresh: (notices, signal) =>
          notices.length > 0
            ? post(
                alerts,
                token,
                notices.map((notice) => alertOf(notice, site)),
                signal,
              )
            : Promise.resolve(),
      };
    }),
  ];
}

type Site = LoadedConfig['config']['site'];

async function post(url: string, token: Secret | undefined, body: unknown, signal: AbortSignal): Promise<void> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token.reveal()}` } : {}) },
      body: JSON.stringify(body),
      // A redirect would carry the token to somebody else.
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
    });
  } catch (error) {
    throw new SitewardError(
      'NOTICE_FAILED',
      `${new URL(url).host} cannot be reached: ${reasonOf(error)}`,
      'check its url under notices, and that it runs',
      { cause: error },
    );
  }
  await response.body?.cancel();
  if (!response.ok)
    throw new SitewardError(
      'NOTICE_REFUSED',
      `${new URL(url).host} answered ${response.status}`,
      'check its url and token under notices',
    );
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function webhookBody({ status, condition, flapping, at }: Notice, site: Site): Record<string, unknown> {
  return {
    version: 1,
    site: site.id,
    client: site.client,
    status,
    key: condition.key,
    kind: condition.kind,
    severity: condition.severity,
    device: condition.device ?? null,
    title: condition.title,
    lines: condition.lines,
    flapping,
    since: isoInstant(condition.since, site.timezone),
    at: isoInstant(at, site.timezone),
  };
}

const WORDS = { opened: '', reminder: 'still: ', resolved: 'over: ' } as const;

function subjectOf({ status, condition, flapping }: Notice, site: Site): string {
  return `[${site.client} ${site.id}] ${WORDS[status]}${condition.title}${flapping ? ' (comes and goes)' : ''}`;
}

function textOf(notice: Notice, site: Site): string {
  const { condition, status, at } = notice;
  const time = (when: WallTime) => localTime(when, site.timezone);
  return [
    `${WORDS[status]}${condition.title}`,
    '',
    ...condition.lines,
    '',
    `since ${time(condition.since)}${status === 'resolved' ? `, over at ${time(at)}` : ''} (${site.timezone})`,
    notice.flapping ? 'It comes and goes: it is reported as over when it stays away.' : '',
    `${site.client}, ${site.id}, siteward`,
    '',
  ].join('\n');
}

/** An alert of the Alertmanager's API v2. Equal labels make it the same alert. */
function alertOf({ status, condition, at }: Notice, site: Site): Record<string, unknown> {
  const ends = status === 'resolved' ? at : at + ALERT_LASTS;
  return {
    labels: {
      alertname: ALERT_NAMES[condition.kind],
      key: condition.key,
      severity: condition.severity,
      site: site.id,
      client: site.client,
      ...(condition.device === undefined ? {} : { device: condition.device }),
    },
    annotations: { summary: condition.title, description: condition.lines.join('\n') },
    startsAt: new Date(condition.since).toISOString(),
    endsAt: new Date(Math.max(ends, condition.since + 1)).toISOString(),
  };
}

const ALERT_NAMES = {
  device: 'SitewardDeviceDown',
  sla: 'SitewardSla',
  printer: 'SitewardPrinter',
  siteward: 'SitewardDegraded',
} as const;
