import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { assertOneAddress, type Mailer, type MailMessage, oneLine } from './mailer.ts'
import { readPrivateFile, replacePrivateFile } from './private-file.ts'

/** Keeps mail instead of sending it: a file each, which outlives the process and is read by several. */
export type DevelopmentMailbox = Mailer &
  Readonly<{
    /** What it holds, the newest first. */
    list: () => readonly MailMessage[]
    /** One message; null when there is none of this id. */
    read: (id: string) => MailMessage | null
    /** Removes all. */
    clear: () => void
  }>

/** A mailbox in this folder, which is made when it is needed. The latest messages are kept, for their owner's eyes only. */
export function createDevelopmentMailbox(folder: string, maxMessages = 500): DevelopmentMailbox {
  const pathOf = (id: string) => join(folder, `${id}.json`)
  const remove = (id: string) => rmSync(pathOf(id), { force: true })
  const read = (id: string): MailMessage | null => {
    const text = isId(id) ? readPrivateFile(pathOf(id)) : null
    if (text === null) return null
    const message = JSON.parse(text) as MailMessage
    return { ...message, at: new Date(message.at) }
  }
  return {
    send: async ({ id, to, subject, text, html, at }) => {
      assertOneAddress(to)
      replacePrivateFile(pathOf(id), JSON.stringify({ id, to, subject: oneLine(subject), text, html, at }, null, 2))
      idsIn(folder).slice(maxMessages).forEach(remove)
    },
    close: () => {},
    list: () => idsIn(folder).flatMap((id) => read(id) ?? []),
    read,
    clear: () => idsIn(folder).forEach(remove),
  }
}

/** UUIDs of version 7 sort by time. */
function idsIn(folder: string): string[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return readdirSync(folder)
    .flatMap((name) => (name.endsWith('.json') && isId(name.slice(0, -5)) ? [name.slice(0, -5)] : []))
    .sort()
    .reverse()
}

/** Nothing else becomes part of a path. */
function isId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}
