import type { Reporter, TestCase } from 'vitest/node'
import { hasChromium } from './chromium.ts'

/** Says in a line each what a run without PostgreSQL, or without Chromium, left out. */
export const skippedReporter: Reporter = {
  onTestRunEnd(modules) {
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')])
    const pages = skipped.filter(opensPages).length
    const others = skipped.length - pages
    if (pages > 0 && !hasChromium)
      console.log(`${pages} tests need Chromium: CHROMIUM=/path/to/chromium npm test, or apt-get install chromium`)
    if (others > 0 && !process.env['TEST_DATABASE_URL'])
      console.log(`${others} tests need PostgreSQL: TEST_DATABASE_URL=postgresql://... npm test, or .ci/postgres run npm test`)
  },
}

function opensPages({ module }: TestCase): boolean {
  return module.moduleId.endsWith('/graphiql.test.ts')
}
