import type { Migration } from '#daemon/store/store.ts';

/**
 * `batch` is apart from `body` so that what waits can be counted without reading it. `next_id` rises for ever: a batch's
 * number is never given twice. `tally` is by day, so that what was lost can be told by reason and period.
 */
export const SPOOL_MIGRATIONS: readonly Migration[] = [
  {
    name: 'batches, bodies, quarantine and tallies per output',
    sql: `
      CREATE TABLE output (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        format TEXT NOT NULL,
        next_id INTEGER NOT NULL DEFAULT 1,
        UNIQUE (name, format)
      ) STRICT;
      CREATE TABLE batch (
        output INTEGER NOT NULL REFERENCES output,
        id INTEGER NOT NULL,
        important INTEGER NOT NULL,
        points INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        raw_bytes INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        first_at INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        PRIMARY KEY (output, id)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE body (
        output INTEGER NOT NULL,
        id INTEGER NOT NULL,
        gzip BLOB NOT NULL,
        PRIMARY KEY (output, id)
      ) STRICT;
      CREATE TABLE quarantine (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        output INTEGER NOT NULL REFERENCES output,
        at INTEGER NOT NULL,
        status INTEGER NOT NULL,
        message TEXT NOT NULL,
        points INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        gzip BLOB NOT NULL
      ) STRICT;
      CREATE INDEX quarantine_by_output ON quarantine (output, id);
      CREATE TABLE tally (
        output INTEGER NOT NULL REFERENCES output,
        outcome TEXT NOT NULL,
        reason TEXT NOT NULL,
        day TEXT NOT NULL,
        points INTEGER NOT NULL,
        PRIMARY KEY (output, outcome, reason, day)
      ) STRICT, WITHOUT ROWID`,
  },
];
