import type { WallTime } from '#collectors/contract.ts';
import type { Database, Row } from '../../store/store.ts';

/** One write by a person or a program: who, what, why, and what came of it. */
export interface AuditEntry {
  readonly at: WallTime;
  readonly who: string;
  /** Address that it came from. */
  readonly source: string;
  /** `POST /api/v1/discoveries/7/adopt` */
  readonly what: string;
  /** As the asker gave it; empty where none was given. */
  readonly why: string;
  /** HTTP status of the answer. */
  readonly outcome: number;
}

export interface AuditTrail {
  append(entry: AuditEntry): Promise<void>;
  /** Newest first. */
  latest(count: number): Promise<readonly AuditEntry[]>;
}

/** The trail in `ledger.db`. The handle is asked for at each use, for a fault of the disk brings another one. */
export function ledgerAudit(ledger: { readonly database: Database }): AuditTrail {
  return {
    append: async ({ at, who, source, what, why, outcome }) => {
      await ledger.database.write([
        {
          sql: 'INSERT INTO audit_entries (at, who, source, what, why, outcome) VALUES (?, ?, ?, ?, ?, ?)',
          params: [at, who, source, what, why.slice(0, 1000), outcome],
        },
      ]);
    },
    latest: async (count) =>
      (await ledger.database.read('SELECT * FROM audit_entries ORDER BY seq DESC LIMIT ?', [count])).map(entryOf),
  };
}

/** For a daemon without a ledger: the last writes, until it ends. */
export function memoryAudit(): AuditTrail {
  const entries: AuditEntry[] = [];
  return {
    append: async (entry) => {
      entries.unshift(entry);
      entries.length = Math.min(entries.length, 200);
    },
    latest: async (count) => entries.slice(0, count),
  };
}

function entryOf(row: Row): AuditEntry {
  return {
    at: Number(row['at']) as WallTime,
    who: String(row['who']),
    source: String(row['source']),
    what: String(row['what']),
    why: String(row['why']),
    outcome: Number(row['outcome']),
  };
}
