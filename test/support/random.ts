/** Numbers from 0 to 1 that look random and are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Text from random bytes, half of them such as mean something to some format. */
export function hostileText(random: () => number): string {
  const special = [
    '\n',
    '\r',
    '\t',
    '\0',
    '\\',
    ',',
    '=',
    ' ',
    '"',
    "'",
    '#',
    '{',
    '}',
    '$',
    '<',
    '&',
    '\u001b[31m',
    '\u202e',
  ];
  const length = Math.floor(random() * 24);
  let text = '';
  for (let index = 0; index < length; index++) {
    const pick = random();
    if (pick < 0.5) text += special[Math.floor(random() * special.length)];
    else if (pick < 0.8) text += String.fromCharCode(Math.floor(random() * 256));
    else text += String.fromCharCode(Math.floor(random() * 65_536));
  }
  return text;
}
