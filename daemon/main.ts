#!/usr/bin/env node
/** The command line. Builds the verbs, runs the one that is asked for, and turns what it throws into an exit status. */
import { Command, CommanderError } from 'commander';
import { SitewardError } from '#config/errors.ts';
import { type CliIo, EXIT, type Verb } from './cli/verb.ts';
import { VERBS } from './cli/verbs.ts';
import { VERSION } from './version.ts';

function cliIo(): CliIo {
  const stopping = new AbortController();
  // The first signal asks; the second one of an impatient person ends the process at once, as without a handler.
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => stopping.abort(new SitewardError('STOPPED', `${name} received`, 'nothing to do')));
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY === true,
    env: process.env,
    signal: stopping.signal,
  };
}

function command(verb: Verb, io: CliIo, exit: (code: number) => void): Command {
  const [name = '', ...args] = verb.usage.split(' ');
  const built = new Command(name).summary(verb.summary).description(verb.summary);
  for (const argument of args) built.argument(argument);
  for (const [flags, meaning] of verb.options ?? []) built.option(flags, meaning);
  built.addHelpText('after', `\nExamples:\n${verb.examples.map((example) => `  $ ${example}\n`).join('')}`);
  built.action(async (...parameters: unknown[]) => {
    const { run } = await verb.load();
    const given = parameters
      .slice(0, args.length)
      .flat()
      .filter((item) => typeof item === 'string');
    exit(await run(io, given, built.opts()));
  });
  return built;
}

async function main(argv: readonly string[]): Promise<number> {
  const io = cliIo();
  let code: number = EXIT.done;
  const program = new Command('siteward')
    .version(VERSION)
    .description('Watches a site: what is up, what was printed, and what the contract says to both.');
  program.addHelpText(
    'after',
    '\nExamples:\n  $ siteward poll 192.0.2.20 --community public\n  $ siteward run --config /etc/siteward/siteward.yaml\n',
  );
  for (const verb of VERBS) {
    program.addCommand(
      command(verb, io, (status) => {
        code = status;
      }),
    );
  }
  for (const each of [program, ...program.commands])
    each
      .exitOverride()
      .showSuggestionAfterError()
      .configureOutput({ writeErr: (text) => io.err(text) });
  try {
    await program.parseAsync(argv);
    return code;
  } catch (error) {
    return report(error, io);
  }
}

function report(error: unknown, io: CliIo): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof SitewardError) {
    io.err(`${error.message}\n${error.hint}\n`);
    return EXIT.usage;
  }
  io.err(`siteward failed, which is a fault of siteward: ${error instanceof Error ? error.stack : error}\n`);
  return EXIT.failed;
}

process.exitCode = await main(process.argv);
