import { parseConfig } from '../src/config.ts'
import type { Finding } from '../src/domain/diagnostics/finding.ts'
import { diagnose } from '../src/domain/diagnostics.ts'
import { createPasswords } from '../src/domain/password/passwords.ts'
import type { PrismaClient } from '../src/generated/prisma/client.ts'
import { systemClock } from '../src/ports/clock.ts'
import { testDatabase } from './database.ts'

const passwords = createPasswords(parseConfig({}))

/** What is found in the database of the run, by its owner or by whomever this client is of. */
export async function examine(prisma?: PrismaClient) {
  return diagnose({ db: prisma ?? (await testDatabase()).prisma, clock: systemClock, passwords })
}

/** Runs what a finding says that mends it, as the owner of everything. */
async function mend({ fix }: Finding): Promise<void> {
  const { session } = await testDatabase()
  await session(({ run }) => run(fix))
}

/** Mends what is found, one thing after the other, until nothing is; answers what that was. */
export async function mendAll(look: () => ReturnType<typeof examine>): Promise<Finding[]> {
  const mended: Finding[] = []
  for (let [finding] = (await look()).findings; finding !== undefined; [finding] = (await look()).findings) {
    if (mended.length === 10) throw new Error(`it does not mend: ${JSON.stringify(finding)}`)
    mended.push(finding)
    await mend(finding)
  }
  return mended
}

/** Where nothing is found. */
export const healthy = { ok: true, findings: [] }

/** A table of the host that goes by its users, with a rule of its own. */
export const profiles = `
  create table public.profiles (
    id uuid references roster.users on delete cascade not null primary key, username text unique, full_name text,
    constraint username_length check (char_length(username) >= 3)
  );`

/** A trigger of the host on users that does this, and its function. */
export function trigger(
  body: string,
  { options = '', event = 'after insert', name = 'on_user_created', ending = 'return new;' } = {},
): string {
  return `
    create function public.handle_${name}() returns trigger as $$ begin ${body} ${ending} end; $$ language plpgsql ${options};
    create trigger ${name} ${event} on roster.users for each row execute procedure public.handle_${name}();`
}

/** What such a trigger does with `profiles`. */
export const insertProfile = `insert into public.profiles (id, full_name) values (new.id, new.user_metadata->>'full_name');`

/** How a finding calls such a trigger. */
export const object = 'on_user_created on roster.users'
