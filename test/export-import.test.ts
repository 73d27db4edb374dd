import { beforeAll, beforeEach, expect, test } from 'vitest'
import { seedUsers } from '../src/domain/seed.ts'
import { everybody, exportedPeople } from './exported-people.ts'
import { foreignHashes, password } from './foreign-hashes.ts'
import { boot, type Harness } from './harness.ts'
import { importFile } from './imports.ts'

let harness: Harness

beforeAll(async () => {
  harness = await boot()
})
beforeEach(() => harness.reset())

/** Everybody, with hashes. */
async function fileOf(format: string): Promise<string> {
  const query = 'mutation ($input: ExportUsersInput!) { exportUsers(input: $input) { job { id } errors { code path } } }'
  const input = { format, where: everybody, includePasswordHashes: true }
  const { exportUsers } = (await harness.admin(query, { input })) as { exportUsers: { job: { id: string } } }
  await harness.app.jobRunner.settled()
  const token = await harness.adminToken('admin')
  const response = await fetch(`${harness.url}/exports/${exportUsers.job.id}`, { headers: { authorization: `Bearer ${token}` } })
  if (response.status !== 200) throw new Error(`${response.status}`)
  return response.text()
}

test.each(['ROSTER_NDJSON', 'CSV', 'AUTH0', 'SUPABASE'])(
  'what is exported as %s, imported into an empty database and exported again is the same to the byte',
  async (format) => {
    await exportedPeople(harness)
    await seedUsers(harness.app.database.prisma, { count: 600, clock: harness.clock })
    const users = await harness.app.database.prisma.user.count()
    const file = await fileOf(format)
    await harness.reset()

    const job = await importFile(harness, file, { format })

    expect({ ...job.errors, failed: job.failed, inserted: job.inserted }).toEqual({ nodes: [], totalCount: 0, failed: 0, inserted: users })
    expect((await fileOf(format)).split('\n')).toEqual(file.split('\n'))
  },
)

test('people sign in with their old passwords after they have come by way of a file', async () => {
  await exportedPeople(harness)
  const file = await fileOf('AUTH0')
  await harness.reset()
  await importFile(harness, file, { format: 'AUTH0' })
  await harness.app.database.prisma.user.updateMany({ data: { emailVerified: true }, where: { email: { not: null } } })

  for (const [index, { password: plain = password }] of foreignHashes.entries()) {
    const query = 'mutation ($input: SignInInput!) { signIn(input: $input) { errors { code } } }'
    const { data } = await harness.run(query, { variables: { input: { email: `hash${index}@example.com`, password: plain } } })
    expect([index, data]).toEqual([index, { signIn: { errors: [] } }])
  }
})
