import { verifyAvailability } from './availability/verify.ts';
import { verifyMeters } from './meters/verify.ts';
import type { LedgerVerifier } from './store/ledger.ts';

/** What every area of the ledger must stand: in `siteward verify`, and before a copy counts as one. */
export const VERIFIERS: readonly LedgerVerifier[] = [verifyAvailability, verifyMeters];
