/** What a route is made of. Route files know these words; only `server.ts` knows the web framework behind them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { Clock, WallTime } from '#collectors/contract.ts';
import type { Config } from '#config/schema.ts';
import type { Correction } from '../availability/entries.ts';
import type { Rung } from '../diagnosis/ladder.ts';
import type { SelfMetrics } from '../exposition/self.ts';
import type { History } from '../history/history.ts';
import type { Scanner } from '../inventory/scanner.ts';
import type { SiteInventory } from '../inventory/site-inventory.ts';
import type { WatchedDevice } from '../inventory/watched.ts';
import type { Logger } from '../log.ts';
import type { MeterService } from '../meters/service.ts';
import type { PrometheusSink } from '../sinks/prometheus.ts';
import type { Database, Row } from '../store/store.ts';
import type { AuditTrail } from './access/audit.ts';
import type { Guard } from './access/guard.ts';
import type { PageSources } from './page-sources.ts';
import type { SiteView } from './site-view.ts';
import type { Snapshots } from './snapshot.ts';

export const ROLES = ['viewer', 'operator', 'admin'] as const;
/** A viewer reads, an operator also adopts devices and enters maintenance, an admin also changes how siteward runs. */
export type Role = (typeof ROLES)[number];

/**
 * Who may call a route: everybody (`open`), whoever may scrape (`metrics`: also a token of that role), or at least a role.
 * What writes needs `operator` or `admin`.
 */
export type Access = 'open' | 'metrics' | Role;

/** Who asks. On loopback without login it is `local`, who may do everything. */
export interface Principal {
  readonly name: string;
  readonly role: Role | 'metrics';
}

export interface WebRequest<Query = unknown, Body = unknown> {
  readonly method: string;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  /** As the route's schema made it. */
  readonly query: Query;
  /** As the route's schema made it. */
  readonly body: Body;
  readonly principal: Principal;
  /** By a session: then there is something to sign out of. */
  readonly signedIn: boolean;
  /** For the hidden field `form_token` of every form on a page. */
  readonly formToken: string;
  /** Of the caller's socket. */
  readonly source: string;
  /** It came over TLS. */
  readonly secure: boolean;
  /** What the browser would rather read. */
  readonly language: string;
  /** True for a browser that wants a page, false for a program that wants data. */
  readonly wantsHtml: boolean;
  /** The value of a request header, `''` when it is not there. */
  header(name: string): string;
  acceptsGzip(): boolean;
}

/** What a route answers. Made by the functions of `answer.ts`. */
export type Answer =
  | {
      readonly kind: 'json';
      readonly body: unknown;
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'problem'; readonly status: number; readonly title: string; readonly detail: string }
  | { readonly kind: 'page'; readonly html: string; readonly status?: number }
  | { readonly kind: 'text'; readonly text: string; readonly status?: number }
  | {
      readonly kind: 'file';
      readonly bytes: Uint8Array | string;
      /** Media type with its character set. */
      readonly type: string;
      /** Makes it a download of this name. */
      readonly name?: string;
      readonly maxAgeSeconds?: number;
    }
  | { readonly kind: 'redirect'; readonly to: string; readonly cookie?: string }
  /** For what is written piece by piece. */
  | { readonly kind: 'stream'; readonly write: (response: ServerResponse, request: IncomingMessage) => Promise<void> };

export interface Route<Query = unknown, Body = unknown> {
  readonly method: 'get' | 'post';
  /** As express writes it: `/api/v1/devices/:name`. */
  readonly path: string;
  readonly access: Access;
  /** One line for the API's description; absent for pages. */
  readonly summary?: string;
  /** Parameters after `?`. A request that does not fit is answered with 400 and says why. Absent: they are not looked at. */
  readonly query?: z.ZodType<Query>;
  /** JSON or a form. */
  readonly body?: z.ZodType<Body>;
  /** What a successful answer's JSON is; for the API's description. */
  readonly answer?: z.ZodType;
  /** Other media types that it may answer, for the API's description. */
  readonly media?: readonly string[];
  /** A write whose asker is not written into the audit trail: only signing in and out, which have entries of their own. */
  readonly audit?: false;
  handle(request: WebRequest<Query, Body>): Answer | Promise<Answer>;
}

export interface Router {
  add<Query = unknown, Body = unknown>(route: Route<Query, Body>): void;
}

/** The availability ledger as the API shows it, and the one thing that may be entered. */
export interface AvailabilityPart {
  readonly database: () => Database;
  readonly config: () => Config;
  readonly knows: (device: string) => boolean;
  readonly correct: (device: string, from: WallTime, correction: Correction) => Promise<void>;
  /** The last notices, newest first. */
  readonly notices: (limit: number) => Promise<readonly Row[]>;
}

/** The parts of the daemon that routes show. A topic adds its own part here, optional where the daemon can run without. */
export interface WebParts {
  readonly view: SiteView;
  readonly clock: Clock;
  readonly self: SelfMetrics;
  readonly devices: PrometheusSink;
  readonly log: Logger;
  readonly audit: AuditTrail;
  /** As it is now: a reload changes users, tokens and host names. */
  readonly http: () => Config['http'];
  /** What the page's charts are drawn from. */
  readonly history?: History;
  readonly sources?: PageSources;
  /** Asks a watched device step by step why it does not answer. */
  readonly diagnose?: (device: string, signal: AbortSignal) => AsyncIterable<Rung>;
  /** Absent: nothing is looked for. */
  readonly inventory?: SiteBook;
  readonly scanner?: Scanner;
  readonly meters?: MeterService;
  readonly availability?: AvailabilityPart;
  /** A device with its settings, as it is polled. */
  readonly watched?: (device: string) => WatchedDevice | undefined;
}

/** As much of the inventory as pages and the API show and decide. */
export type SiteBook = Pick<
  SiteInventory,
  'discoveries' | 'get' | 'proposedName' | 'latest' | 'history' | 'adopt' | 'ignore' | 'split'
>;

/** What route files get. */
export interface WebContext extends WebParts {
  readonly snapshots: Snapshots;
  /** All routes, once they are added. */
  readonly routes: () => readonly Route[];
  readonly guard: Guard;
}

/** One per file in `routes/`: adds the routes of a topic. */
export type AddRoutes = (router: Router, context: WebContext) => void;
