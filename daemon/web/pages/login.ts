import type { Words } from '../format.ts';
import { html } from '../html.ts';
import { messagesOf } from '../messages/language.ts';
import type { WebRequest } from '../route.ts';
import type { SiteView } from '../site-view.ts';
import { formToken, MARK } from './layout.ts';

export interface LoginPage {
  readonly request: WebRequest<unknown, unknown>;
  readonly view: SiteView;
  readonly to: string;
  readonly hasUsers: boolean;
  readonly wrong?: boolean;
}

/** Says nothing of the site: whoever sees it has not signed in yet. */
export function loginPage({ request, to, hasUsers, wrong = false }: LoginPage): string {
  const words: Pick<Words, 'language' | 'messages'> = {
    language: request.language,
    messages: messagesOf(request.language),
  };
  const { login } = words.messages;
  return html`<!doctype html>
<html lang="${words.language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>${login.title} · siteward</title><link rel="icon" href="/assets/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="/assets/style.css"></head>
<body class="login"><main><form class="card" method="post" action="/login">${formToken(request)}<input type="hidden" name="to" value="${to}">
${MARK}
<h1>siteward</h1>${wrong && html`<p class="wrong" role="alert">${login.wrong}</p>`}${!hasUsers && html`<p class="notice">${login.nobody}</p>`}
<label>${login.name}<input name="name" autocomplete="username" required autofocus></label>
<label>${login.password}<input name="password" type="password" autocomplete="current-password" required></label>
<button>${login.button}</button></form></main></body></html>`.text;
}
