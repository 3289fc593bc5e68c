import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { Secret } from '#config/secret.ts';
import { createLogger } from '#daemon/log.ts';

function logged(write: (log: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  write(createLogger('info', stream));
  return chunks
    .join('')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

test('a line is one JSON object with a fixed sentence and fields', () => {
  const [line] = logged((log) => log.warn('the spool grows', { output: 'central', points: 12n }));

  expect(line).toMatchObject({ level: 'warn', message: 'the spool grows', output: 'central', points: '12' });
  expect(typeof line?.timestamp).toBe('string');
});

test('secrets are hidden by their type, and fields by names that hold secrets', () => {
  const text = JSON.stringify(
    logged((log) =>
      log.info('asked', {
        credential: { community: 'canary-1', nested: [new Secret('canary-2')] },
        password: 'canary-3',
      }),
    ),
  );

  expect(text).not.toContain('canary');
  expect(text).toContain('<secret>');
});

test('foreign text is one line and is cut', () => {
  const lines = logged((log) => log.info('seen', { name: `a\nb\u001b[31m${'x'.repeat(5000)}` }));

  expect(lines).toHaveLength(1);
  expect(String(lines[0]?.name).length).toBeLessThan(1100);
});

test('an error is told by its code, message and cause, without a stack', () => {
  const [line] = logged((log) => log.error('failed', { error: new Error('outer', { cause: new Error('inner') }) }));

  expect(line?.error).toEqual({ code: 'Error', message: 'outer', cause: { code: 'Error', message: 'inner' } });
});

test('what is below the level is not written, and the level can be changed', () => {
  const lines = logged((log) => {
    log.debug('hidden');
    log.level = 'debug';
    log.debug('shown');
  });

  expect(lines.map(({ message }) => message)).toEqual(['shown']);
});
