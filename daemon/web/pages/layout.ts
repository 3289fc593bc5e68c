import type { Words } from '../format.ts';
import { type Html, html } from '../html.ts';
import type { WebRequest } from '../route.ts';
import type { SiteView } from '../site-view.ts';

/** A house with a pulse. */
export const MARK = html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><path d="M16 3 3 14v13a2 2 0 0 0 2 2h22a2 2 0 0 0 2-2V14z"/><path class="pulse" d="M6 20h5l3-6 4 10 3-4h5"/></svg>`;

export type PageName = 'overview' | 'reports' | 'supplies' | 'discovery' | 'maintenance' | 'health' | 'login';

export interface Frame {
  readonly view: SiteView;
  readonly words: Words;
  readonly request: Pick<WebRequest<unknown, unknown>, 'principal' | 'signedIn' | 'formToken' | 'path'>;
  /** What the menu marks. */
  readonly current?: PageName;
  readonly title: string;
  readonly scripts?: readonly string[];
  readonly styles?: readonly string[];
  /** How many things wait for a decision, beside the menu's entry. */
  readonly waiting?: number;
}

const MENU = [
  ['overview', '/'],
  ['reports', '/reports'],
  ['supplies', '/supplies'],
  ['discovery', '/discovery'],
  ['maintenance', '/maintenance'],
  ['health', '/health'],
] as const;

/** The frame of every page. */
export function pageHtml(frame: Frame, body: Html): string {
  const { view, words, title, scripts = [], styles = [] } = frame;
  return html`<!doctype html>
<html lang="${words.language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>${title} · ${view.site.client}</title><link rel="icon" href="/assets/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="/assets/style.css">${styles.map(
    (style) => html`<link rel="stylesheet" href="/assets/${style}">`,
  )}${scripts.map((script) => html`<script type="module" src="/assets/${script}"></script>`)}</head>
<body><a class="skip" href="#content">${words.messages.nav.skip}</a>
${header(frame)}
<main id="content">${view.demo && html`<p class="notice">${words.messages.demo}</p>`}
${body}</main>
</body></html>`.text;
}

function header({ view, words, current, request, waiting }: Frame): Html {
  const { nav } = words.messages;
  return html`<header class="top"><div class="inner"><a class="brand" href="/">${MARK}<span><b>${view.site.client}</b><small>${view.site.id}</small></span></a>
<nav aria-label="${nav.label}"><ul>${MENU.map(
    ([name, path]) =>
      html`<li><a href="${path}"${name === current && html` aria-current="page"`}>${nav[name]}${
        name === 'discovery' && waiting !== undefined && waiting > 0 && html` <span class="count">${waiting}</span>`
      }</a></li>`,
  )}</ul></nav>${
    request.signedIn &&
    html`<form class="out" method="post" action="/logout">${formToken(request)}<button class="quiet" title="${nav.signedInAs(request.principal.name)}">${nav.signOut}</button></form>`
  }</div></header>`;
}

/** Every form has it: what does not carry it was not made by this page. */
export function formToken({ formToken: token }: { readonly formToken: string }): Html {
  return html`<input type="hidden" name="form_token" value="${token}">`;
}

export function card(
  title: string | Html,
  body: Html,
  options: { readonly id?: string; readonly aside?: Html } = {},
): Html {
  const { id, aside } = options;
  return html`<section class="card"${id !== undefined && html` id="${id}"`}><div class="card-head"><h2>${title}</h2>${aside}</div>${body}</section>`;
}

/** Where a device's page is. A name with half a character in it, which no URL can carry, still gives one. */
export function devicePath(name: string): string {
  return `/devices/${encodeURIComponent(name.toWellFormed())}`;
}

/** Never colour alone: the word is always there. */
export function statePill(state: string, text: string): Html {
  return html`<span class="pill state-${state}">${text}</span>`;
}

export function facts(pairs: readonly (readonly [string, string | Html | undefined])[]): Html {
  return html`<dl class="facts">${pairs.map(
    ([name, value]) => value !== undefined && value !== '' && html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>`;
}
