import type { Frame } from '../pages/layout.ts';
import type { WebContext, WebRequest } from '../route.ts';

/** What every page is set in, for this request. */
export function frameOf(
  request: Frame['request'] & Pick<WebRequest<unknown, unknown>, 'language'>,
  { view, snapshots, inventory }: Pick<WebContext, 'view' | 'snapshots' | 'inventory'>,
): Omit<Frame, 'title' | 'current'> {
  const waiting = inventory?.discoveries().filter(({ state }) => state === 'candidate').length;
  return {
    view,
    words: snapshots.words(request.language),
    request,
    ...(waiting === undefined ? {} : { waiting }),
  };
}
