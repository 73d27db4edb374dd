import { foreignPasswordHash } from '../src/crypto/auth0-hash.ts'
import { changeSource } from './change-source.ts'
import { foreignHashes } from './foreign-hashes.ts'
import type { Harness } from './harness.ts'

const argon2 = '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRvZnJvc3Rlcg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

/** One user of each kind there is, with whatever is hard to write down. Answers their ids by what they are called. */
export async function exportedPeople(harness: Harness): Promise<Record<string, string>> {
  const { prisma } = harness.app.database
  const ids: Record<string, string> = {}
  const make = async (name: string, input: Parameters<Harness['aUser']>[0]) => {
    ids[name] = (await harness.aUser(input)).id
    return ids[name]
  }
  const jane = await make('jane', {
    email: 'Jane@Example.com',
    emailVerified: true,
    phoneNumber: '+491511234567',
    phoneNumberVerified: true,
    username: 'Jane.Doe',
    externalId: 'auth0|1',
    passwordHash: argon2,
    profile: {
      name: '=HYPERLINK("http://evil.example")',
      givenName: "'=1+1",
      familyName: 'Doe, "the" second\nline',
      nickname: "'s-Hertogenbosch",
      middleName: '-x',
      preferredUsername: '@jane',
      picture: 'https://example.com/jane.png',
      birthdate: '0000-02-29',
      zoneinfo: 'Europe/Paris',
      locale: 'fr-FR',
      gender: '+',
      address: { formatted: '1 Rue\nde la Paix', country: null, '10': 'x', '9': 'y' },
    },
    userMetadata: { theme: 'dark', list: [1, 2.5, null, { deep: true }], 'a.b': '=x', aa: {}, b: '1', '10': 1, '9': 2 },
    appMetadata: { plan: 'pro', is_anonymous: false },
    createdAt: new Date('2020-02-03T04:05:06.007Z'),
  })
  const google = { userId: jane, provider: 'google', email: 'jane@gmail.com', emailVerified: true }
  await prisma.identity.create({
    data: {
      id: crypto.randomUUID(),
      ...google,
      providerUserId: '1',
      claims: { sub: '1', n: 1 },
      createdAt: new Date('2021-01-01T00:00:00.120Z'),
    },
  })
  const acme = await prisma.identity.create({
    data: { id: crypto.randomUUID(), userId: jane, provider: 'Acme', providerUserId: 'é', createdAt: new Date(), lastSignInAt: new Date() },
  })
  await changeSource(prisma, { userId: jane, attribute: 'locale' }, { origin: 'IDENTITY', identityId: acme.id })
  await make('plain', {})
  await make('username', { username: 'nobody' })
  for (const [index, { custom }] of foreignHashes.entries()) {
    const made = foreignPasswordHash(custom)
    await make(`hash${index}`, { email: `hash${index}@example.com`, passwordHash: 'hash' in made ? made.hash : '' })
  }
  const act = (name: string, input: string) => harness.admin(`mutation { ${name}(input: { ${input} }) { errors { code } } }`)
  await act('blockUser', `id: "${await make('blocked', { email: 'blocked@example.com' })}", reason: "=cmd"`)
  await act('blockUser', `id: "${await make('blockedForAWhile', { email: 'while@example.com' })}", duration: "P1D"`)
  await act('deleteUser', `id: "${await make('deleted', { email: 'deleted@example.com', password: 'a long pass phrase' })}"`)
  await act('deleteUser', `id: "${await make('anonymous', { email: 'anonymous@example.com' })}", mode: ANONYMIZE`)
  await act('inviteUser', 'email: "invited@example.com"')
  return ids
}

/** Deleted ones included. */
export const everybody = { status: ['ACTIVE', 'INVITED', 'BLOCKED', 'DELETED'] }
