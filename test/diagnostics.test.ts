import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { parseConfig } from '../src/config.ts'
import type { Database } from '../src/database/database.ts'
import type { Finding } from '../src/domain/diagnostics/finding.ts'
import { diagnose } from '../src/domain/diagnostics.ts'
import { createPasswords } from '../src/domain/password/passwords.ts'
import type { PrismaClient } from '../src/generated/prisma/client.ts'
import { systemClock } from '../src/ports/clock.ts'
import { emptyDatabase, openTestDatabase, postgresOnly, testDatabase, testDatabaseUrl } from './database.ts'
import { boot } from './harness.ts'
import { limitedUser, plant } from './setup/host.ts'

const passwords = createPasswords(parseConfig({}))

async function examine(prisma?: PrismaClient) {
  return diagnose({ db: prisma ?? (await testDatabase()).prisma, clock: systemClock, passwords })
}

/** Runs what a finding says that mends it, as the owner of everything. */
async function mend({ fix }: Finding): Promise<void> {
  const { session } = await testDatabase()
  await session(({ run }) => run(fix))
}

/** Mends what is found, one thing after the other, until nothing is; answers what that was. */
async function mendAll(look: () => ReturnType<typeof examine>): Promise<Finding[]> {
  const mended: Finding[] = []
  for (let [finding] = (await look()).findings; finding !== undefined; [finding] = (await look()).findings) {
    if (mended.length === 10) throw new Error(`it does not mend: ${JSON.stringify(finding)}`)
    mended.push(finding)
    await mend(finding)
  }
  return mended
}

const healthy = { ok: true, findings: [] }

beforeAll(async () => emptyDatabase(await testDatabase()))

const profiles = `
  create table public.profiles (
    id uuid references roster.users on delete cascade not null primary key, username text unique, full_name text,
    constraint username_length check (char_length(username) >= 3)
  );`

function trigger(body: string, { options = '', event = 'after insert', name = 'on_user_created', ending = 'return new;' } = {}): string {
  return `
    create function public.handle_${name}() returns trigger as $$ begin ${body} ${ending} end; $$ language plpgsql ${options};
    create trigger ${name} ${event} on roster.users for each row execute procedure public.handle_${name}();`
}

const insertProfile = `insert into public.profiles (id, full_name) values (new.id, new.user_metadata->>'full_name');`
const object = 'on_user_created on roster.users'

describe('nothing is found', () => {
  test('in a database as it was installed', async () => expect(await examine()).toEqual(healthy))

  test("with the README's host table and trigger in place", async () => {
    await plant(`
      create table public.profiles (id uuid primary key references roster.users on delete cascade, first_name text, last_name text);
      create function public.handle_new_user() returns trigger language plpgsql security definer set search_path = '' as $$
      begin
        insert into public.profiles (id, first_name, last_name)
        values (new.id, new.user_metadata ->> 'first_name', new.user_metadata ->> 'last_name');
        return new;
      end; $$;
      create trigger on_user_created after insert on roster.users for each row execute procedure public.handle_new_user();`)
    const as = await limitedUser()

    expect(await examine()).toEqual(healthy)
    expect(await as(examine)).toEqual(healthy)
  })

  test('with a trigger that looks at its own row alone, a column with a default, and an index of the host', async () => {
    await plant(
      `${trigger('new.username := lower(new.username);', { event: 'before insert or update' })}
      alter table roster.users add column tenant text not null default 'one'; create index by_tenant on roster.users (tenant);`,
      'alter table roster.users drop column tenant',
    )

    expect(await examine()).toEqual(healthy)
  })

  test('with a deferred foreign key that a trigger fills before its user is there', async () => {
    await plant(`create table public.people (id uuid primary key references roster.users on delete cascade deferrable initially deferred);
      ${trigger('insert into public.people values (new.id);', { event: 'before insert', options: `security definer set search_path = ''` })}`)

    expect(await examine()).toEqual(healthy)
  })
})

describe('of what the page "Dashboard errors when managing users" knows,', () => {
  test('a trigger without security definer is found, as what fails, and is mended by the fix', async () => {
    await plant(profiles + trigger(insertProfile))
    const as = await limitedUser()

    const { ok, findings } = await as(examine)

    expect(ok).toBe(false)
    expect(findings).toEqual([
      {
        severity: 'ERROR',
        object,
        kind: 'trigger',
        problem: expect.stringMatching(
          /^Tried with a made-up user, creating a user fails\. The trigger "on_user_created" .* permission denied for .*\(42501\)\.$/,
        ),
        fix: 'ALTER FUNCTION public.handle_on_user_created() SECURITY DEFINER SET search_path = public, pg_temp;',
      },
    ])
    await mendAll(() => as(examine))
    expect(await as(examine)).toEqual(healthy)
  })

  test('such a trigger on a change that is not tried is found all the same', async () => {
    await plant(`create table public.plans (id uuid, plan text);
      ${trigger(`if new.app_metadata ? 'plan' then update public.plans set plan = 'x' where id = new.id; end if;`, { event: 'after update' })}`)
    const as = await limitedUser()

    const { ok, findings } = await as(examine)

    expect({ ok, findings }).toMatchObject({
      ok: true,
      findings: [{ severity: 'WARNING', object, fix: expect.stringContaining('SECURITY DEFINER') }],
    })
    await mendAll(() => as(examine))
  })

  test('such a trigger is worth knowing where Roster has the rights for now', async () => {
    await plant(profiles + trigger(insertProfile))

    expect(await examine()).toMatchObject({
      ok: true,
      findings: [{ severity: 'INFO', object, fix: expect.stringContaining('SECURITY DEFINER') }],
    })
    expect(await mendAll(examine)).toHaveLength(1)
  })

  test('a security definer whose owner lacks the right is mended by a grant to the owner', async () => {
    await plant(
      `do $$ begin create role roster_owner; exception when duplicate_object then null; end $$;
      ${profiles} ${trigger(insertProfile, { options: `security definer set search_path = ''` })} grant create on schema public to roster_owner;
      alter function public.handle_on_user_created owner to roster_owner;`,
      'drop owned by roster_owner; drop role roster_owner',
    )

    expect((await mendAll(examine)).at(0)).toMatchObject({
      severity: 'ERROR',
      object,
      fix: 'GRANT USAGE ON SCHEMA public TO "roster_owner";\nGRANT INSERT ON public.profiles TO "roster_owner";',
    })
  })

  test('a security definer without a search path is warned of, and pinned', async () => {
    await plant(profiles + trigger(insertProfile, { options: 'security definer' }))

    expect(await mendAll(examine)).toMatchObject([
      { severity: 'WARNING', object, fix: 'ALTER FUNCTION public.handle_on_user_created() SET search_path = public, pg_temp;' },
    ])
  })

  test.each(['', 'on delete restrict', 'on update cascade deferrable initially deferred'])(
    'a foreign key "%s" is warned of, and becomes on delete set null',
    async (how) => {
      await plant(`create table public."Or ders" (user_id uuid constraint "its ""user" references roster.users ${how});`)
      const { prisma } = await testDatabase()

      expect(await mendAll(examine)).toMatchObject([{ severity: 'WARNING', object: 'its "user on public.Or ders', kind: 'foreign key' }])
      const [key] = await prisma.$queryRaw<{ definition: string }[]>`
        select pg_get_constraintdef(oid) as definition from pg_constraint where conname = 'its "user'`
      expect(key?.definition).toContain('ON DELETE SET NULL')
      expect(key?.definition.includes('DEFERRABLE INITIALLY DEFERRED')).toBe(how.includes('deferred'))
    },
  )

  test('a foreign key of a column that cannot be null becomes on delete cascade', async () => {
    await plant('create table public.profiles (id uuid primary key references roster.users);')

    expect(await mendAll(examine)).toMatchObject([{ severity: 'WARNING', fix: expect.stringContaining('ON DELETE CASCADE;') }])
  })

  test('a foreign key to a row that goes with its user is warned of', async () => {
    await plant(`create table public.profiles (id uuid primary key references roster.users on delete cascade);
      create table public.posts (profile_id uuid references public.profiles);`)

    expect(await mendAll(examine)).toMatchObject([{ severity: 'WARNING', object: 'posts_profile_id_fkey on public.posts' }])
  })

  test('a foreign key of a table that a trigger fills is found as what fails', async () => {
    await plant(`create table public.profiles (id uuid primary key references roster.users);
      ${trigger('insert into public.profiles values (new.id);', { options: `security definer set search_path = ''` })}`)

    const { ok, findings } = await examine()

    expect({ ok, findings }).toMatchObject({ ok: false, findings: [{ severity: 'ERROR', object: 'profiles_id_fkey on public.profiles' }] })
    expect(findings[0]?.problem).toMatch(/^Tried with a made-up user, deleting a user for good fails\./)
    expect(await mendAll(examine)).toHaveLength(1)
  })

  test('a foreign key that is set null, of a column that cannot be, is warned of', async () => {
    await plant('create table public.notes (user_id uuid not null references roster.users on delete set null);')

    expect(await mendAll(examine)).toMatchObject([{ severity: 'WARNING', fix: expect.stringContaining('DROP NOT NULL') }])
  })
})

describe('a trigger', () => {
  test.each([
    [
      "with Supabase's name of a column",
      `insert into public.profiles (id, full_name) values (new.id, new.raw_user_meta_data->>'name');`,
      '',
    ],
    ['with a table that is not on its path', 'insert into profiles (id) values (new.id);', `set search_path = ''`],
    ['with a row that a check refuses', `insert into public.profiles (id, username) values (new.id, 'ad');`, ''],
    ['with an error of its own', `raise exception 'closed' using hint = E'open it\\rdrop schema roster cascade;';`, ''],
  ])('%s is found as what fails, and mended', async (_name, body, options) => {
    await plant(profiles + trigger(body, { options: `security definer ${options}` }))

    expect((await mendAll(examine)).at(0)).toMatchObject({ severity: 'ERROR', object, kind: 'trigger' })
  })

  test('without a return is given one', async () => {
    await plant(trigger('', { ending: '', event: 'before insert or update or delete' }))

    expect(await mendAll(examine)).toMatchObject([{ severity: 'ERROR', object, fix: expect.stringContaining('RETURN coalesce(NEW, OLD)') }])
  })

  test.each(['INSERT', 'UPDATE', 'DELETE'])('that skips an %s without an error is found', async (event) => {
    await plant(trigger('', { event: `before ${event}`, ending: 'return null;' }))

    expect(await mendAll(examine)).toMatchObject([{ severity: 'ERROR', object, fix: expect.stringContaining('DROP TRIGGER') }])
  })

  test('that refuses every kind of change but creation is one finding that names them all', async () => {
    await plant(trigger(`raise exception 'frozen';`, { event: 'before update or delete' }))

    const [finding, ...others] = (await examine()).findings

    expect(others).toEqual([])
    expect(finding?.problem).toMatch(
      /changing the e-mail address, changing metadata, .*signing in, blocking a user, deleting a user softly, .*deleting a user for good fail\. .*frozen/,
    )
  })

  test('that refuses at the commit is found', async () => {
    await plant(`create function public.at_end() returns trigger as $$ begin raise exception 'too late'; end; $$ language plpgsql;
      create constraint trigger at_end after insert on roster.users deferrable initially deferred for each row execute function public.at_end();`)

    expect(await mendAll(examine)).toMatchObject([{ severity: 'ERROR', object: 'at_end on roster.users' }])
  })

  test('on the sessions is found by signing in', async () => {
    await plant(`create function public.no_session() returns trigger as $$ begin raise exception 'no'; end; $$ language plpgsql;
      create trigger no_session before insert on roster.sessions for each row execute function public.no_session();`)

    expect((await mendAll(examine)).map(({ problem }) => problem)).toMatchObject([expect.stringContaining('signing in fails')])
  })

  test('that is switched off is let be', async () => {
    await plant(`${trigger(`raise exception 'no';`)} alter table roster.users disable trigger on_user_created;`)

    expect(await examine()).toEqual(healthy)
  })

  postgresOnly.each(['insert', 'update'])('that hangs on an %s is found within the time that a request has', async (event) => {
    await plant(trigger('perform pg_sleep(60);', { event: `after ${event}`, options: `set search_path = ''` }))
    const begun = Date.now()

    expect((await examine()).findings[0]).toMatchObject({ severity: 'ERROR', object, problem: expect.stringContaining('57014') })
    expect(Date.now() - begun).toBeLessThan(4800)
  })
})

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

describe('the graph', () => {
  const query = '{ diagnostics { ok findings { severity object kind problem fix } } }'

  test('answers what was found to a token with read:diagnostics', async () => {
    const harness = await boot()
    const token = await harness.adminToken('read:diagnostics')
    await plant(
      'create table public.orders (user_id uuid references roster.users); create table public.notes (user_id uuid references roster.users);',
    )

    expect((await harness.run(query, { token })).data).toMatchObject({
      diagnostics: { ok: true, findings: [{ severity: 'WARNING', object: 'notes_user_id_fkey on public.notes' }, { kind: 'foreign key' }] },
    })
    expect(await harness.app.database.prisma.auditEvent.count({ where: { type: { startsWith: 'user.' } } })).toBe(0)
    expect(await harness.mails()).toEqual([])
  })

  test('looks once in an operation', async () => {
    const harness = await boot()
    const token = await harness.adminToken('admin')

    const { errors } = await harness.run('{ one: diagnostics { ok } two: diagnostics { ok } }', { token })

    expect(errors).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX' } }])
  })
})

test('what is tried leaves no trace', async () => {
  const { prisma } = await testDatabase()
  const tables = await prisma.$queryRaw<{ name: string }[]>`select tablename as name from pg_tables where schemaname = 'roster'`
  const contents = async () =>
    Object.fromEntries(
      await Promise.all(
        tables.map(async ({ name }) => [name, await prisma.$queryRawUnsafe(`select t::text from roster."${name}" t order by 1`)]),
      ),
    )
  await plant(
    `create table public.log (id uuid); ${trigger('insert into public.log values (new.id);', { event: 'after insert or update' })}`,
  )
  const before = await contents()

  await examine()

  expect(await contents()).toEqual(before)
  expect(await prisma.$queryRaw`select * from public.log`).toEqual([])
})
