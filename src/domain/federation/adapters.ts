import type { ProviderStrategy } from '../connection/strategy.ts'
import type { ProfileAttribute } from '../profile.ts'

/** Claims as a provider sent them: verified where they come from, and not yet looked at. */
export type Claims = Readonly<Record<string, unknown>>

/** What a strategy makes of claims. The values of the profile are not looked at yet. */
type Said = Readonly<{
  subject: string | null
  email: unknown
  /** True only where the provider vouches for the address; what is not said is not verified. */
  emailVerified: boolean
  profile: Readonly<Partial<Record<ProfileAttribute, unknown>>>
}>

type Adapter = (claims: Claims, appleUser: string | null) => Said

/** How each strategy reads what its provider sends. */
export const adapters: { readonly [Strategy in ProviderStrategy]: Adapter } = {
  OIDC: readOpenId,
  GOOGLE: readOpenId,
  APPLE: readApple,
  MICROSOFT: readMicrosoft,
  GITHUB: readGitHub,
}

/** OpenID Connect Core 1.0 §5.1. */
function readOpenId(claims: Claims): Said {
  return {
    subject: typeof claims['sub'] === 'string' ? claims['sub'] : null,
    email: claims['email'],
    emailVerified: claims['email_verified'] === true,
    profile: {
      name: claims['name'],
      givenName: claims['given_name'],
      familyName: claims['family_name'],
      middleName: claims['middle_name'],
      nickname: claims['nickname'],
      preferredUsername: claims['preferred_username'],
      picture: claims['picture'],
      website: claims['website'],
      gender: claims['gender'],
      birthdate: claims['birthdate'],
      zoneinfo: claims['zoneinfo'],
      locale: claims['locale'],
      address: claims['address'],
    },
  }
}

/**
 * Apple says booleans as text, too, and the name only once, beside the token of the first sign-in. Mail to an address of
 * `privaterelay.appleid.com` reaches the person; it is verified like any other.
 */
function readApple(claims: Claims, appleUser: string | null): Said {
  const said = readOpenId(claims)
  const emailVerified = claims['email_verified'] === true || claims['email_verified'] === 'true'
  const name = appleName(appleUser)
  const full = [name.givenName, name.familyName].filter((part) => part !== undefined).join(' ')
  return { ...said, emailVerified, profile: { ...said.profile, ...name, ...(full === '' ? {} : { name: full }) } }
}

/** `{"name":{"firstName":"...","lastName":"..."},"email":"..."}` */
function appleName(user: string | null): Readonly<{ givenName?: string; familyName?: string }> {
  const name = user === null || user.length > 4096 ? undefined : parsed(user)?.['name']
  if (typeof name !== 'object' || name === null) return {}
  const { firstName, lastName } = name as Record<string, unknown>
  return { ...(isText(firstName) ? { givenName: firstName } : {}), ...(isText(lastName) ? { familyName: lastName } : {}) }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text) as Record<string, unknown> | null
  } catch {
    return null
  }
}

/**
 * Whoever runs a tenant of Entra ID writes any address into it. Only the optional claim `xms_edov` says that the owner of the address's
 * domain has confirmed it, in one of several forms.
 */
function readMicrosoft(claims: Claims): Said {
  const isConfirmed = ([true, 1, '1', 'true'] as unknown[]).includes(claims['xms_edov'])
  return { ...readOpenId(claims), emailVerified: isConfirmed }
}

/**
 * GitHub's `GET /user`, with `email` and `email_verified` from `GET /user/emails`; see github-claims.ts. Its ids are numbers, and a login may become
 * somebody else's.
 */
function readGitHub(claims: Claims): Said {
  const id = claims['id']
  return {
    subject: Number.isSafeInteger(id) && Number(id) > 0 ? String(id) : null,
    email: claims['email'],
    emailVerified: claims['email_verified'] === true,
    profile: {
      name: claims['name'],
      nickname: claims['login'],
      preferredUsername: claims['login'],
      picture: claims['avatar_url'],
      website: claims['blog'],
    },
  }
}
