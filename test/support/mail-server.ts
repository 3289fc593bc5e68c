import { SMTPServer } from 'smtp-server';
import { onTestFinished } from 'vitest';

export interface MailServer {
  readonly port: number;
  /** What it took, as it came. */
  readonly mails: string[];
  /** Whether it asks senders to try later. */
  refuses: boolean;
}

/** An SMTP server on loopback that goes with the test. */
export async function startMailServer({ refuses = false } = {}): Promise<MailServer> {
  const mails: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onMailFrom: (_address, _session, done) => done(started.refuses ? new Error('try later') : null),
    onData: async (stream, _session, done) => {
      let text = '';
      for await (const chunk of stream) text += chunk;
      mails.push(text);
      done();
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(resolve)));
  const address = server.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const started: MailServer = { port, mails, refuses };
  return started;
}
