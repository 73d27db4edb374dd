import type { FieldMap } from '@pothos/core'
import type { Context } from '../context.ts'
import type { AuthTokens as AuthTokensShape } from '../domain/session.ts'
import { everyone } from './access.ts'
import { builder, type ObjectFieldBuilder } from './builder.ts'
import type { PayloadShape } from './mutation.ts'
import { User } from './user.ts'

const AuthTokens = builder.objectRef<AuthTokensShape>('AuthTokens').implement({
  description: 'What a signed-in client holds, RFC 6749 §5.1.',
  fieldAccess: everyone,
  fields: (t) => ({
    accessToken: t.exposeString('accessToken', { description: 'Sent as `Authorization: Bearer` with each request: a JWT, RFC 9068.' }),
    tokenType: t.string({ description: '`Bearer`.', resolve: () => 'Bearer' }),
    expiresIn: t.exposeInt('expiresIn', { description: 'How many seconds the access token lives.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When the access token ends.' }),
    refreshToken: t.exposeString('refreshToken', { description: 'Good for one `refreshSession`, which answers the next one.' }),
  }),
})

/** What signing in, in whatever way, comes to. Without tokens something is still to be done, such as a confirmation by mail. */
export type SignedIn = Readonly<{ userId: string | null; tokens: AuthTokensShape | null }>

/** `user` and `tokens`, as every mutation that signs somebody in answers them. */
export function signedInPayload(t: ObjectFieldBuilder<PayloadShape<SignedIn>>): FieldMap {
  return {
    user: t.prismaField({
      type: User,
      nullable: true,
      description: 'Who is signed in now; null when nobody is.',
      resolve: (query, { result }, _args, { app }) =>
        result === null || result.userId === null ? null : app.database.users.findFirst({ ...query, where: { id: result.userId } }),
    }),
    tokens: t.field({
      type: AuthTokens,
      nullable: true,
      description: 'What the session goes on with; null when there is none.',
      resolve: ({ result }) => result?.tokens ?? null,
    }),
  }
}

/** Lets the user read the own record in the answer, once tokens were handed out. */
export async function proven(context: Context, work: Promise<SignedIn>): Promise<SignedIn> {
  const result = await work
  if (result.tokens !== null && result.userId !== null) context.proven.add(result.userId)
  return result
}
