import { SignJWT } from 'jose'
import { Configuration } from 'openid-client'
import { beforeAll, describe, expect, test } from 'vitest'
import { systemScope } from '../src/app.ts'
import type { ProviderStrategy } from '../src/domain/connection/strategy.ts'
import { DomainError } from '../src/domain/errors.ts'
import type { ProviderConnection } from '../src/domain/federation/provider-connection.ts'
import { verifyIdToken } from '../src/domain/federation/verify-id-token.ts'
import { boot, type Harness } from './harness.ts'
import { aKey, type ProviderKey } from './provider.ts'

let harness: Harness
let key: ProviderKey

beforeAll(async () => {
  harness = await boot()
  key = await aKey('key-1')
})

const entra = 'https://login.microsoftonline.com'
const tenant = '9122040d-6c67-4c5b-b112-36a304b66dad'
const google = 'https://accounts.google.com'

/** Verifies a token of a provider that is far away, whose document names this issuer: its subject, or the code of what is wrong. */
async function subjectOf(strategy: ProviderStrategy, issuer: string, claims: Record<string, unknown>): Promise<string> {
  const seconds = Math.floor(Date.now() / 1000)
  const jwt = new SignJWT({ aud: 'roster', sub: '1', iat: seconds, exp: seconds + 3600, ...claims })
  const idToken = await jwt.setProtectedHeader({ alg: key.alg, kid: key.kid }).sign(key.privateKey)
  const publicKey = await crypto.subtle.importKey('jwk', key.jwk, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, true, ['verify'])
  const providers = { configuration: async () => new Configuration({ issuer }, 'roster'), keys: () => async () => publicKey }
  const scope = { ...systemScope(harness.app), ...harness.app.authentication, providers }
  const connection = { key: 'far', strategy, issuer, clientId: 'roster', attributeMap: {} } as unknown as ProviderConnection
  try {
    return (await verifyIdToken(scope, connection, { idToken, nonce: null })).person.subject
  } catch (error) {
    if (error instanceof DomainError) return error.code
    throw error
  }
}

describe('Microsoft, for several tenants', () => {
  const template = `${entra}/{tenantid}/v2.0`
  const iss = `${entra}/${tenant}/v2.0`

  test('is the issuer of each tenant that its tokens name', async () => {
    expect(await subjectOf('MICROSOFT', template, { iss, tid: tenant })).toBe('1')
  })

  test.each([
    ['another tenant', { iss, tid: '00000000-6c67-4c5b-b112-36a304b66dad' }],
    ['no tenant', { iss }],
    ['the template', { iss: template }],
    ['the template as a tenant', { iss: template, tid: '{tenantid}' }],
    ['a tenant that is none', { iss: `${entra}/x/v2.0`, tid: 'x' }],
    ['a path', { iss: `${entra}/../evil/v2.0`, tid: '../evil' }],
    ['another host', { iss: `https://evil.example/${tenant}/v2.0`, tid: tenant }],
  ])('is not that of a token that names %s (C7.82)', async (_what, claims) => {
    expect(await subjectOf('MICROSOFT', template, claims)).toBe('TOKEN_NOT_VALID')
  })

  test('of one tenant is that tenant’s alone', async () => {
    const other = '00000000-6c67-4c5b-b112-36a304b66dad'

    expect(await subjectOf('MICROSOFT', iss, { iss, tid: tenant })).toBe('1')
    expect(await subjectOf('MICROSOFT', iss, { iss: `${entra}/${other}/v2.0`, tid: other })).toBe('TOKEN_NOT_VALID')
  })

  test('is no pattern for other providers', async () => {
    expect(await subjectOf('OIDC', template, { iss, tid: tenant })).toBe('TOKEN_NOT_VALID')
  })
})

describe('Google', () => {
  test('names itself with or without its scheme', async () => {
    expect(await subjectOf('GOOGLE', google, { iss: google })).toBe('1')
    expect(await subjectOf('GOOGLE', google, { iss: 'accounts.google.com' })).toBe('1')
    expect(await subjectOf('OIDC', google, { iss: 'accounts.google.com' })).toBe('TOKEN_NOT_VALID')
    expect(await subjectOf('GOOGLE', google, { iss: 'http://accounts.google.com' })).toBe('TOKEN_NOT_VALID')
  })

  test('lets an app of the same project ask for a token for Roster; nobody else does', async () => {
    const claims = { azp: 'android.apps.googleusercontent.com' }

    expect(await subjectOf('GOOGLE', google, { iss: google, ...claims })).toBe('1')
    expect(await subjectOf('GOOGLE', google, { iss: google, ...claims, aud: ['roster', 'other'] })).toBe('TOKEN_NOT_VALID')
    expect(await subjectOf('APPLE', 'https://appleid.apple.com', { iss: 'https://appleid.apple.com', ...claims })).toBe('TOKEN_NOT_VALID')
  })
})
