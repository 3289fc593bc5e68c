/** Everything that people and programs may ask for, as an express application. `server.ts` loads it when somebody does. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import type { Logger } from '../log.ts';
import { askingOf, type Caller, type Guard, type Refusal } from './access/guard.ts';
import { loginLimit } from './access/login-limit.ts';
import { problem, seeOther } from './answer.ts';
import { problemPage } from './pages/problem.ts';
import type { AddRoutes, Answer, Route, WebContext, WebParts, WebRequest } from './route.ts';
import { assetRoutes } from './routes/assets.ts';
import { availabilityRoutes } from './routes/availability.ts';
import { deviceHistoryRoutes } from './routes/device-history.ts';
import { deviceRoutes } from './routes/devices.ts';
import { diagnosisRoutes } from './routes/diagnosis.ts';
import { discoveryRoutes } from './routes/discoveries.ts';
import { discoveryPageRoutes } from './routes/discovery-page.ts';
import { healthRoutes } from './routes/health.ts';
import { healthPageRoutes } from './routes/health-page.ts';
import { liveRoutes } from './routes/live.ts';
import { loginRoutes } from './routes/login.ts';
import { maintenanceRoutes } from './routes/maintenance.ts';
import { maintenancePageRoutes } from './routes/maintenance-page.ts';
import { meterRoutes } from './routes/meters.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { openApiRoutes } from './routes/openapi.ts';
import { pageRoutes } from './routes/page.ts';
import { prometheusTargetRoutes } from './routes/prometheus-targets.ts';
import { reportsPageRoutes } from './routes/reports-page.ts';
import { siteRoutes } from './routes/site.ts';
import { Snapshots } from './snapshot.ts';

/** Every topic, one file each. */
const ROUTES: readonly AddRoutes[] = [
  healthRoutes,
  metricsRoutes,
  siteRoutes,
  deviceRoutes,
  availabilityRoutes,
  meterRoutes,
  pageRoutes,
  diagnosisRoutes,
  discoveryPageRoutes,
  reportsPageRoutes,
  maintenanceRoutes,
  maintenancePageRoutes,
  healthPageRoutes,
  openApiRoutes,
  assetRoutes,
  liveRoutes,
  loginRoutes,
  deviceHistoryRoutes,
  discoveryRoutes,
  prometheusTargetRoutes,
];

export interface App {
  readonly handle: Express;
  /** Everything that can be asked for, and by whom. */
  readonly routes: readonly Route[];
}

export function createApp(parts: WebParts, guard: Guard): App {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use((request, response, next) => {
    const refusal = guard.judgeHost(request.get('host') ?? '');
    if (refusal) send(response, request, refusalAnswer(refusal, request)).catch(next);
    else next();
  });
  app.post(
    '/login',
    loginLimit((request, response, next) => {
      const answered = problem(429, 'too many wrong logins', 'wait five minutes, then try again');
      send(response, request, answered).catch(next);
    }),
  );
  const snapshots = new Snapshots(parts.view, parts.clock, parts.sources ?? {});
  const routes: Route[] = [];
  const context: WebContext = { ...parts, guard, snapshots, routes: () => routes };
  const router = {
    add: <Query, Body>(route: Route<Query, Body>) => {
      routes.push(route as Route);
      addRoute(app, context, route);
    },
  };
  for (const addRoutes of ROUTES) addRoutes(router, context);
  app.use(async (request, response) => {
    const detail = `no such page or call: ${request.method} ${request.path}`;
    await send(response, request, problem(404, 'there is nothing here', detail));
  });
  app.use(failed(parts.log));
  return { handle: app, routes };
}

const LARGEST_BODY = 1_048_576;
/** Before a byte of it is read: the reader would wait for the end of what it refuses. */
const refuseLarge: RequestHandler = (request, response, next) => {
  if (Number(request.get('content-length') ?? 0) <= LARGEST_BODY) return next();
  response.set('Connection', 'close');
  send(response, request, problem(413, 'too large', `at most ${LARGEST_BODY} bytes are taken`)).catch(next);
};
const readJson = express.json({ limit: LARGEST_BODY });
const readForm = express.urlencoded({ extended: false, limit: '64kb', parameterLimit: 100 });

/** Who may is settled before a body is read: nobody makes us parse what will be refused. */
function addRoute<Query, Body>(app: Express, { guard, ...parts }: WebContext, route: Route<Query, Body>): void {
  const callers = new WeakMap<Request, Caller>();
  const admit: RequestHandler = (request, response, next) => {
    const verdict = guard.judge(route.access, askingOf(request));
    if (verdict.kind === 'refused') {
      send(response, request, refusalAnswer(verdict, request)).catch(next);
      return;
    }
    callers.set(request, verdict.caller);
    next();
  };
  const handle: RequestHandler = async (request, response) => {
    const caller = callers.get(request);
    if (!caller) throw new Error('a request came past the guard');
    const { form_token: formToken = '', ...fields } = { ...request.body } as Record<string, unknown>;
    const refusal =
      route.method === 'post' ? guard.judgeWrite(caller, askingOf(request), String(formToken)) : undefined;
    const answered = refusal ? refusalAnswer(refusal, request) : await answer(route, request, caller, fields);
    if (route.method === 'post' && route.audit !== false) await note(parts, request, caller, fields, answered);
    await send(response, request, answered);
  };
  if (route.method === 'get') app.get(route.path, admit, handle);
  else app.post(route.path, admit, refuseLarge, readJson, readForm, handle);
}

/** A browser is shown where to sign in, a program is told. */
function refusalAnswer({ status, title, detail }: Refusal, request: Request): Answer {
  if (status === 401 && request.method === 'GET' && wantsHtml(request))
    return seeOther(`/login?to=${encodeURIComponent(request.originalUrl)}`);
  return problem(status, title, detail);
}

function wantsHtml(request: Request): boolean {
  return request.accepts(['json', 'html']) === 'html';
}

/** The trail holds every write that was tried, also those that were refused. */
async function note(
  { audit, clock, log }: WebParts,
  request: Request,
  { principal }: Caller,
  body: Readonly<Record<string, unknown>>,
  answered: Answer,
): Promise<void> {
  const entry = {
    at: clock.wallNow(),
    who: principal.name,
    source: request.socket.remoteAddress ?? '',
    what: `${request.method} ${request.path}`.slice(0, 300),
    why: typeof body['reason'] === 'string' ? body['reason'] : '',
    outcome: statusOf(answered),
  };
  try {
    await audit.append(entry);
  } catch (error) {
    log.error('a write is missing in the audit trail', { ...entry, error });
  }
}

function statusOf(answered: Answer): number {
  if ('status' in answered) return answered.status ?? 200;
  return answered.kind === 'redirect' ? 303 : 200;
}

async function answer<Query, Body>(
  route: Route<Query, Body>,
  request: Request,
  caller: Caller,
  fields: unknown,
): Promise<Answer> {
  const query = route.query ? route.query.safeParse(request.query) : undefined;
  if (query && !query.success) return unfit(query.error);
  const body = route.body ? route.body.safeParse(fields) : undefined;
  if (body && !body.success) return unfit(body.error);
  const asked: WebRequest<Query, Body> = {
    method: request.method,
    path: request.path,
    params: Object.fromEntries(Object.entries(request.params).map(([name, value]) => [name, String(value)])),
    query: query?.data as Query,
    body: body?.data as Body,
    principal: caller.principal,
    signedIn: caller.by === 'session',
    formToken: caller.formToken,
    source: request.socket.remoteAddress ?? '',
    secure: request.secure,
    language: languageOf(request),
    wantsHtml: wantsHtml(request),
    header: (name) => request.get(name) ?? '',
    acceptsGzip: () => request.acceptsEncodings('gzip') === 'gzip',
  };
  return await route.handle(asked);
}

function unfit(error: {
  readonly issues: readonly { readonly path: PropertyKey[]; readonly message: string }[];
}): Answer {
  const detail = error.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`).join('; ');
  return problem(400, 'the request cannot be understood', detail);
}

async function send(response: Response, request: Request, answered: Answer): Promise<void> {
  switch (answered.kind) {
    case 'json':
      response
        .status(answered.status ?? 200)
        .set({ 'Cache-Control': 'no-store', ...answered.headers })
        .type('json');
      await sendText(response, request, JSON.stringify(answered.body));
      return;
    case 'problem': {
      const { status, title, detail } = answered;
      if (wantsHtml(request)) {
        const html = problemPage(title, detail, languageOf(request));
        return await send(response, request, { kind: 'page', html, status });
      }
      response.status(status).type('application/problem+json').send(JSON.stringify({ title, status, detail }));
      return;
    }
    case 'page':
      response
        .status(answered.status ?? 200)
        .set('Cache-Control', 'no-store')
        .type('html');
      await sendText(response, request, answered.html);
      return;
    case 'text':
      response
        .status(answered.status ?? 200)
        .type('text')
        .send(answered.text);
      return;
    case 'file':
      response.set('Content-Type', answered.type);
      response.set('Cache-Control', answered.maxAgeSeconds ? `max-age=${answered.maxAgeSeconds}` : 'no-store');
      if (answered.name !== undefined) response.attachment(answered.name).set('Content-Type', answered.type);
      await sendText(response, request, answered.bytes);
      return;
    case 'redirect':
      if (answered.cookie !== undefined) response.set('Set-Cookie', answered.cookie);
      response.redirect(303, answered.to);
      return;
    case 'stream':
      await answered.write(response, request);
      return;
    default:
      answered satisfies never;
  }
}

const COMPRESSED_FROM = 1_400;
const compress = promisify(gzip);
/** Of files that are kept: a browser that was just started asks for all of them before it paints anything. */
const compressedFiles = new WeakMap<Uint8Array, Promise<Buffer>>();

async function compressed(body: string | Uint8Array): Promise<Buffer> {
  if (typeof body === 'string') return await compress(body);
  const kept = compressedFiles.get(body) ?? compress(body);
  compressedFiles.set(body, kept);
  return await kept;
}

/** What fits into one packet is sent as it is. */
async function sendText(response: Response, request: Request, body: string | Uint8Array): Promise<void> {
  const isText = !/^(image\/(?!svg)|application\/pdf)/.test(response.get('Content-Type') ?? '');
  if (body.length < COMPRESSED_FROM || !isText || request.acceptsEncodings('gzip') !== 'gzip') {
    response.send(typeof body === 'string' ? body : Buffer.from(body));
    return;
  }
  response.set('Content-Encoding', 'gzip').vary('Accept-Encoding');
  response.send(await compressed(body));
}

function languageOf(request: Request): string {
  return request.acceptsLanguages('en', 'de') || 'en';
}

/** Four parameters: that is how express knows an error handler. */
function failed(log: Logger): ErrorRequestHandler {
  return (error, request, response, next) => {
    if (response.headersSent) return next(error);
    const status =
      typeof error === 'object' && error !== null && 'status' in error && typeof error.status === 'number'
        ? error.status
        : 500;
    if (status >= 500)
      log.error('a request failed inside siteward', { method: request.method, path: request.path, error });
    void send(
      response,
      request,
      status >= 500
        ? problem(status, 'siteward failed', 'see the log')
        : problem(status, 'the request cannot be understood', String(error.message)),
    );
  };
}
