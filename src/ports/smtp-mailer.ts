import { createTransport, type Transporter } from 'nodemailer'
import { assertOneAddress, type Mailbox, type Mailer, MailRefusedError, messageId, oneLine } from './mailer.ts'

/** Shorter than the lease of the outbox, so that nobody sends a message again while this attempt may still succeed. */
const sendTimeoutMs = 20_000
const stepTimeoutMs = 10_000

type Options = Readonly<{
  /** See `smtpUrl` in config-values.ts: `smtps://` is TLS from the start, `smtp://` is STARTTLS where the server has it. */
  url: string
  from: Mailbox
  /** Connections at most, each kept for further messages. */
  connections: number
  timeoutMs?: number
}>

/** Sends over SMTP (RFC 5321). A password is only sent over TLS, unless the server is on this machine. */
export function createSmtpMailer({ url, from, connections, timeoutMs = sendTimeoutMs }: Options): Mailer {
  const transport = createTransport({
    ...server(new URL(url)),
    pool: true,
    maxConnections: connections,
    maxRequeues: 0,
    dnsTimeout: stepTimeoutMs,
    connectionTimeout: stepTimeoutMs,
    greetingTimeout: stepTimeoutMs,
    socketTimeout: stepTimeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  }) as Transporter
  return {
    send: async ({ id, to, subject, text, html, at }) => {
      assertOneAddress(to)
      try {
        await transport.sendMail({
          messageId: messageId(id, from),
          date: at,
          from: { name: oneLine(from.name), address: from.address },
          to: { name: '', address: to },
          envelope: { from: from.address, to: [to] },
          subject: oneLine(subject),
          text,
          html,
          // Nobody's holiday notice answers it (RFC 3834).
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal: AbortSignal.timeout(timeoutMs),
        })
      } catch (error) {
        throw isRefusal(error) ? new MailRefusedError(String(error.responseCode), error) : error
      }
    },
    close: () => transport.close(),
  }
}

function server({ protocol, hostname, port, username, password }: URL) {
  const secure = protocol === 'smtps:'
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const isHere = host === 'localhost' || host === '::1' || host.startsWith('127.')
  return {
    host,
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    requireTLS: !secure && username !== '' && !isHere,
    ...(username === '' ? {} : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
  }
}

type SmtpError = Readonly<{ code?: string; command?: string; responseCode?: number }>

/**
 * A reply of 500 to 599 is for good (RFC 5321 §4.2.1) when it is about this recipient or this message. Before that the server has
 * refused us, and the next attempt may find it, or our settings, mended.
 */
function isRefusal(error: unknown): error is SmtpError {
  const { command, responseCode = 0 } = error as SmtpError
  return (command === 'RCPT TO' || command === 'DATA') && responseCode >= 500 && responseCode <= 599 && responseCode !== 503
}
