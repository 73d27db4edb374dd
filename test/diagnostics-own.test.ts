import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { emptyDatabase, openTestDatabase, postgresOnly, testDatabase, testDatabaseUrl } from './database.ts'
import { examine, healthy, insertProfile, mendAll, object, profiles, trigger } from './diagnoses.ts'
import { limitedUser, plant } from './setup/host.ts'

beforeAll(async () => emptyDatabase(await testDatabase()))

describe('added by hand,', () => {
  test.each([
    ['a check', `add constraint by_hand check (email_normal like '%@example.com')`, 'ERROR'],
    ['a check that lets most through', `add constraint by_hand check (username <> 'root')`, 'WARNING'],
    ['a unique constraint', 'add constraint by_hand unique (block_reason)', 'WARNING'],
    ['an exclusion constraint', 'add constraint by_hand exclude (last_sign_in_ip with =)', 'WARNING'],
    ['a foreign key', 'add constraint by_hand foreign key (external_id) references public.apps', 'ERROR'],
    ['a column that must be filled', 'add by_hand text not null', 'ERROR'],
    ['not null', 'alter email set not null', 'ERROR'],
    ['another type', 'alter username type varchar(20)', 'ERROR'],
    ['another collation', 'alter email_normal type text collate "POSIX"', 'WARNING'],
  ])('%s is found, and mended', async (_name, alter, severity) => {
    await plant(
      `create table public.apps (id text collate "C" primary key); alter table roster.users ${alter};`,
      'alter table roster.users drop column if exists by_hand',
    )

    expect(await mendAll(examine)).toMatchObject([{ severity }])
  })

  test('a unique index, a rule and an index that is not valid are found, and mended', async () => {
    await plant(`create unique index by_hand on roster.users (block_reason);
      create rule by_hand as on update to roster.sessions do also select 1;
      update pg_index set indisvalid = false where indexrelid = 'roster.users_email_key'::regclass;`)

    expect((await mendAll(examine)).map(({ object }) => object)).toEqual(
      expect.arrayContaining(['users_email_key on roster.users', 'by_hand on roster.users', 'by_hand on roster.sessions']),
    )
  })
})

describe("of Roster's own,", () => {
  test.each([
    ['a unique index that is missing', 'drop index roster.users_email_key', 'ERROR'],
    ['an index that is missing', 'drop index roster.users_created_at_id_idx', 'WARNING'],
    ['the trigram index', 'drop index roster.users_trigram_idx', 'INFO'],
    ['the trigram extension', 'drop extension pg_trgm cascade', 'INFO'],
    ['a foreign key that is missing', 'alter table roster.sessions drop constraint sessions_user_id_fkey', 'ERROR'],
    ['a column that is missing', 'alter table roster.users drop last_sign_in_ip', 'ERROR'],
    ['a trigger that is missing', 'drop trigger keep_audit_events on roster.audit_events', 'ERROR'],
    ['a trigger that is off', 'alter table roster.audit_events disable trigger keep_audit_events', 'ERROR'],
    ['foreign keys that are off', 'alter table roster.users disable trigger all', 'ERROR'],
    ['a function that is missing', 'drop function roster.json_merge_patch', 'ERROR'],
  ])('%s is found, and mended', async (_name, sql, severity) => {
    await plant(sql)

    const mended = await mendAll(examine)

    expect(mended.map((finding) => finding.severity)).toContain(severity)
    expect(mended.length).toBeLessThan(3)
  })
})

describe("of Roster's database user,", () => {
  test.each([
    ['the schema', 'revoke usage on schema roster from roster_limited', 'GRANT USAGE ON SCHEMA roster TO roster_limited;'],
    [
      'a table',
      'revoke insert, delete on roster.sessions from roster_limited',
      'GRANT INSERT, DELETE ON TABLE roster.sessions TO roster_limited;',
    ],
    [
      'the migrations',
      'revoke all on roster._prisma_migrations from roster_limited',
      'GRANT SELECT ON TABLE roster._prisma_migrations TO roster_limited;',
    ],
  ])('a right on %s that is missing is found, and granted', async (_name, sql, fix) => {
    const as = await limitedUser()
    const { session } = await testDatabase()
    await session(({ run }) => run(sql))

    expect(await mendAll(() => as(examine))).toMatchObject([{ severity: 'ERROR', kind: 'privilege', fix }])
  })

  test('row-level security that holds for it is found, and does not matter to the owner', async () => {
    await plant('alter table roster.users enable row level security', 'alter table roster.users disable row level security')
    const as = await limitedUser()

    expect(await examine()).toEqual(healthy)
    expect((await mendAll(() => as(examine))).map(({ kind, object }) => `${kind} ${object}`)).toContain('row-level security roster.users')
  })

  test('a host table with row-level security, of another owner than the function, is mended', async () => {
    await plant(
      `do $$ begin create role roster_owner; exception when duplicate_object then null; end $$;
      ${profiles} alter table public.profiles enable row level security; grant all on public.profiles to roster_owner;
      grant usage, create on schema public to roster_owner;
      ${trigger(insertProfile, { options: `security definer set search_path = ''` })} alter function public.handle_on_user_created owner to roster_owner;`,
      'drop owned by roster_owner; drop role roster_owner',
    )

    expect(await mendAll(examine)).toMatchObject([{ severity: 'ERROR', object, fix: expect.stringContaining('OWNER TO') }])
  })
})

describe('a migration', () => {
  const name = '20261120220000_create_user_graph'
  const record = `roster._prisma_migrations where migration_name = '${name}'`

  test.each([
    ['that failed', `update roster._prisma_migrations set finished_at = null where migration_name = '${name}'`, name],
    ['of another text', `update roster._prisma_migrations set checksum = 'x' where migration_name = '${name}'`, name],
    ['that is missing', `delete from ${record}`, name],
    [
      'of a newer version',
      `insert into roster._prisma_migrations (id, checksum, migration_name, finished_at) values ('x', 'x', 'x', now())`,
      'x',
    ],
  ])('%s is found, and nothing is tried', async (_name, sql, object) => {
    const { prisma } = await testDatabase()
    await plant(`create table public.kept as select * from roster._prisma_migrations; ${sql};`, '')
    const examined = await examine()
    await prisma.$executeRaw`delete from roster._prisma_migrations`
    await prisma.$executeRaw`insert into roster._prisma_migrations select * from public.kept`

    expect(examined).toMatchObject({ ok: false, findings: [{ severity: 'ERROR', kind: 'migration', object }] })
  })
})

describe('of the database,', () => {
  /** Another database on the server, with Roster's tables in it. */
  async function anotherDatabase(options: string): Promise<Database> {
    const { session } = await testDatabase()
    const name = `roster_other_${process.pid}`
    await session(({ run }) => run(`create database ${name} ${options} template template0`))
    onTestFinished(() => session(({ run }) => run(`drop database ${name} with (force)`)))
    const url = new URL(testDatabaseUrl())
    url.pathname = name
    return openTestDatabase({ databaseUrl: url.href })
  }

  postgresOnly('an encoding that lacks characters is found', async () => {
    const { prisma, close } = await anotherDatabase(`encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'`)

    expect(await examine(prisma).finally(close)).toMatchObject({
      ok: false,
      findings: [{ severity: 'ERROR', kind: 'encoding', problem: expect.stringContaining('LATIN1') }],
    })
  })

  postgresOnly('a collation of another version is found, and mended', async () => {
    const { prisma, session, close } = await anotherDatabase(`encoding 'UTF8' locale_provider icu icu_locale 'und'`)
    await session(({ run }) => run(`update pg_database set datcollversion = '1.0' where datname = current_database()`))

    const { findings } = await examine(prisma)
    for (const statement of findings[0]?.fix.split('\n') ?? []) await session(({ run }) => run(statement))

    expect(findings).toMatchObject([{ severity: 'WARNING', kind: 'collation', problem: expect.stringContaining('version 1.0') }])
    expect(await examine(prisma).finally(close)).toEqual(healthy)
  })

  postgresOnly('a role whose transactions are read-only is found, and mended', async () => {
    const as = await limitedUser()
    const { session } = await testDatabase()
    await session(({ run }) => run('alter role roster_limited set default_transaction_read_only = on'))

    expect(await mendAll(() => as(examine))).toMatchObject([{ severity: 'ERROR', kind: 'setting' }])
  })
})
