import { type Configuration, fetchProtectedResource } from 'openid-client'

const api = 'https://api.github.com'
const headers = new Headers({ accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' })

/**
 * Who has signed in at GitHub, which has no ID tokens: `GET /user`, with the address of `GET /user/emails` that is primary, as `email` and
 * `email_verified`. The public address of the profile is not looked at: nobody has verified it. Without the scope `user:email` there is none.
 * @throws {Error} when GitHub does not answer, or not as it must
 */
export async function readGitHubClaims(configuration: Configuration, accessToken: string): Promise<Record<string, unknown>> {
  const [user, emails] = await Promise.all([
    ask(configuration, accessToken, '/user'),
    ask(configuration, accessToken, '/user/emails').catch(() => []),
  ])
  if (typeof user !== 'object' || user === null || Array.isArray(user)) throw new Error('GitHub answered no user')
  return { ...user, ...primaryAddress(emails) }
}

async function ask(configuration: Configuration, accessToken: string, path: string): Promise<unknown> {
  const response = await fetchProtectedResource(configuration, accessToken, new URL(path, api), 'GET', null, headers)
  if (response.status !== 200) throw new Error(`GitHub answered ${response.status}`)
  return response.json()
}

function primaryAddress(emails: unknown): { email: unknown; email_verified: boolean } {
  const all = (Array.isArray(emails) ? emails : []) as ({ email?: unknown; primary?: unknown; verified?: unknown } | null)[]
  const primary = all.find((entry) => entry?.primary === true)
  return { email: primary?.email ?? null, email_verified: primary?.verified === true }
}
