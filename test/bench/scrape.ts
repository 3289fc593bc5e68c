/** Scrapes an address several times and prints how many milliseconds each took, as JSON. */
const [url = '', times = '1'] = process.argv.slice(2);
const took: number[] = [];
for (let scrape = 0; scrape < Number(times); scrape += 1) {
  const start = performance.now();
  const response = await fetch(url);
  let bytes = 0;
  for await (const chunk of response.body ?? []) bytes += chunk.length;
  if (bytes === 0) throw new Error('nothing was scraped');
  took.push(performance.now() - start);
}
console.log(JSON.stringify(took));
