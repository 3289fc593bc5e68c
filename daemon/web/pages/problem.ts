import { html } from '../html.ts';
import { messagesOf } from '../messages/language.ts';
import { MARK } from './layout.ts';

/** What a browser is shown when something did not work. Says nothing of the site: whoever sees it may be nobody. */
export function problemPage(title: string, detail: string, language: string): string {
  const { problem } = messagesOf(language);
  return html`<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>${problem.title} · siteward</title><link rel="icon" href="/assets/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="/assets/style.css"></head>
<body class="login"><main><section class="card">${MARK}<h1>${problem.title}</h1><p><b>${title}</b></p><p class="soft">${detail}</p><p><a href="/">${problem.home}</a></p></section></main></body></html>`
    .text;
}
