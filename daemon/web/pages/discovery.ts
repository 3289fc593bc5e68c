import type { DeviceRecord } from '../../inventory/record.ts';
import { timeText } from '../format.ts';
import { type Html, html } from '../html.ts';
import { card, type Frame, facts, formToken, pageHtml } from './layout.ts';

export interface DiscoveryPage {
  readonly frame: Omit<Frame, 'title' | 'current'>;
  readonly candidates: readonly (DeviceRecord & {
    readonly proposedName: string;
    readonly doubtNames: readonly string[];
  })[];
  /** Whether any range is searched. */
  readonly searches: boolean;
  readonly mayDecide: boolean;
  readonly notice?: string;
}

/** What was found and is not watched yet; each with what speaks for it, and the two decisions. */
export function discoveryPage({ frame, candidates, searches, mayDecide, notice }: DiscoveryPage): string {
  const { discovery: text } = frame.words.messages;
  return pageHtml(
    { ...frame, current: 'discovery', title: text.title },
    html`<div class="page-head"><h1>${text.title}</h1><p>${text.intro}</p></div>
${notice !== undefined && html`<p class="notice good" role="status">${notice}</p>`}
${candidates.length === 0 && html`<section class="card"><p class="soft">${searches ? text.none : text.off}</p></section>`}
${candidates.slice(0, 200).map((candidate) => candidateCard(candidate, frame, mayDecide))}`,
  );
}

function candidateCard(
  candidate: DiscoveryPage['candidates'][number],
  frame: DiscoveryPage['frame'],
  mayDecide: boolean,
): Html {
  const { discovery: text, device, classes } = frame.words.messages;
  const { evidence, identity, addresses, proposedName, doubtNames } = candidate;
  const what = [evidence.vendor, evidence.model].filter(Boolean).join(' ') || evidence.sysName || addresses[0] || '';
  return card(
    what,
    html`${facts([
      [device.address, addresses.join(', ')],
      [device.class, identity && classes[identity.class]],
      [device.serial, evidence.serial],
      [device.sysName, evidence.sysName],
      ['MAC', evidence.macs?.[0]],
      [text.firstSeen, timeText(candidate.firstSeen, frame.words)],
      [text.doubts, doubtNames.join(', ')],
    ])}${
      mayDecide &&
      html`<form class="row-form decide" method="post" action="/discovery/${encodeURIComponent(candidate.id)}">${formToken(frame.request)}<label>${text.name}<input name="name" value="${proposedName}" pattern="[A-Za-z0-9][A-Za-z0-9._\\-]{0,62}" required></label><label>${text.reason}<input name="reason" maxlength="1000"></label><button name="decision" value="adopt">${text.adopt}</button><button class="quiet" name="decision" value="ignore">${text.ignore}</button></form>`
    }`,
  );
}
