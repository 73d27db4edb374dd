import { oneLine } from '../../ports/mailer.ts'
import type { Mail } from '../mail.ts'
import { escapeHtml } from './escape-html.ts'
import type { TemplateSource, TemplateSources } from './template-source.ts'

/** What every mail may say. */
type Circumstances = Readonly<{
  appName: string
  /** When what it tells of happened. */
  at: Date
  /** How long its link and code still work. */
  minutesLeft: number
}>

/** A `{{name}}` of a template. */
export const placeholder = /\{\{(.*?)\}\}/gs

/** Writes a mail: a value is text on one line, whatever it holds, and in HTML it is no markup. */
export function renderMail(sources: TemplateSources, mail: Mail, circumstances: Circumstances): TemplateSource {
  const values = valuesOf(mail, circumstances)
  const { subject, text, html } = sources[mail.template]
  const fill = (source: string, write: (value: string) => string) =>
    source.replace(placeholder, (_, name: string) => write(oneLine(values[name.trim()] ?? '')))
  return { subject: oneLine(fill(subject, String)), text: fill(text, String), html: fill(html, escapeHtml) }
}

function valuesOf({ template, to, data }: Mail, { appName, at, minutesLeft }: Circumstances): Readonly<Record<string, string | undefined>> {
  const { link, code, newEmail, oldEmail } = data as Readonly<{ link?: string; code?: string; newEmail?: string; oldEmail?: string | null }>
  if (link !== undefined && !/^https?:$/.test(new URL(link).protocol)) throw new Error('a link of a mail must be http or https')
  return {
    appName,
    email: to,
    time: `${at.toISOString().slice(0, 16).replace('T', ' at ')} UTC`,
    link,
    code,
    expiresIn: duration(minutesLeft),
    newEmail,
    oldEmail: shown(template === 'CONFIRM_EMAIL_CHANGE_NEW' ? masked(oldEmail) : oldEmail),
  }
}

function shown(email: string | null | undefined): string {
  return email ?? 'none'
}

/** The first character of the local part, and the domain. */
function masked(email: string | null | undefined): string | null {
  if (email === null || email === undefined) return null
  const [first = ''] = email
  return `${first}•••${email.slice(email.lastIndexOf('@'))}`
}

/** In words, and never longer than it is. */
function duration(minutes: number): string {
  if (minutes < 60) return count(Math.max(1, minutes), 'minute')
  const hours = Math.floor(minutes / 60)
  if (minutes < 120 && minutes % 60 !== 0) return count(minutes, 'minute')
  return hours < 48 ? count(hours, 'hour') : count(Math.floor(hours / 24), 'day')
}

function count(number: number, unit: string): string {
  return `${number} ${unit}${number === 1 ? '' : 's'}`
}
