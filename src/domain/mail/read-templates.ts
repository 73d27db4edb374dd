import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MailTemplate } from '../mail.ts'
import { placeholder } from './render-mail.ts'
import { defaultSources, placeholders, type TemplateSource, type TemplateSources } from './template-source.ts'

const endings = { subject: '.subject.txt', text: '.txt', html: '.html' } as const satisfies Record<keyof TemplateSource, string>

const parts = Object.keys(endings) as (keyof TemplateSource)[]

/**
 * Reads the templates of a directory over the default ones: `sign-in.subject.txt`, `sign-in.txt` and `sign-in.html` are the parts of
 * `SIGN_IN`, each of which may be missing. Other files than `.txt` and `.html` are left alone.
 * @throws {Error} with every problem, by file
 */
export function readTemplates(directory: string): TemplateSources {
  const files = readDirectory(directory).filter((name) => /\.(txt|html)$/.test(name))
  const known = new Set<string>()
  const problems: string[] = []
  const readPart = (template: MailTemplate, part: keyof TemplateSource): string => {
    const file = `${template.toLowerCase().replaceAll('_', '-')}${endings[part]}`
    known.add(file)
    if (!files.includes(file)) return defaultSources[template][part]
    const source = readFileSync(join(directory, file), 'utf8')
    problems.push(...problemsOf(source, template, part).map((problem) => `${file} ${problem}`))
    return source
  }
  const sources = Object.fromEntries(
    (Object.keys(defaultSources) as MailTemplate[]).map((template) => [
      template,
      Object.fromEntries(parts.map((part) => [part, readPart(template, part)])),
    ]),
  ) as TemplateSources
  problems.push(...files.filter((file) => !known.has(file)).map((file) => `${file} is the name of no template`))
  if (problems.length > 0) throw new Error(problems.join('; '))
  return sources
}

function readDirectory(directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch {
    throw new Error(`${directory} is no directory that can be read`)
  }
}

function problemsOf(source: string, template: MailTemplate, part: keyof TemplateSource): string[] {
  const { allowed, oneOf } = placeholders(template)
  const used = [...source.matchAll(placeholder)].map(([, name = '']) => name.trim())
  const unknown = used.filter((name) => !allowed.includes(name))
  const isMissing = part !== 'subject' && oneOf.length > 0 && !oneOf.some((name) => used.includes(name))
  return [
    ...(source.trim() === '' ? ['is empty'] : []),
    ...(source.replace(placeholder, '').includes('{{') ? ['has {{ without }}'] : []),
    ...unknown.map((name) => `has {{${oneLineOf(name)}}}, which is none of ${allowed.join(', ')}`),
    ...(isMissing ? [`lacks ${oneOf.map((name) => `{{${name}}}`).join(' or ')}`] : []),
  ]
}

function oneLineOf(name: string): string {
  return name.replace(/\s+/g, ' ').slice(0, 40)
}
