/** Tables of the meters in `ledger.db`. */
export const METER_TABLES = `
  CREATE TABLE meter_entries (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    hash BLOB NOT NULL
  ) STRICT;
  CREATE INDEX meter_entries_by_kind ON meter_entries (kind, seq);
  CREATE TRIGGER meter_entries_stay BEFORE UPDATE ON meter_entries
    BEGIN SELECT RAISE(ABORT, 'ledger entries are never changed'); END;
  CREATE TRIGGER meter_entries_remain BEFORE DELETE ON meter_entries
    BEGIN SELECT RAISE(ABORT, 'ledger entries are never deleted'); END;
  CREATE TABLE meter_devices (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE meter_reads (
    device INTEGER NOT NULL,
    number INTEGER NOT NULL,
    body BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (device, number)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE meter_chunks (
    device INTEGER NOT NULL,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    from_at INTEGER NOT NULL,
    to_at INTEGER NOT NULL,
    fastest INTEGER,
    body BLOB NOT NULL,
    tip BLOB NOT NULL,
    PRIMARY KEY (device, first)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER meter_chunks_stay BEFORE UPDATE ON meter_chunks
    BEGIN SELECT RAISE(ABORT, 'reads are never changed'); END;
  CREATE TRIGGER meter_chunks_remain BEFORE DELETE ON meter_chunks
    BEGIN SELECT RAISE(ABORT, 'reads are never deleted'); END;
  CREATE TABLE meter_periods (
    contract TEXT NOT NULL,
    ends INTEGER NOT NULL,
    printer TEXT NOT NULL,
    body BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (contract, ends, printer)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX meter_periods_by_printer ON meter_periods (printer, contract, ends);
  CREATE TRIGGER meter_periods_stay BEFORE UPDATE ON meter_periods
    BEGIN SELECT RAISE(ABORT, 'a closed period is never changed'); END;
  CREATE TRIGGER meter_periods_remain BEFORE DELETE ON meter_periods
    BEGIN SELECT RAISE(ABORT, 'a closed period is never deleted'); END;
  CREATE TABLE meter_supplies (
    printer TEXT NOT NULL,
    supply TEXT NOT NULL,
    at INTEGER NOT NULL,
    level INTEGER NOT NULL,
    about TEXT NOT NULL,
    PRIMARY KEY (printer, supply, at)
  ) STRICT, WITHOUT ROWID`;
