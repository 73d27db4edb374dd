import { createHash } from 'node:crypto'
import { escapeHtml } from '../domain/mail/escape-html.ts'
import type { Answer } from './exchange.ts'

/** Markup that is safe to send: it was made by `html`. */
export type Html = Readonly<{ markup: string }>

/** Makes markup; what is put into it is escaped, unless it is markup itself. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html | null)[]): Html {
  const inserted = values.map((value) => (value === null ? '' : typeof value === 'string' ? escapeHtml(value) : value.markup))
  return { markup: parts.map((part, index) => part + (inserted[index] ?? '')).join('') }
}

const style = `
:root { color-scheme: light dark; --ground: #f3f5f8; --card: #fff; --text: #161b22; --soft: #57606a; --line: #d0d7de; --main: #1f5fbf; --on-main: #fff; --wrong: #b42318 }
@media (prefers-color-scheme: dark) { :root { --ground: #0e1116; --card: #171c23; --text: #f0f3f6; --soft: #9aa4af; --line: #3a434e; --main: #6ea8ff; --on-main: #0b1524; --wrong: #ff8a7a } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 26rem; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem }
h1 { margin: 0 0 .5rem; font-size: 1.375rem; line-height: 1.3 }
p { margin: 0 0 1.25rem; color: var(--soft) }
p:last-child { margin-bottom: 0 }
label { display: block; margin-bottom: .25rem; font-weight: 600 }
input { width: 100%; padding: .625rem .75rem; margin-bottom: .5rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: .5rem }
input[aria-invalid] { border-color: var(--wrong) }
button { width: 100%; margin-top: .75rem; padding: .75rem; font: inherit; font-weight: 600; color: var(--on-main); background: var(--main); border: 0; border-radius: .5rem; cursor: pointer }
:focus-visible { outline: 3px solid var(--main); outline-offset: 2px }
.wrong { margin: 0 0 .5rem; color: var(--wrong) }
.hint { margin: 0; font-size: .875rem }
`

const styleHash = createHash('sha256').update(style).digest('base64')

type Page = Readonly<{
  status: number
  title: string
  body: Html
  /** Where its form may lead, beside this site: a redirect after a form counts as its action in browsers. */
  formLeadsTo?: string | null
  headers?: Readonly<Record<string, string>>
}>

/** A page that runs no script, loads nothing, and cannot be framed. */
export function page({ status, title, body, formLeadsTo = null, headers = {} }: Page): Answer {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    `form-action 'self'${formLeadsTo === null ? '' : ` ${sourceOf(new URL(formLeadsTo))}`}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]
  const { markup } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${{ markup: style }}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`
  const security = { 'Content-Security-Policy': policy.join('; '), 'Cross-Origin-Opener-Policy': 'same-origin' }
  return { status, headers: { 'Content-Type': 'text/html; charset=utf-8', ...security, ...headers }, body: markup }
}

/** A URL as a content security policy names it: its origin, or the scheme of an app. */
function sourceOf({ protocol, origin }: URL): string {
  return protocol === 'http:' || protocol === 'https:' ? origin : protocol
}
