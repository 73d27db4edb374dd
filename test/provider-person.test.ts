import { describe, expect, test } from 'vitest'
import type { ProviderStrategy } from '../src/domain/connection/strategy.ts'
import type { Claims } from '../src/domain/federation/adapters.ts'
import { readPerson } from '../src/domain/federation/provider-person.ts'
import type { Metadata } from '../src/domain/metadata.ts'

const read = (strategy: ProviderStrategy, claims: Claims, attributeMap: Metadata = {}, appleUser: string | null = null) =>
  readPerson({ strategy, attributeMap }, claims, { appleUser })

/** https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload */
const google = {
  iss: 'https://accounts.google.com',
  azp: '1234987819200.apps.googleusercontent.com',
  aud: '1234987819200.apps.googleusercontent.com',
  sub: '10769150350006150715113082367',
  at_hash: 'HK6E_P6Dh8Y93mRNtsDB1Q',
  hd: 'example.com',
  email: 'jsmith@example.com',
  email_verified: true,
  name: 'Jane Smith',
  given_name: 'Jane',
  family_name: 'Smith',
  picture: 'https://lh3.googleusercontent.com/a/photo=s96-c',
  locale: 'en',
  iat: 1353601026,
  exp: 1353604926,
  nonce: '0394852-3190485-2490358',
}

/** https://developer.apple.com/documentation/signinwithapple/authenticating-users-with-sign-in-with-apple */
const apple = {
  iss: 'https://appleid.apple.com',
  aud: 'com.example.app',
  exp: 1596621649,
  iat: 1596621049,
  sub: '001451.3dc436155xxxxxxxxxxxxxxxxxxxx59f.0447',
  c_hash: 'iUqI9Vyxxxxxxxxxg-CyoA',
  email: '8m2xxxxmew@privaterelay.appleid.com',
  email_verified: 'true',
  is_private_email: 'true',
  auth_time: 1596621049,
  nonce_supported: true,
  real_user_status: 2,
}

/** https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference */
const microsoft = {
  ver: '2.0',
  iss: 'https://login.microsoftonline.com/9122040d-6c67-4c5b-b112-36a304b66dad/v2.0',
  sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
  aud: '6cb04018-a3f5-46a7-b995-940c78f5aef3',
  exp: 1536361411,
  iat: 1536274711,
  nbf: 1536274711,
  name: 'Abe Lincoln',
  preferred_username: 'AbeLi@microsoft.com',
  oid: '00000000-0000-0000-66f3-3332eca7ea81',
  tid: '9122040d-6c67-4c5b-b112-36a304b66dad',
  nonce: '123523',
  aio: 'Df2UVXL1ix!lMCWMSOJBcFatzcGfvFGhjKv8q5g0x732dR5MB5BisvGQO7YWByjd8iQDLq!eGbIDakyp5mnOrcdqHeYSnltepQmRp6AIZ8jY',
}

/** https://docs.github.com/en/rest/users/users#get-the-authenticated-user, with the primary address of /user/emails */
const github = {
  login: 'octocat',
  id: 583231,
  node_id: 'MDQ6VXNlcjE=',
  avatar_url: 'https://github.com/images/error/octocat_happy.gif',
  html_url: 'https://github.com/octocat',
  type: 'User',
  site_admin: false,
  name: 'monalisa octocat',
  company: 'GitHub',
  blog: 'https://github.com/blog',
  location: 'San Francisco',
  email: 'octocat@github.com',
  email_verified: true,
  plan: { name: 'Medium', space: 400, private_repos: 20, collaborators: 0 },
}

test('Google', () => {
  expect(read('GOOGLE', google)).toEqual({
    subject: '10769150350006150715113082367',
    email: 'jsmith@example.com',
    emailVerified: true,
    profile: {
      name: 'Jane Smith',
      givenName: 'Jane',
      familyName: 'Smith',
      picture: 'https://lh3.googleusercontent.com/a/photo=s96-c',
      locale: 'en',
    },
    claims: {
      iss: 'https://accounts.google.com',
      sub: '10769150350006150715113082367',
      hd: 'example.com',
      email: 'jsmith@example.com',
      email_verified: true,
      name: 'Jane Smith',
      given_name: 'Jane',
      family_name: 'Smith',
      picture: 'https://lh3.googleusercontent.com/a/photo=s96-c',
      locale: 'en',
    },
  })
})

describe('Apple', () => {
  test('says booleans as text, and sends no name with the token', () => {
    expect(read('APPLE', apple)).toMatchObject({ email: '8m2xxxxmew@privaterelay.appleid.com', emailVerified: true, profile: {} })
  })

  test('sends a name once, beside the token; of an address there, which nobody has signed, nothing is believed', () => {
    const user = JSON.stringify({ name: { firstName: 'Anna', lastName: 'Nym' }, email: 'ceo@example.com' })

    expect(read('APPLE', apple, {}, user)).toMatchObject({
      email: '8m2xxxxmew@privaterelay.appleid.com',
      profile: { givenName: 'Anna', familyName: 'Nym', name: 'Anna Nym' },
    })
  })

  test.each(['', '{', 'null', '[]', '{"name":1}', '{"name":{"firstName":{},"lastName":null}}'])('sends %s, which is no name', (user) => {
    expect(read('APPLE', apple, {}, user)?.profile).toEqual({})
  })
})

test('Microsoft vouches for no address, unless the owner of its domain has', () => {
  expect(read('MICROSOFT', microsoft)).toMatchObject({
    subject: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
    email: null,
    emailVerified: false,
    profile: { name: 'Abe Lincoln', preferredUsername: 'AbeLi@microsoft.com' },
  })
  const withEmail = { ...microsoft, email: 'abe@example.com', email_verified: true }
  expect(read('MICROSOFT', withEmail)).toMatchObject({ email: 'abe@example.com', emailVerified: false })
  for (const xms_edov of [true, 'true', '1', 1]) expect(read('MICROSOFT', { ...withEmail, xms_edov })?.emailVerified).toBe(true)
  for (const xms_edov of [false, 'false', '0', 0, null, 'yes'])
    expect(read('MICROSOFT', { ...withEmail, xms_edov })?.emailVerified).toBe(false)
})

test('GitHub has numbers for subjects', () => {
  expect(read('GITHUB', github)).toMatchObject({
    subject: '583231',
    email: 'octocat@github.com',
    emailVerified: true,
    profile: {
      name: 'monalisa octocat',
      nickname: 'octocat',
      preferredUsername: 'octocat',
      picture: 'https://github.com/images/error/octocat_happy.gif',
      website: 'https://github.com/blog',
    },
  })
  expect(read('GITHUB', { ...github, blog: '', name: null })?.profile).not.toHaveProperty('website')
  for (const id of [undefined, null, '583231', 0, -1, 1.5, 2 ** 60]) expect(read('GITHUB', { ...github, id })).toBeNull()
})

describe('an address is verified', () => {
  const verified = (strategy: ProviderStrategy, email_verified: unknown) =>
    read(strategy, { ...google, id: 1, email_verified })?.emailVerified

  test.each([false, undefined, null, 'false', 'TRUE', 1, '1', {}, []])('by no provider that says %j of it', (said) => {
    for (const strategy of ['OIDC', 'GOOGLE', 'APPLE', 'MICROSOFT', 'GITHUB'] as const) expect(verified(strategy, said)).toBe(false)
  })

  test('with "true" by Apple alone', () => {
    expect((['OIDC', 'GOOGLE', 'APPLE', 'GITHUB'] as const).filter((strategy) => verified(strategy, 'true'))).toEqual(['APPLE'])
  })

  test('only if it is one', () => {
    for (const email of [undefined, null, 1, 'x', 'a@b@c', ['a@example.com'], 'a@exa mple.com'])
      expect(read('OIDC', { ...google, email })).toMatchObject({ email: null, emailVerified: false })
  })
})

describe('claims', () => {
  test('without a subject are nobody’s (C7.83)', () => {
    for (const sub of [undefined, null, '', 1, {}, 'x'.repeat(256), 'a\0b', '\ud800']) expect(read('OIDC', { ...google, sub })).toBeNull()
  })

  test('go where the attribute map says, and null leaves an attribute alone', () => {
    const claims = { sub: '1', name: 'A', nickname: 'B', 'https://x/y': { 'a~b': ['first', 'second'] }, employee: 17, on: true }

    expect(read('OIDC', claims, { name: '/https:~1~1x~1y/a~0b/1', nickname: null, familyName: '/employee' })?.profile).toEqual({
      name: 'second',
      familyName: '17',
    })
    for (const pointer of ['/nowhere', '/name/0/x', '/__proto__', '/constructor/name', '/toString', '/on', '/https:~1~1x~1y'])
      expect(read('OIDC', claims, { name: pointer })?.profile).toEqual({ nickname: 'B' })
  })

  test('that a profile cannot hold are dropped, and the others stay', () => {
    const bad = {
      sub: '1',
      name: ' A ',
      given_name: '',
      family_name: 'x'.repeat(301),
      middle_name: 'a\0b',
      nickname: ['x'],
      picture: 'javascript:alert(1)',
      website: 'example',
      birthdate: '1999-02-30',
      zoneinfo: 'Mars/Olympus',
      locale: '!!',
      gender: null,
      address: 'somewhere',
    }

    expect(read('OIDC', bad)?.profile).toEqual({ name: 'A' })
    expect(read('OIDC', { sub: '1', locale: 'de_CH', address: { country: 'CH' } })?.profile).toEqual({
      locale: 'de_CH',
      address: { country: 'CH' },
    })
  })

  test('are kept as far as metadata may go', () => {
    const deep = JSON.parse('{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}') as unknown
    const claims = JSON.parse(
      `{"sub":"1","__proto__":{"x":1},"${'k'.repeat(65)}":1,"nul":"a\\u0000b","large":"${'x'.repeat(20_000)}","kept":"yes"}`,
    ) as Claims

    expect(read('OIDC', { ...claims, deep })?.claims).toEqual({ sub: '1', kept: 'yes' })
  })
})
