import type { App } from '../src/app.ts'
import type { Secrets } from '../src/crypto/secrets.ts'
import { type Mail, openMail } from '../src/domain/mail.ts'
import type { Prisma, PrismaClient } from '../src/generated/prisma/client.ts'

/** A mail that was queued, with what its link carries. */
export type Mailed = Readonly<{ template: Mail['template']; to: string; link: URL | null; token: string; code: string; data: Mail['data'] }>

/** The mails that were queued, the first one first: to an address, or all. */
export async function mailsTo(app: App, to?: string): Promise<Mailed[]> {
  return openMails(app.database.prisma, app.authentication.secrets, to)
}

/** The last of them. @throws when there is none */
export async function lastMailTo(app: App, to: string): Promise<Mailed> {
  const mail = (await mailsTo(app, to)).at(-1)
  if (!mail) throw new Error(`nothing was mailed to ${to}`)
  return mail
}

async function openMails(prisma: PrismaClient, secrets: Secrets, to?: string): Promise<Mailed[]> {
  const rows = await prisma.outboxMessage.findMany({ where: { kind: 'mail' }, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] })
  const mails = rows.map(({ id, payload }) => describe(openMail(secrets, id, payload as Prisma.JsonObject)))
  return to === undefined ? mails : mails.filter((mail) => mail.to === to)
}

function describe({ template, to, data }: Mail): Mailed {
  const { link: text, code = '' } = data as Readonly<{ link?: string; code?: string }>
  const link = text === undefined ? null : new URL(text)
  return { template, to, link, token: link?.searchParams.get('token') ?? '', code, data }
}
