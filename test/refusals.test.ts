import { beforeEach, describe, expect, test } from 'vitest'
import type { Prisma } from '../src/generated/prisma/client.ts'
import { emptyDatabase, testDatabase } from './database.ts'
import { asLimitedUser, plant, refusalOf } from './setup/host.ts'

const ada = '01890000-0000-7000-8000-00000000000a'
const bob = '01890000-0000-7000-8000-00000000000b'

const createUser =
  (data: Partial<Prisma.UserCreateInput> = {}) =>
  (db: Prisma.TransactionClient) =>
    db.user.create({ data: { id: ada, ...data }, select: { id: true } })
const deleteUser = (db: Prisma.TransactionClient) => db.user.delete({ where: { id: ada }, select: { id: true } })

beforeEach(async () => emptyDatabase(await testDatabase()))

const profiles = `
  create table public.profiles (
    id uuid references roster.users on delete cascade not null primary key,
    updated_at timestamp with time zone, username text unique, full_name text, avatar_url text, website text,
    constraint username_length check (char_length(username) >= 3)
  );`

function handleNewUser(body: string, options = ''): string {
  return `
    create function public.handle_new_user() returns trigger as $$ begin ${body} return new; end; $$ language plpgsql ${options};
    create trigger on_user_created after insert on roster.users for each row execute procedure public.handle_new_user();`
}

const insertProfile = `insert into public.profiles (id, full_name) values (new.id, new.user_metadata->>'full_name');`

describe('a trigger', () => {
  const trigger = { trigger: 'on_user_created', function: 'public.handle_new_user', table: 'roster.users' }

  test('that lacks a privilege is named, with security definer as the way out', async () => {
    await plant(profiles + handleNewUser(insertProfile))

    const refusal = await asLimitedUser((prisma) => refusalOf(createUser(), { prisma }))

    expect(refusal).toMatchObject({ code: 'TRIGGER_REJECTED', details: { ...trigger, hint: expect.stringContaining('security definer') } })
    expect(refusal?.message).toMatch(
      /^The trigger "on_user_created" on roster\.users refused the change: permission denied for .* \(42501\)\.$/,
    )
  })

  test('that is security definer works for a user without privileges', async () => {
    await plant(profiles + handleNewUser(insertProfile, `security definer set search_path = ''`))

    await asLimitedUser((prisma) => prisma.$transaction(createUser({ userMetadata: { full_name: 'Ada' } })))

    const { prisma } = await testDatabase()
    expect(await prisma.$queryRaw`select full_name from public.profiles`).toEqual([{ full_name: 'Ada' }])
  })

  test('whose owner lacks a privilege is told to grant it to the owner', async () => {
    await plant(
      `do $$ begin create role roster_owner; exception when duplicate_object then null; end $$;
      ${profiles} ${handleNewUser(insertProfile, 'security definer')} grant usage on schema public to roster_owner;
      alter function public.handle_new_user owner to roster_owner;`,
      `drop owned by roster_owner; drop role roster_owner`,
    )

    expect(await refusalOf(createUser())).toMatchObject({ details: { ...trigger, hint: expect.stringContaining('owner "roster_owner"') } })
  })

  test('that raises says what it says, and its own hint', async () => {
    await plant(handleNewUser(`raise exception 'only for members' using hint = 'Ask for an invitation.';`))

    const refusal = await refusalOf(createUser())

    expect(refusal).toMatchObject({ code: 'TRIGGER_REJECTED', details: { ...trigger, hint: 'Ask for an invitation.' } })
    expect(refusal?.message).toContain('only for members (P0001)')
  })

  test('that raises in a function it calls is named', async () => {
    await plant(`create function public.check_plan(plan text) returns void as $$ begin raise exception 'no plan %', plan; end; $$ language plpgsql;
      ${handleNewUser(`perform public.check_plan('gold');`)}`)

    expect(await refusalOf(createUser())).toMatchObject({
      code: 'TRIGGER_REJECTED',
      message: expect.stringContaining('no plan gold'),
      details: trigger,
    })
  })

  test('that is deferred to the commit is named', async () => {
    await plant(`create function public.at_end() returns trigger as $$ begin raise exception 'too late'; end; $$ language plpgsql;
      create constraint trigger at_end after insert on roster.users deferrable initially deferred for each row execute function public.at_end();`)

    expect(await refusalOf(createUser())).toMatchObject({
      code: 'TRIGGER_REJECTED',
      details: { trigger: 'at_end', function: 'public.at_end' },
    })
  })

  test('whose insert breaks a check constraint of the host table names that', async () => {
    await plant(profiles + handleNewUser(`insert into public.profiles (id, username) values (new.id, new.username);`))

    const refusal = await refusalOf(createUser({ username: 'ad' }))

    expect(refusal?.code).toBe('TRIGGER_REJECTED')
    expect(refusal?.details).toMatchObject(trigger)
    expect(refusal?.details).toMatchObject({ hint: expect.stringContaining('the constraint "username_length" of public.profiles') })
    expect(refusal?.message).not.toContain('(ad,')
  })

  test.each([
    ['a missing table', `insert into public.people (id) values (new.id);`, '42P01', 'Write the schema before the name'],
    [
      'an unqualified name under an empty search path',
      `insert into profiles (id) values (new.id);`,
      '42P01',
      'Write the schema before the name',
    ],
    ['a column that the table lacks', `insert into public.profiles (id, age) values (new.id, 1);`, '42703', 'names a column'],
    [
      `Supabase's name of a column`,
      `insert into public.profiles (id, full_name) values (new.id, new.raw_user_meta_data->>'name');`,
      '42703',
      'user_metadata',
    ],
    ['a cast that fails', `perform (new.username)::int;`, '22P02', `the server's log`],
  ])('with %s is told what to do', async (_name, body, code, hint) => {
    await plant(profiles + handleNewUser(body, `set search_path = ''`))

    const refusal = await refusalOf(createUser({ username: 'a-secret' }))

    expect(refusal?.code).toBe('TRIGGER_REJECTED')
    expect(refusal?.message).toContain(`(${code})`)
    expect(refusal?.message).not.toContain('a-secret')
    expect(refusal?.details).toMatchObject({ hint: expect.stringContaining(hint) })
  })

  test('of Roster itself is no refusal of the operator', async () => {
    const { prisma } = await testDatabase()
    await prisma.auditEvent.create({ data: { id: bob, type: 'user.created', at: new Date(0), actorKind: 'SYSTEM' }, select: { id: true } })

    expect(await refusalOf((db) => db.auditEvent.deleteMany())).toBeNull()
  })
})

describe('a constraint added by hand', () => {
  test.each([
    ['check', `add constraint no_x check (username <> 'x')`, { constraint: 'no_x', column: null }, 'drop constraint if exists no_x'],
    ['not null', `add tenant text not null`, { constraint: null, column: 'tenant' }, 'drop column tenant'],
    [
      'unique',
      `add constraint one_reason unique (block_reason)`,
      { constraint: 'one_reason', column: null },
      'drop constraint if exists one_reason',
    ],
    [
      'exclusion',
      `add constraint one_ip exclude (last_sign_in_ip with =)`,
      { constraint: 'one_ip', column: null },
      'drop constraint if exists one_ip',
    ],
    [
      'foreign key',
      `add constraint known_app foreign key (external_id) references public.apps`,
      { constraint: 'known_app' },
      'drop constraint if exists known_app',
    ],
  ])('(%s) is named', async (kind, alter, names, undo) => {
    const { prisma } = await testDatabase()
    if (kind !== 'not null') await prisma.user.create({ data: { id: bob, blockReason: 'r', lastSignInIp: '::1' }, select: { id: true } })
    await plant(
      `create table public.apps (id text collate "C" primary key); alter table roster.users ${alter}`,
      `alter table roster.users ${undo}`,
    )

    const refusal = await refusalOf(createUser({ username: 'x', blockReason: 'r', lastSignInIp: '::1', externalId: 'app' }))

    expect(refusal).toMatchObject({ code: 'CONSTRAINT_FAILED', details: { table: 'roster.users', ...names } })
    expect(refusal?.details).toMatchObject({ hint: expect.stringContaining(`not Roster's own`) })
    expect(refusal?.message).not.toContain('Failing row')
  })

  test(`leaves Roster's own uniqueness its own errors`, async () => {
    const { prisma } = await testDatabase()
    await prisma.user.create({
      data: { id: bob, emailNormal: 'e', phoneNumber: '+1', usernameNormal: 'u', externalId: 'x' },
      select: { id: true },
    })

    expect(await refusalOf(createUser({ emailNormal: 'e' }))).toMatchObject({ code: 'EMAIL_TAKEN', path: ['input', 'email'] })
    expect(await refusalOf(createUser({ phoneNumber: '+1' }))).toMatchObject({ code: 'PHONE_NUMBER_TAKEN', path: ['input', 'phoneNumber'] })
    expect(await refusalOf(createUser({ usernameNormal: 'u' }))).toMatchObject({ code: 'USERNAME_TAKEN', path: ['input', 'username'] })
    expect(await refusalOf(createUser({ externalId: 'x' }))).toMatchObject({ code: 'EXTERNAL_ID_TAKEN', path: ['input', 'externalId'] })
    expect(await refusalOf(createUser({ id: bob }))).toMatchObject({ code: 'INVALID_INPUT', path: ['input', 'id'] })
  })

  test('is not blamed when the user is gone', async () => {
    expect(await refusalOf((db) => db.profile.create({ data: { userId: ada }, select: { userId: true } }))).toMatchObject({
      code: 'USER_NOT_FOUND',
    })
  })
})

describe('a host table that holds a user', () => {
  beforeEach(async () => {
    const { prisma } = await testDatabase()
    await prisma.user.create({
      data: { id: ada, identities: { create: { id: bob, provider: 'p', providerUserId: '1' } } },
      select: { id: true },
    })
  })

  test('without on delete is listed, with all others and their rows', async () => {
    await plant(`
      create table public.orders (id int primary key, user_id uuid constraint orders_user references roster.users);
      create table public."Odd ""name" ("User id" uuid constraint "odd key" references roster.users on delete restrict);
      create table public.notes (user_id uuid references roster.users on delete cascade);
      create table public.tags (user_id uuid references roster.users on delete set null);
      create table public.empty (user_id uuid references roster.users);
      insert into public.orders select n, '${ada}' from generate_series(1, 1500) n;
      insert into public."Odd ""name" values ('${ada}'), ('${ada}');
      insert into public.notes values ('${ada}'); insert into public.tags values ('${ada}');`)

    const refusal = await refusalOf(deleteUser)

    expect(refusal?.code).toBe('DELETE_BLOCKED')
    expect(refusal?.details).toEqual({
      references: [
        { table: 'public.Odd "name', constraint: 'odd key', rows: 2 },
        { table: 'public.orders', constraint: 'orders_user', rows: 1000 },
      ],
    })
    expect(refusal?.message).toContain('on delete cascade')
  })

  test('by way of a row that would be deleted with the user is listed', async () => {
    await plant(`
      create table public.profiles (id uuid primary key references roster.users on delete cascade);
      create table public.posts (profile_id uuid constraint posts_profile references public.profiles);
      create table public.logins (identity_id uuid constraint logins_identity references roster.identities);
      insert into public.profiles values ('${ada}'); insert into public.posts values ('${ada}'); insert into public.logins values ('${bob}');`)

    expect((await refusalOf(deleteUser, { userId: ada }))?.details).toEqual({
      references: [
        { table: 'public.logins', constraint: 'logins_identity', rows: 1 },
        { table: 'public.posts', constraint: 'posts_profile', rows: 1 },
      ],
    })
  })

  test('with a deferred foreign key is listed when the commit fails', async () => {
    await plant(`create table public.orders (user_id uuid constraint orders_user references roster.users deferrable initially deferred);
      insert into public.orders values ('${ada}');`)

    expect((await refusalOf(deleteUser))?.details).toEqual({ references: [{ table: 'public.orders', constraint: 'orders_user', rows: 1 }] })
  })

  test('is named when its rows may not be read', async () => {
    await plant(
      `create table public.orders (user_id uuid constraint orders_user references roster.users); insert into public.orders values ('${ada}');`,
    )

    const refusal = await asLimitedUser((prisma) => refusalOf(deleteUser, { prisma }))

    expect(refusal?.details).toEqual({ references: [{ table: 'public.orders', constraint: 'orders_user', rows: 1 }] })
  })

  test('within Roster, by a foreign key added by hand, is listed too', async () => {
    await plant(
      `alter table roster.users add manager_id uuid constraint users_manager references roster.users;
      insert into roster.users (id, manager_id) values ('01890000-0000-7000-8000-00000000000c', '${ada}')`,
      `alter table roster.users drop column manager_id`,
    )

    expect((await refusalOf(deleteUser))?.details).toEqual({
      references: [{ table: 'roster.users', constraint: 'users_manager', rows: 1 }],
    })
  })
})

test('nothing is left of a change that was refused', async () => {
  await plant(handleNewUser(`raise exception 'no';`))
  const { prisma } = await testDatabase()

  await refusalOf(async (db) => {
    await db.outboxMessage.create({ data: { id: bob, kind: 'mail', payload: {}, createdAt: new Date(0), availableAt: new Date(0) } })
    await createUser()(db)
  })

  expect(await prisma.outboxMessage.count()).toBe(0)
  expect(await prisma.user.count()).toBe(0)
})

test('a refusal that a caller swallowed still fails the commit', async () => {
  const { prisma } = await testDatabase()
  await prisma.user.create({ data: { id: bob, emailNormal: 'e' }, select: { id: true } })

  const refusal = await refusalOf(async (db) => {
    await createUser({ emailNormal: 'e' })(db).catch(() => {})
  })

  expect(refusal?.code).toBe('EMAIL_TAKEN')
})
