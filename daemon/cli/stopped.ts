import type { CliIo } from './verb.ts';

/** Resolves when SIGINT or SIGTERM was received. */
export async function stopped({ signal }: CliIo): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
