import { beforeEach, expect, test } from 'vitest'
import { emptyDatabase, testDatabase } from './database.ts'
import { plant } from './setup/host.ts'

const ada = '01890000-0000-7000-8000-00000000000a'

beforeEach(async () => emptyDatabase(await testDatabase()))

// The text of Supabase's guide "User Management", but for auth.users and raw_user_meta_data.
const profilesTable = `
create table public.profiles (
id uuid not null references roster.users on delete cascade,
first_name text,
last_name text,
primary key (id)
);
alter table public.profiles enable row level security;
`
const handleNewUser = `
-- inserts a row into public.profiles
create function public.handle_new_user()
returns trigger
language plpgsql
security definer set search_path = ''
as $$
begin
insert into public.profiles (id, first_name, last_name)
values (new.id, new.user_metadata ->> 'first_name', new.user_metadata ->> 'last_name');
return new;
end;
$$;
-- trigger the function every time a user is created
create trigger on_auth_user_created
after insert on roster.users
for each row execute procedure public.handle_new_user();
`

test('a profiles table and its trigger are filled from what a user is created with', async () => {
  const { prisma } = await testDatabase()
  await plant(profilesTable + handleNewUser)

  await prisma.user.create({ data: { id: ada, userMetadata: { first_name: 'Ada', last_name: 'Lovelace' } }, select: { id: true } })

  expect(await prisma.$queryRaw`select id::text, first_name, last_name from public.profiles`).toEqual([
    { id: ada, first_name: 'Ada', last_name: 'Lovelace' },
  ])
})

test('a host row with on delete cascade goes with its user', async () => {
  const { prisma } = await testDatabase()
  await plant(profilesTable + handleNewUser)
  await prisma.user.create({ data: { id: ada }, select: { id: true } })

  await prisma.user.delete({ where: { id: ada }, select: { id: true } })

  expect(await prisma.$queryRaw`select count(*)::int as rows from public.profiles`).toEqual([{ rows: 0 }])
})
