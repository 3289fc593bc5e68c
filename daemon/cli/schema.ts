import { configJsonSchema } from '#config/load.ts';
import { EXIT, type RunVerb } from './verb.ts';

export const run: RunVerb = async (io) => {
  io.out(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  return EXIT.done;
};
