import type { LogFields, Logger, LogLevel } from '#daemon/log.ts';

export interface RecordedLine {
  readonly level: LogLevel;
  readonly sentence: string;
  readonly fields: LogFields;
}

/** A logger that keeps what it is told. */
export function recordingLogger(): Logger & { readonly lines: RecordedLine[] } {
  const lines: RecordedLine[] = [];
  const at =
    (level: LogLevel) =>
    (sentence: string, fields: LogFields = {}): void =>
      void lines.push({ level, sentence, fields });
  return { lines, error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}
