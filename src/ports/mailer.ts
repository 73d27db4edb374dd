/** An e-mail, written and ready to go. */
export type MailMessage = Readonly<{
  /** The same at each attempt to send it; a UUID. */
  id: string
  to: string
  subject: string
  text: string
  html: string
  at: Date
}>

/** Sends e-mail. */
export type Mailer = Readonly<{
  /** Hands one message over. @throws {MailRefusedError} when another attempt would fail as well; anything else when it may succeed later */
  send: (message: MailMessage) => Promise<void>
  /** Ends its connections. */
  close: () => void
}>

/** A name and an address to send from. */
export type Mailbox = Readonly<{ name: string; address: string }>

/** The message will not be taken, now or later. `code` says why without a value: an SMTP reply code, or `ADDRESS`. */
export class MailRefusedError extends Error {
  override readonly name = 'MailRefusedError'
  readonly code: string

  constructor(code: string, cause?: unknown) {
    super('The message was refused.', { cause })
    this.code = code
  }
}

/**
 * Refuses what could be more than one address, or end a header's line: control characters, blanks, commas, brackets, quotes.
 * @throws {MailRefusedError} ADDRESS
 */
export function assertOneAddress(address: string): void {
  if (!/^[^\s\p{C}\p{Z}"(),:;<>[\\\]@]+@[^\s\p{C}\p{Z}"(),:;<>[\\\]@]+$/u.test(address)) throw new MailRefusedError('ADDRESS')
}

/** The text on one line, for a header: what would begin another line becomes a space. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\s]+/gu, ' ').trim()
}

/** `<id@host>`, where the host is that of the sender (RFC 5322 §3.6.4). */
export function messageId(id: string, from: Mailbox): string {
  return `<${id}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`
}
