import { get, type IncomingMessage } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { startSite, testDevice } from '../../support/site.ts';

async function listen(url: string): Promise<IncomingMessage> {
  const response = await new Promise<IncomingMessage>((resolve) =>
    get(`${url}/api/v1/live`, { agent: false }, resolve),
  );
  onTestFinished(() => void response.destroy());
  return response.setEncoding('utf8');
}

const event = async (response: IncomingMessage) =>
  await new Promise<string>((resolve) => {
    let text = '';
    response.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('event: site\n')) resolve(text);
    });
  });

test('fifty open pages are told the same', async () => {
  const site = await startSite({ devices: Array.from({ length: 200 }, (_, index) => testDevice(`dev-${index}`)) });
  const pages = await Promise.all(Array.from({ length: 50 }, async () => await listen(site.url)));
  const texts = await Promise.all(pages.map(event));

  expect(new Set(texts.map((text) => text.slice(text.indexOf('event: site')))).size).toBe(1);
  const [, asOf = '', body = ''] = /data: (.*)\ndata: (.*)\n/.exec(texts[0] ?? '') ?? [];
  expect(JSON.parse(asOf)).toHaveProperty('as_of');
  expect(JSON.parse(body)).toMatchObject({ tone: 'good', title: 'All 200 devices are up', wrong: [], changed: [] });
});

test('what is wrong is told in the words that the page shows, with a link for any name', async () => {
  const devices = [
    testDevice('half \uD800', 'down'),
    testDevice('a', 'up', {}, [
      { metric: 'siteward_component_ok', labels: { component: '\u202Egnp.exe', kind: 'fan' }, value: 0 },
    ]),
  ];
  const site = await startSite({ devices });
  const text = await event(await listen(site.url));
  const { wrong } = JSON.parse(/data: .*\ndata: (.*)\n/.exec(text)?.[1] ?? '') as {
    wrong: { name: string; path: string; text: string }[];
  };

  expect(wrong.map(({ name, path }) => [name, path])).toEqual([
    ['half \uFFFD', '/devices/half%20%EF%BF%BD'],
    ['a', '/devices/a'],
  ]);
  expect(wrong[1]?.text).toContain('\uFFFDgnp.exe');
});
