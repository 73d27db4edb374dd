import type { MailTemplate } from '../mail.ts'
import { htmlLayout } from './html-layout.ts'
import { expiryNote, type TemplateText, templateTexts } from './template-texts.ts'

/** The three parts of a mail, with `{{name}}` for values. */
export type TemplateSource = Readonly<{ subject: string; text: string; html: string }>

/** A source for every mail. */
export type TemplateSources = Readonly<Record<MailTemplate, TemplateSource>>

/** What Roster itself sends. */
export const defaultSources = Object.fromEntries(
  Object.entries(templateTexts).map(([name, text]) => [name, { subject: text.subject, text: textLayout(text), html: htmlLayout(text) }]),
) as TemplateSources

/** The names of the values that a mail may show, and of those of which its text and its HTML must show one. */
export function placeholders(template: MailTemplate): Readonly<{ allowed: readonly string[]; oneOf: readonly string[] }> {
  const { button, hasCode = false, values = [] } = templateTexts[template]
  const oneOf = [...(button === undefined ? [] : ['link']), ...(hasCode ? ['code'] : [])]
  return { allowed: ['appName', 'email', 'time', ...oneOf, ...(oneOf.length > 0 ? ['expiresIn'] : []), ...values], oneOf }
}

function textLayout(template: TemplateText): string {
  const { heading, paragraphs, button, hasCode = false, closing } = template
  const blocks = [
    heading,
    ...paragraphs,
    ...(button === undefined ? [] : [`${button}:\n{{link}}`]),
    ...(hasCode ? [`${button === undefined ? 'Enter this code' : 'Or enter this code'}: {{code}}`] : []),
    ...(button !== undefined || hasCode ? [expiryNote(template)] : []),
    closing,
    '-- \n{{appName}}',
  ]
  return `${blocks.join('\n\n')}\n`
}
