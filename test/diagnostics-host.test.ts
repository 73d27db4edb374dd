import { beforeAll, describe, expect, test } from 'vitest'
import { emptyDatabase, postgresOnly, testDatabase } from './database.ts'
import { examine, healthy, insertProfile, mendAll, object, profiles, trigger } from './diagnoses.ts'
import { limitedUser, plant } from './setup/host.ts'

beforeAll(async () => emptyDatabase(await testDatabase()))

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
