import { defineConfig } from 'vitest/config';

const long = process.env.SITEWARD_LONG === '1';

export default defineConfig({
  test: {
    include: [long ? 'test/**/*.long.test.ts' : 'test/**/*.test.ts'],
    exclude: long ? [] : ['test/**/*.long.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: long ? 1_200_000 : 60_000,
    hookTimeout: 60_000,
    restoreMocks: true,
  },
});
