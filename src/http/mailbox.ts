import { escapeHtml } from '../domain/mail/escape-html.ts'
import type { DevelopmentMailbox } from '../ports/development-mailbox.ts'
import type { MailMessage } from '../ports/mailer.ts'
import { type Answer, json, type Route } from './exchange.ts'

/** Where the mailbox of development mode is. */
export const mailboxPath = '/mailbox'

/** `GET /mailbox` shows what was sent, the newest first, and `GET /mailbox?id=...` one message. It works without JavaScript. */
export function createMailboxRoute(mailbox: DevelopmentMailbox): Route {
  return ({ request }) => {
    const id = new URL(request.url ?? '', 'http://localhost').searchParams.get('id')
    if (id === null) return page(200, listPage(mailbox.list()), '<meta http-equiv="refresh" content="5">')
    const message = mailbox.read(id)
    if (message === null) return json(404, { errors: [{ message: 'There is no such mail.', extensions: { code: 'NOT_FOUND' } }] })
    return page(200, messagePage(message))
  }
}

function listPage(messages: readonly MailMessage[]): string {
  const rows = messages.map(
    ({ id, to, subject, at }) =>
      `<li><a href="${mailboxPath}?id=${id}"><b>${escapeHtml(subject)}</b><span>${escapeHtml(to)}</span>${timeHtml(at)}</a></li>`,
  )
  const list = rows.length === 0 ? '<p>Nothing was sent yet.</p>' : `<ol>${rows.join('\n')}</ol>`
  return `<h1>Mailbox</h1>\n<p>In development mode, mail is kept here instead of being sent. SMTP_URL changes that.</p>\n${list}`
}

/** The mail's own HTML has its own window: it runs no script, and its links open beside it. */
function messagePage({ to, subject, at, text, html }: MailMessage): string {
  return `<p><a href="${mailboxPath}">Mailbox</a></p>
<h1>${escapeHtml(subject)}</h1>
<p>To ${escapeHtml(to)}, ${timeHtml(at)}</p>
<iframe title="The mail as HTML" sandbox="allow-popups allow-popups-to-escape-sandbox" srcdoc="${escapeHtml(linksBeside(html))}"></iframe>
<h2>As plain text</h2>
<pre>${textHtml(text)}</pre>`
}

/** The frame itself shows nothing but the mail. */
function linksBeside(html: string): string {
  const base = '<base target="_blank">'
  const head = /<head\b[^>]*>/i
  return head.test(html) ? html.replace(head, (start) => start + base) : base + html
}

/** Addresses of pages become links. */
function textHtml(text: string): string {
  return escapeHtml(text).replace(/https?:\/\/[^\s<]+/g, (address) => `<a href="${address}" target="_blank" rel="noopener">${address}</a>`)
}

function timeHtml(at: Date): string {
  return `<time datetime="${at.toISOString()}">${at.toISOString().slice(0, 19).replace('T', ' ')} UTC</time>`
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 800px; margin: 0 auto; padding: 24px 16px }
h1 { font-size: 24px; line-height: 1.3; margin: 8px 0; overflow-wrap: anywhere }
h2 { font-size: 18px }
ol { list-style: none; padding: 0 }
li a { display: grid; grid-template-columns: 1fr auto; gap: 0 16px; padding: 12px 8px; border-top: 1px solid #8884; color: inherit; text-decoration: none }
li a:hover { background: #8881 }
li b { grid-column: 1 / -1; overflow-wrap: anywhere }
li span { overflow-wrap: anywhere }
li span, time { opacity: .7 }
iframe { box-sizing: border-box; width: 100%; height: 680px; border: 1px solid #8884; border-radius: 8px; resize: vertical }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: 16px; border: 1px solid #8884; border-radius: 8px }
`

/** The policy holds in the frame as well. A template's images may come from its own site. */
const policy = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  'img-src data: https:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

function page(status: number, body: string, head = ''): Answer {
  return {
    status,
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy, 'Cross-Origin-Opener-Policy': 'same-origin' },
    body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${head}<title>Mailbox - Roster</title>
<style>${style}</style>
</head>
<body>
${body}
</body>
</html>
`,
  }
}
