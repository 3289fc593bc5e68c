/** An invented site that ends with its test. */
import { onTestFinished } from 'vitest';
import { openSite, type SiteOptions, type TestSite } from './invented-site.ts';

export { type TestDevice, type TestSite, testDevice } from './invented-site.ts';

export async function startSite(options: SiteOptions = {}): Promise<TestSite> {
  const site = await openSite(options);
  onTestFinished(async () => await site.close());
  return site;
}
