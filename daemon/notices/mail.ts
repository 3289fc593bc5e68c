/** Mail by SMTP. The only file that knows `nodemailer`. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SitewardError } from '#config/errors.ts';
import type { Config } from '#config/schema.ts';

export type SmtpSettings = NonNullable<Config['smtp']>;

export interface Mail {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly attachments?: readonly { readonly filename: string; readonly content: Uint8Array }[];
  /** The same for each try of the same mail, so that a receiver can leave out doubles. */
  readonly id?: string;
}

const TIMEOUT = 30_000;

/** Hands a mail to the configured server. @throws SitewardError `MAIL_FAILED` when the server did not take it. */
export async function sendMail(smtp: SmtpSettings, folder: string, mail: Mail): Promise<void> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host: smtp.host,
    port: smtp.port,
    secure: smtp.secure,
    ...(smtp.user === undefined ? {} : { auth: { user: smtp.user, pass: smtp.password?.reveal() ?? '' } }),
    // A login never goes over the wire in the clear.
    requireTLS: !smtp.secure && smtp.user !== undefined,
    tls: smtp.ca === undefined ? {} : { ca: readFileSync(resolve(folder, smtp.ca)) },
    connectionTimeout: TIMEOUT,
    greetingTimeout: TIMEOUT,
    socketTimeout: TIMEOUT,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    await transport.sendMail({
      from: smtp.from,
      to: [...mail.to],
      subject: oneLine(mail.subject),
      text: mail.text,
      ...(mail.id === undefined ? {} : { messageId: mail.id }),
      attachments: (mail.attachments ?? []).map(({ filename, content }) => ({
        filename,
        content: Buffer.from(content),
      })),
    });
  } catch (error) {
    throw new SitewardError(
      'MAIL_FAILED',
      `${smtp.host}:${smtp.port} did not take the mail: ${error instanceof Error ? error.message : error}`,
      'check host, port, user and password under smtp',
      { cause: error },
    );
  } finally {
    transport.close();
  }
}

/** A device's name in a subject must not begin another header. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').slice(0, 200);
}
