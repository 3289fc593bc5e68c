import winston from 'winston';
import { Secret } from '#config/secret.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';
export type LogFields = Readonly<Record<string, unknown>>;

/** A fixed sentence plus fields. error: someone must act · warn: degraded, being handled · info: a change · debug: a poll. */
export interface Logger {
  error(sentence: string, fields?: LogFields): void;
  warn(sentence: string, fields?: LogFields): void;
  info(sentence: string, fields?: LogFields): void;
  debug(sentence: string, fields?: LogFields): void;
}

/** A logger whose level can be changed while it runs. */
export interface LevelLogger extends Logger {
  level: LogLevel;
}

/** Foreign text (names, alerts) is cut here, so that no device can flood the log. */
const LONGEST_TEXT = 1024;
const DEEPEST = 6;
/** Fields that hold secrets by their name, whatever their value is. */
const SECRET_FIELD = /^(community|password|passphrase|secret|token|authorization|key)$/i;

/** JSON lines on stdout, for journald or the container's log driver. A file transport would lose lines at exit. */
export function createLogger(level: LogLevel, stream: NodeJS.WritableStream = process.stdout): LevelLogger {
  const logger = winston.createLogger({
    level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    format: winston.format.combine(
      winston.format((info) => redact(info) as winston.Logform.TransformableInfo)(),
      winston.format.timestamp(),
      winston.format.json(),
    ),
    transports: [new winston.transports.Stream({ stream })],
  });
  return {
    error: (sentence, fields) => void logger.error(sentence, { ...fields }),
    warn: (sentence, fields) => void logger.warn(sentence, { ...fields }),
    info: (sentence, fields) => void logger.info(sentence, { ...fields }),
    debug: (sentence, fields) => void logger.debug(sentence, { ...fields }),
    get level() {
      return logger.level as LogLevel;
    },
    set level(next) {
      logger.level = next;
    },
  };
}

/** What may be written of a value: secrets hidden, errors as code and message, long text cut. */
function redact(value: unknown, depth = 0): unknown {
  if (value instanceof Secret) return '<secret>';
  if (value instanceof Error) {
    return {
      code: 'code' in value ? value.code : value.name,
      message: cut(value.message),
      ...(value.cause === undefined ? {} : { cause: redact(value.cause, depth + 1) }),
    };
  }
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') return cut(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEEPEST) return '…';
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => redact(item, depth + 1));
  // winston keeps its level and message under symbols, which must stay.
  for (const key of Object.keys(value)) {
    const fields = value as Record<string, unknown>;
    if (depth === 0) fields[key] = SECRET_FIELD.test(key) ? '<secret>' : redact(fields[key], depth + 1);
  }
  if (depth === 0) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, SECRET_FIELD.test(key) ? '<secret>' : redact(item, depth + 1)]),
  );
}

function cut(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}
