/** What health checks are told, at the front door as by the routes. */
import { text } from './answer.ts';
import type { SiteView } from './site-view.ts';

export const healthy = () => text('siteward is healthy\n');

export function ready(view: Pick<SiteView, 'notReady'>) {
  const reasons = view.notReady();
  return reasons.length === 0 ? text('siteward is ready\n') : text(`${reasons.join('\n')}\n`, 503);
}
