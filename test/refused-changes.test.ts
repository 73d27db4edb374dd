import { beforeAll, beforeEach, expect, test } from 'vitest'
import { boot, type Harness } from './harness.ts'
import { plant } from './setup/host.ts'

let harness: Harness

beforeAll(async () => {
  harness = await boot()
})
beforeEach(() => harness.reset())

const createUser = /* GraphQL */ `
  mutation Create($input: CreateUserInput!) {
    createUser(input: $input) {
      user { id }
      errors {
        __typename code message path
        ... on TriggerRejected { trigger function table hint }
        ... on ConstraintFailed { table constraint column hint }
      }
    }
  }
`

async function create(input: Record<string, unknown>) {
  return ((await harness.admin(createUser, { input })) as { createUser: { user: unknown; errors: Record<string, unknown>[] } }).createUser
}

test('a trigger that raises is named in the answer, and nothing is half written', async () => {
  await plant(`
    create function public.refuse_minors() returns trigger language plpgsql as $$
    begin
      if (new.user_metadata ->> 'age')::int < 18 then raise exception 'only adults may join'; end if;
      return new;
    end; $$;
    create trigger adults_only before insert or update on roster.users for each row execute function public.refuse_minors();`)

  const { user, errors } = await create({
    email: 'kid@example.com',
    profile: { name: 'Kid' },
    password: 'a long pass phrase',
    userMetadata: { age: 12 },
  })

  expect(user).toBeNull()
  expect(errors).toMatchObject([
    {
      __typename: 'TriggerRejected',
      code: 'TRIGGER_REJECTED',
      trigger: 'adults_only',
      function: 'public.refuse_minors',
      table: 'roster.users',
      message: expect.stringContaining('only adults may join'),
    },
  ])
  const { prisma } = harness.app.database
  expect(
    await Promise.all([prisma.user.count(), prisma.profile.count(), prisma.auditEvent.count({ where: { type: 'user.created' } })]),
  ).toEqual([0, 0, 0])
})

test('a trigger refuses an update as it refuses a creation', async () => {
  const { id } = await harness.aUser({ userMetadata: { age: 30 } })
  await plant(`
    create function public.no_change() returns trigger language plpgsql as $$ begin raise exception 'frozen for the audit' using hint = 'come back in May'; end; $$;
    create trigger frozen before update on roster.users for each row execute function public.no_change();`)

  const answer = await harness.admin(
    `mutation { updateUser(input: { id: "${id}", userMetadata: { age: 31 } }) { user { id } errors { code message ... on TriggerRejected { trigger hint } } } blockUser(input: { id: "${id}" }) { errors { code } } }`,
  )

  expect(answer).toMatchObject({
    updateUser: {
      user: null,
      errors: [
        {
          code: 'TRIGGER_REJECTED',
          trigger: 'frozen',
          message: expect.stringContaining('frozen for the audit'),
          hint: expect.stringContaining('come back in May'),
        },
      ],
    },
    blockUser: { errors: [{ code: 'TRIGGER_REJECTED' }] },
  })
})

test('a check constraint that was added by hand is named, with its table', async () => {
  await plant(
    `alter table roster.users add constraint company_mail check (email_normal like '%@example.com')`,
    'alter table roster.users drop constraint company_mail',
  )

  const { user, errors } = await create({ email: 'jane@elsewhere.org' })

  expect(user).toBeNull()
  expect(errors).toMatchObject([
    {
      __typename: 'ConstraintFailed',
      code: 'CONSTRAINT_FAILED',
      table: 'roster.users',
      constraint: 'company_mail',
      hint: expect.any(String),
    },
  ])
  expect(JSON.stringify(errors)).not.toContain('elsewhere')
})
