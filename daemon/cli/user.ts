import { stdin } from 'node:process';
import { createInterface } from 'node:readline';
import { SitewardError } from '#config/errors.ts';
import { hashPassword } from '../web/access/passwords.ts';
import { type CliIo, EXIT, type RunVerb, textOption } from './verb.ts';

const SHORTEST = 10;
const ROLES = ['viewer', 'operator', 'admin'];

/** Makes the lines that stand for a user in the config. It writes no file: where secrets lie is the operator's choice. */
export const run: RunVerb = async (io, [action = '', name = ''], options) => {
  const role = textOption(options, 'role') ?? 'viewer';
  if (action !== 'add' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name))
    throw new SitewardError(
      'USAGE',
      'a user needs a name of letters, digits, . _ and -',
      'write `siteward user add NAME`',
    );
  if (!ROLES.includes(role))
    throw new SitewardError(
      'USAGE',
      `${JSON.stringify(role)} is not a role`,
      `write --role with one of ${ROLES.join(', ')}`,
    );
  const password = await readPassword(io, name);
  if (password.length < SHORTEST)
    throw new SitewardError(
      'PASSWORD_SHORT',
      `the password has fewer than ${SHORTEST} characters`,
      'choose a longer one',
    );
  io.err('put this under http.auth.users in the config, then reload (SIGHUP):\n');
  io.out(`- {name: ${name}, role: ${role}, password_hash: "${await hashPassword(password)}"}\n`);
  return EXIT.done;
};

/** From the terminal without showing it, or the first line of what is piped in. */
async function readPassword(io: CliIo, name: string): Promise<string> {
  const terminal = stdin.isTTY === true;
  if (terminal) io.err(`password for ${name}: `);
  // Without an output the line editor echoes nothing.
  const lines = createInterface({ input: stdin, terminal });
  const stop = () => lines.close();
  io.signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const line of lines) return line;
    io.signal.throwIfAborted();
    return '';
  } finally {
    io.signal.removeEventListener('abort', stop);
    lines.close();
    if (terminal) io.err('\n');
  }
}
