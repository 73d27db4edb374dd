import { createHash } from 'node:crypto'
import type { Answer, Route } from './exchange.ts'
import { graphiqlExamples } from './graphiql-examples.ts'
import { HttpError } from './http-error.ts'

/**
 * `GET /graphql` for browsers: GraphiQL with everything it needs in the page, so that it works without the internet and runs
 * nobody else's script. GraphQL itself is not offered over GET. `token` is put into the headers tab; null: none.
 */
export function createGraphiQLRoute(token: string | null): Route {
  let page: Promise<Answer> | undefined
  return ({ request }) => {
    if (!request.headers.accept?.includes('text/html'))
      throw new HttpError(405, 'BAD_USER_INPUT', 'GraphQL is served by POST.', { Allow: 'POST' })
    page ??= renderPage(token)
    return page
  }
}

/** On a first visit GraphiQL's tabs are set aside when the font arrives, and a click on one of them would miss it. */
const style = '<style>.graphiql-tab { transform: none !important }</style>'

async function renderPage(token: string | null): Promise<Answer> {
  // Loaded when first asked for: it holds nine megabytes of GraphiQL.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
  const headers = token === null ? '{}' : JSON.stringify({ Authorization: `Bearer ${token}` }, null, 2)
  const body = renderGraphiQL({
    title: 'Roster',
    headers,
    defaultHeaders: headers,
    defaultTabs: graphiqlExamples.map((example) => ({ ...example, headers })),
    defaultEditorToolsVisibility: 'headers',
    shouldPersistHeaders: false,
  }).replace('</head>', `${style}</head>`)
  return { status: 200, headers: pageHeaders(body), body: Buffer.from(body) }
}

/** The page's one script is allowed by its hash. Monaco sets styles from script and starts its workers from blobs. */
function pageHeaders(page: string): Record<string, string> {
  const script = page.slice(page.indexOf('<script>') + '<script>'.length, page.lastIndexOf('</script>'))
  const hash = createHash('sha256').update(script).digest('base64')
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${hash}'`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    "connect-src 'self'",
    'worker-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy.join('; '),
    'Cross-Origin-Opener-Policy': 'same-origin',
  }
}
