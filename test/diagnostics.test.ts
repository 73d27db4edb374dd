import { beforeAll, describe, expect, test } from 'vitest'
import { emptyDatabase, testDatabase } from './database.ts'
import { examine, healthy, trigger } from './diagnoses.ts'
import { boot } from './harness.ts'
import { limitedUser, plant } from './setup/host.ts'

beforeAll(async () => emptyDatabase(await testDatabase()))

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
