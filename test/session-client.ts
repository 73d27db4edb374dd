import { type StartedSession, startSession } from '../src/domain/session.ts'
import type { Answer, Harness } from './harness.ts'

/** What refreshSession answered. */
export type Refreshed = Readonly<{
  user: { id: string } | null
  tokens: { accessToken: string; refreshToken: string; expiresIn: number; tokenType: string } | null
  errors: readonly { code: string; path: string[]; message: string }[]
}>

export const refreshOperation =
  'mutation($input: RefreshSessionInput!) { refreshSession(input: $input) { user { id } tokens { accessToken refreshToken expiresIn tokenType } errors { code path message } } }'

/** Signs a user in, past the password. */
export function aSession({ app }: Harness, userId: string, userAgent: string | null = null): Promise<StartedSession> {
  const input = { userId, connection: 'password', aal: 'aal1', amr: ['pwd'], ip: '192.0.2.1', userAgent }
  return startSession({ db: app.database.prisma, clock: app.clock }, app.authentication, input)
}

/** Sends a refresh token, as a frontend does: without any other. */
export async function refresh(harness: Harness, refreshToken: string): Promise<Refreshed> {
  const { data, errors } = await harness.run(refreshOperation, { variables: { input: { refreshToken } } })
  if (errors !== undefined) throw new Error(JSON.stringify(errors))
  return data?.['refreshSession'] as Refreshed
}

/** The codes of the expected failures, and of the others. */
export function codesOf({ data, errors }: Answer, mutation: string): string[] {
  const payload = data?.[mutation] as { errors: { code: string }[] } | null | undefined
  return [...(errors ?? []).map(({ extensions }) => String(extensions?.['code'])), ...(payload?.errors ?? []).map(({ code }) => code)]
}

/** A user's history, the newest first: `type`, and `failed` where it was. */
export async function historyOf({ app }: Harness, userId: string): Promise<string[]> {
  const events = await app.database.prisma.auditEvent.findMany({ where: { userId }, orderBy: { id: 'desc' } })
  return events.map(({ type, success }) => (success ? type : `${type} failed`))
}

/** Whether an access token is taken at the next request. */
export async function isTaken(harness: Harness, token: string): Promise<boolean> {
  const { status, data } = await harness.run('{ me { id } }', { token })
  return status === 200 && data?.['me'] !== null
}
