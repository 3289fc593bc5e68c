import { RUNGS, type Rung } from '../../diagnosis/ladder.ts';
import { html } from '../html.ts';
import { devicePath, type Frame, formToken, pageHtml } from './layout.ts';

/** Each rung with what was found, and what to do about the first that is bad. */
export function diagnosisPage(frame: Omit<Frame, 'title' | 'current'>, device: string, found: readonly Rung[]): string {
  const { diagnosis } = frame.words.messages;
  const path = devicePath(device);
  const rungs = RUNGS.map(
    (name) => found.find((rung) => rung.name === name) ?? { name, outcome: 'skipped' as const, message: '' },
  );
  return pageHtml(
    { ...frame, title: device },
    html`<div class="page-head"><h1>${diagnosis.title(device)}</h1></div>
<section class="card"><ol class="ladder">${rungs.map(
      ({ name, outcome, message, ...rung }) =>
        html`<li class="${outcome}"><b>${diagnosis.steps[name]}</b><div><p>${diagnosis.outcomes[outcome]}${message !== '' && html`: ${message}`}</p>${'hint' in rung && rung.hint !== undefined && html`<p>${rung.hint}</p>`}</div></li>`,
    )}</ol></section>
<form method="post" action="${path}/diagnosis" class="row-form">${formToken(frame.request)}<button>${diagnosis.again}</button><a class="button quiet" href="${path}">${diagnosis.back}</a></form>`,
  );
}
