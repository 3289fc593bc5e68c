import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { REFERENCES } from '../../scripts/references.ts';

test.each(Object.entries(REFERENCES))(
  '%s says what the code says (node scripts/references.ts writes it)',
  (file, make) => {
    expect(readFileSync(resolve(import.meta.dirname, '../..', file), 'utf8')).toBe(make());
  },
);
