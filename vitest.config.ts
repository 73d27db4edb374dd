import { createRequire } from 'node:module'
import { defineConfig } from 'vitest/config'
import { skippedReporter } from './test/setup/skipped.ts'

export default defineConfig({
  resolve: {
    // Our modules would get graphql's ESM build and Pothos' and Yoga's its CommonJS build: two realms, and every error masked.
    alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') }],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup/postgres.ts'],
    reporters: ['default', skippedReporter],
    // One embedded database for the whole run: it costs seconds to start and milliseconds to empty.
    isolate: false,
    fileParallelism: false,
    hookTimeout: 60_000,
    testTimeout: 30_000,
  },
})
