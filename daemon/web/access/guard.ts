/** Who asks, and whether they may. Decides; `front-door.ts` and `app.ts` act on it. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Clock } from '#collectors/contract.ts';
import type { Config } from '#config/schema.ts';
import { type Access, type Principal, ROLES, type Role } from '../route.ts';
import { PasswordChecker } from './passwords.ts';
import { formTokenOf, Sessions, sameText } from './sessions.ts';

/** What the guard looks at of a request. */
export interface Asking {
  readonly host: string;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly authorization: string | undefined;
  readonly cookies: string | undefined;
  /** The header that pages and programs set on writes; a form of another site cannot. */
  readonly ownHeader: string | undefined;
  readonly contentType: string | undefined;
}

export function askingOf({ headers }: IncomingMessage): Asking {
  return {
    host: headers.host ?? '',
    origin: headers.origin,
    fetchSite: one(headers['sec-fetch-site']),
    authorization: headers.authorization,
    cookies: headers.cookie,
    ownHeader: one(headers['x-siteward']),
    contentType: headers['content-type'],
  };
}

/** Node.js joins headers that are sent twice, but for a few that it makes a list of. */
function one(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.join(', ');
}

export interface Caller {
  readonly principal: Principal;
  readonly by: 'loopback' | 'anonymous' | 'session' | 'token';
  /** What the forms of pages shown to this caller carry. */
  readonly formToken: string;
}

export interface Refusal {
  readonly kind: 'refused';
  readonly status: 401 | 403 | 421;
  readonly title: string;
  readonly detail: string;
}

export type Verdict = { readonly kind: 'allowed'; readonly caller: Caller } | Refusal;

export interface GuardOptions {
  /** As it is now: a reload changes users and tokens. */
  readonly http: () => Config['http'];
  readonly clock: Clock;
}

const COOKIE = 'siteward_session';

export class Guard {
  readonly sessions: Sessions;
  readonly #options: GuardOptions;
  readonly #passwords: PasswordChecker;
  /** Forms shown without a session carry this; pages of another site cannot read it. */
  readonly #formToken = formTokenOf(randomBytes(32).toString('base64url'));

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#passwords = new PasswordChecker(options.clock);
    this.sessions = new Sessions(options.clock);
  }

  /** True where there is somebody who could sign in. */
  get hasUsers(): boolean {
    return (this.#options.http().auth?.users.length ?? 0) > 0;
  }

  /** Whether `host` is a name by which this appliance may be called. */
  judgeHost(host: string): Refusal | undefined {
    if (this.#ownHost(host)) return undefined;
    return refused(
      421,
      'siteward is not called that',
      `${JSON.stringify(host.slice(0, 80))} is no name of this appliance (call it by its address, or add the name to http.hosts)`,
    );
  }

  judge(access: Access, asking: Asking): Verdict {
    const caller = this.#caller(asking);
    if (access === 'open') return { kind: 'allowed', caller: caller ?? this.#nobody() };
    if (!caller) return refused(401, 'sign in first', 'sign in at /login, or send a token as Authorization: Bearer …');
    const { name, role } = caller.principal;
    if (!mayCall(role, access)) return refused(403, 'not allowed', `${name} is ${role}, this needs ${access} or more`);
    return { kind: 'allowed', caller };
  }

  /**
   * Whether a write may be the trick of another site. Browsers say where a write comes from by `Origin` and
   * `Sec-Fetch-Site`; beside that, a form needs its token, and a script of a signed-in page its header.
   */
  judgeWrite({ by, formToken }: Caller, asking: Asking, givenToken: string): Refusal | undefined {
    if (by === 'token') return undefined;
    const { origin, fetchSite, host, contentType = '' } = asking;
    if (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none')
      return forged(`the request comes from a page that is ${fetchSite}`);
    if (origin !== undefined && !isOrigin(origin, host))
      return forged('the request comes from a page of another origin');
    if (/^(application\/x-www-form-urlencoded|multipart\/|text\/plain)/i.test(contentType))
      return sameText(givenToken, formToken) ? undefined : forged('the form has no valid token: load the page again');
    if (by === 'session' && asking.ownHeader === undefined)
      return forged('the header X-Siteward is missing (set it to 1)');
    return undefined;
  }

  /** The user whose name and password these are. @throws TooManyLogins */
  async signIn(name: string, password: string, source: string): Promise<Principal | undefined> {
    const user = this.#options.http().auth?.users.find((each) => each.name === name);
    const fits = await this.#passwords.fits(password, user?.password_hash.reveal(), source);
    return fits && user ? { name: user.name, role: user.role } : undefined;
  }

  /** The header that signs a browser in. `Secure` where it came over TLS. */
  setCookie(user: string, secure: boolean): string {
    return `${COOKIE}=${this.sessions.begin(user)}; Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
  }

  /** Ends the session, and the header that takes its cookie away. */
  endSession(cookies: string | undefined): string {
    const cookie = cookieOf(cookies);
    if (cookie !== undefined) this.sessions.end(cookie);
    return `${COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`;
  }

  #caller({ authorization, cookies }: Asking): Caller | undefined {
    const { auth, listen, allow_anonymous: anonymous } = this.#options.http();
    const token = /^Bearer (\S{1,512})$/i.exec(authorization ?? '')?.[1];
    if (token !== undefined) {
      const principal = this.#tokenOwner(token);
      return principal && { principal, by: 'token', formToken: this.#formToken };
    }
    const cookie = cookieOf(cookies);
    const session = cookie === undefined ? undefined : this.sessions.find(cookie);
    const user = session && auth?.users.find(({ name }) => name === session.user);
    if (session && user)
      return { principal: { name: user.name, role: user.role }, by: 'session', formToken: session.formToken };
    const guarded = auth !== undefined && auth.users.length + auth.tokens.length > 0;
    if (!guarded && isLoopback(listen))
      return { principal: { name: 'local', role: 'admin' }, by: 'loopback', formToken: this.#formToken };
    if (anonymous)
      return { principal: { name: 'anonymous', role: 'viewer' }, by: 'anonymous', formToken: this.#formToken };
    return undefined;
  }

  /** Every token is compared, so that the time tells nothing of which one was nearly right. */
  #tokenOwner(token: string): Principal | undefined {
    let owner: Principal | undefined;
    for (const { name, role, token: secret } of this.#options.http().auth?.tokens ?? [])
      if (sameText(token, secret.reveal())) owner = { name, role };
    return owner;
  }

  #nobody(): Caller {
    return { principal: { name: 'nobody', role: 'viewer' }, by: 'anonymous', formToken: this.#formToken };
  }

  /** An address cannot be bound anew to another site; a name can, so it must be one that we know (DNS rebinding). */
  #ownHost(host: string): boolean {
    const name = hostName(host);
    if (name === undefined) return false;
    if (name === 'localhost' || isIP(name) !== 0) return true;
    const { hosts, listen } = this.#options.http();
    return hostName(listen) === name || hosts.some((each) => each.toLowerCase() === name);
  }
}

export function mayCall(role: Principal['role'], access: Access): boolean {
  if (access === 'open' || access === 'metrics') return true;
  return role !== 'metrics' && ROLES.indexOf(role) >= ROLES.indexOf(access as Role);
}

export function isLoopback(listen: string): boolean {
  const name = hostName(listen);
  return name === 'localhost' || name === '::1' || /^127\.\d+\.\d+\.\d+$/.test(name ?? '');
}

/** The name or address in `host:port`, lower case and without brackets. */
function hostName(host: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/i.exec(host);
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '');
}

function isOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

function cookieOf(cookies: string | undefined): string | undefined {
  return /(?:^|;\s*)siteward_session=([\w-]{20,100})(?:;|$)/.exec(cookies ?? '')?.[1];
}

function refused(status: Refusal['status'], title: string, detail: string): Refusal {
  return { kind: 'refused', status, title, detail };
}

function forged(detail: string): Refusal {
  return refused(403, 'not asked by a page of siteward', detail);
}
