import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { boot, type Harness, type Person } from './harness.ts'
import { importFile, ndjson } from './imports.ts'

let harness: Harness
let person: Person

beforeAll(async () => {
  harness = await boot()
})
beforeEach(async () => {
  await harness.reset()
  person = await harness.aUser({ email: 'jane@example.com', profile: { name: 'Jane Doe', givenName: 'Jane', locale: 'en', gender: 'f' } })
})

const rows = async () => {
  const all = await harness.app.database.prisma.profileSource.findMany({ where: { userId: person.id }, orderBy: { attribute: 'asc' } })
  return all.map(({ attribute, others, origin }) => [origin, attribute, ...others].join(' '))
}
const told = async () => {
  const { data } = await harness.run('{ me { profile { sources { attribute origin } } } }', { token: person.token })
  const { me } = data as { me: { profile: { sources: { attribute: string; origin: string }[] } } }
  return me.profile.sources.map(({ attribute, origin }) => `${attribute} ${origin}`)
}
const edit = (profile: Record<string, unknown> | null) =>
  harness.run('mutation($input: UpdateUserInput!) { updateUser(input: $input) { errors { code } } }', {
    token: person.token,
    variables: { input: { profile } },
  })
const upsert = (...records: unknown[]) => importFile(harness, ndjson(...records), { format: 'ROSTER_NDJSON', upsert: true })

test('attributes that came together are one row, and each of them is told', async () => {
  expect(await rows()).toEqual(['ADMIN name givenName gender locale'])
  expect(await told()).toEqual(['gender ADMIN', 'givenName ADMIN', 'locale ADMIN', 'name ADMIN'])
})

describe('what is written anew leaves the others the source they had', () => {
  test('when it is the one that names the row', async () => {
    await edit({ name: 'Jane Smith' })

    expect(await rows()).toEqual(['ADMIN givenName gender locale', 'USER name'])
    expect(await told()).toEqual(['gender ADMIN', 'givenName ADMIN', 'locale ADMIN', 'name USER'])
  })

  test('when it is some of the others', async () => {
    await edit({ gender: null, locale: 'de' })

    expect(await rows()).toEqual(['USER locale', 'ADMIN name givenName'])
    expect(await told()).toEqual(['givenName ADMIN', 'locale USER', 'name ADMIN'])
  })

  test('when it is of several rows', async () => {
    await edit({ name: 'Jane Smith', nickname: 'J' })
    await upsert({ id: person.id, profile: { name: 'J. Smith', locale: 'fr' } })

    expect(await rows()).toEqual(['ADMIN givenName gender', 'IMPORT name locale', 'USER nickname'])
  })

  test('and no row is left of what has nothing any more', async () => {
    await edit({ name: 'J', givenName: 'J', locale: 'fr', gender: 'x' })
    expect(await rows()).toEqual(['USER name givenName gender locale'])

    await edit(null)
    expect(await rows()).toEqual([])
    expect(await told()).toEqual([])
  })

  test('and what stays the same keeps its own', async () => {
    await edit({ name: 'Jane Doe', locale: 'fr' })

    expect(await rows()).toEqual(['USER locale', 'ADMIN name givenName gender'])
  })
})

test('an import changes those of many users, each his own', async () => {
  const other = await harness.aUser({ username: 'other', profile: { name: 'Other', locale: 'en' } })
  const job = await upsert({ id: person.id, profile: { locale: 'fr' } }, { id: other.id, profile: { name: 'Another' } })

  expect(job).toMatchObject({ updated: 2, failed: 0 })
  expect(await rows()).toEqual(['IMPORT locale', 'ADMIN name givenName gender'])
  const { prisma } = harness.app.database
  expect(await prisma.profileSource.findMany({ where: { userId: other.id }, orderBy: { attribute: 'asc' } })).toMatchObject([
    { attribute: 'locale', others: [], origin: 'ADMIN' },
    { attribute: 'name', others: [], origin: 'IMPORT' },
  ])
})

test('an import puts together what its record says came together', async () => {
  const [early, late] = ['2020-01-01T00:00:00.000Z', '2021-01-01T00:00:00.000Z']
  const source = (origin: string, setAt: string) => ({ origin, setAt })
  const profile = { name: 'Max', nickname: 'M', locale: 'de', gender: 'm', zoneinfo: 'Europe/Berlin' }
  const profileSources = {
    ...{ name: source('USER', early), nickname: source('USER', late), locale: source('USER', early), gender: source('ADMIN', early) },
  }
  const job = await importFile(harness, ndjson({ username: 'max', profile, profileSources }), { format: 'ROSTER_NDJSON' })

  expect(job).toMatchObject({ inserted: 1, failed: 0 })
  const { profileSources: found } = await harness.app.database.prisma.user.findFirstOrThrow({
    where: { username: 'max' },
    include: { profileSources: { orderBy: { attribute: 'asc' } } },
  })
  expect(found.map(({ attribute, others, origin }) => [origin, attribute, ...others].join(' '))).toEqual([
    'ADMIN gender',
    'USER name locale',
    'USER nickname',
    'IMPORT zoneinfo',
  ])
})

test('rows of one attribute each, as the version before writes them, are told and written anew like all others', async () => {
  const { prisma } = harness.app.database
  await prisma.profileSource.deleteMany({})
  for (const attribute of ['name', 'givenName', 'locale', 'gender'])
    await prisma.$executeRaw`
      insert into roster.profile_sources (user_id, attribute, origin, set_at) values (${person.id}::uuid, ${attribute}, 'IMPORT', now())`

  expect(await told()).toEqual(['gender IMPORT', 'givenName IMPORT', 'locale IMPORT', 'name IMPORT'])
  await edit({ name: 'Jane Smith', locale: 'de' })
  expect(await rows()).toEqual(['IMPORT gender', 'IMPORT givenName', 'USER name locale'])
})

test("what the version before writes of an attribute that is among the others of a row is told once, and stands in nobody's way", async () => {
  await harness.app.database.prisma.$executeRaw`
    insert into roster.profile_sources (user_id, attribute, origin, set_at) values (${person.id}::uuid, 'givenName', 'IMPORT', now())`

  expect(await told()).toEqual(['gender ADMIN', 'givenName IMPORT', 'locale ADMIN', 'name ADMIN'])
  expect((await edit({ name: 'Jane Smith' })).data).toEqual({ updateUser: { errors: [] } })
  expect(await rows()).toEqual(['ADMIN gender locale', 'IMPORT givenName', 'USER name'])
})
