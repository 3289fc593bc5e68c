import { z } from 'zod';
import { TooManyLogins } from '../access/passwords.ts';
import { page, problem, seeOther } from '../answer.ts';
import { loginPage } from '../pages/login.ts';
import type { AddRoutes } from '../route.ts';

const Login = z.object({
  name: z.string().max(100).default(''),
  password: z.string().max(2000).default(''),
  to: z.string().max(2000).default('/'),
});

export const loginRoutes: AddRoutes = (router, { guard, audit, clock, view }) => {
  router.add({
    method: 'get',
    path: '/login',
    access: 'open',
    query: z.object({ to: z.string().max(2000).catch('/').default('/') }),
    handle: (request) => page(loginPage({ request, view, to: ownPath(request.query.to), hasUsers: guard.hasUsers })),
  });
  router.add({
    method: 'post',
    path: '/login',
    access: 'open',
    audit: false,
    body: Login,
    handle: async (request) => {
      const { name, password, to } = request.body;
      try {
        const principal = await guard.signIn(name, password, request.source);
        if (principal) {
          await audit.append({
            at: clock.wallNow(),
            who: principal.name,
            source: request.source,
            what: 'signed in',
            why: '',
            outcome: 200,
          });
          return seeOther(ownPath(to), guard.setCookie(principal.name, request.secure));
        }
      } catch (error) {
        if (!(error instanceof TooManyLogins)) throw error;
        return problem(429, 'too many logins at once', 'try again in a few seconds');
      }
      return page(loginPage({ request, view, to: ownPath(to), hasUsers: guard.hasUsers, wrong: true }), 401);
    },
  });
  router.add({
    method: 'post',
    path: '/logout',
    access: 'viewer',
    audit: false,
    handle: (request) => seeOther('/login', guard.endSession(request.header('cookie'))),
  });
};

/** Only a path of this page: a link to sign in must not lead to another site. */
function ownPath(to: string): string {
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(to) ? to : '/';
}
