import { refreshSession } from '../domain/session/refresh-session.ts'
import { type RevokeSessionsInput, revokeSession, revokeSessions } from '../domain/session/revoke-session.ts'
import { signOut } from '../domain/session/sign-out.ts'
import { everyone, selfOr } from './access.ts'
import { builder, type ObjectFieldBuilder } from './builder.ts'
import { mutation, type PayloadShape } from './mutation.ts'
import { Session } from './session.ts'
import { proven, signedInPayload } from './signed-in.ts'
import { User } from './user.ts'

const SignOutScope = builder.enumType('SignOutScope', {
  description: "Which of the caller's sessions end.",
  values: {
    GLOBAL: { description: 'All of them.' },
    LOCAL: { description: 'The one this call is made in.' },
    OTHERS: { description: 'All but the one this call is made in.' },
  },
})

/** How many sessions ended, as every mutation that ends several answers it. */
export function sessionsEnded(t: ObjectFieldBuilder<PayloadShape<{ sessionsEnded: number }>>) {
  return t.int({ description: 'How many sessions stood until now.', resolve: ({ result }) => result?.sessionsEnded ?? 0 })
}

mutation({
  name: 'refreshSession',
  description:
    'Renews a session: trades the refresh token for the next one and a new access token. Sent once more within 10 seconds, and before the next one is used, it answers the same next one. Later it ends the session. Call it without a token: one that has expired is refused.',
  access: everyone,
  consumesCredential: true,
  input: (t) => ({ refreshToken: t.string({ required: true, description: 'As the last answer had it.' }) }),
  payload: signedInPayload,
  run: (scope, input, context) => proven(context, refreshSession({ ...scope, ...context.app.authentication }, input)),
})

mutation({
  name: 'signOut',
  description: "Ends the caller's sessions. Their access tokens are refused at the next request.",
  access: selfOr(),
  input: (t) => ({ scope: t.field({ type: SignOutScope, defaultValue: 'GLOBAL', description: 'Which of them.' }) }),
  payload: (t: ObjectFieldBuilder<PayloadShape<{ sessionsEnded: number }>>) => ({ sessionsEnded: sessionsEnded(t) }),
  run: (scope, input, { app }) => signOut({ ...scope, ...app.authentication }, input),
})

mutation({
  name: 'revokeSession',
  description: "Ends one session, the caller's own or anybody's. Its access tokens are refused at the next request.",
  access: selfOr('delete:sessions'),
  input: (t) => ({ id: t.id({ required: true, description: 'The session.' }) }),
  payload: (t: ObjectFieldBuilder<PayloadShape<{ sessionId: string }>>) => ({
    session: t.prismaField({
      type: Session,
      nullable: true,
      description: 'The session that has ended; null when none did.',
      resolve: (query, { result }, _args, { app }) =>
        result === null ? null : app.database.prisma.session.findUnique({ ...query, where: { id: result.sessionId } }),
    }),
  }),
  run: (scope, input, { app }) => revokeSession({ ...scope, ...app.authentication }, input),
})

mutation({
  name: 'revokeSessions',
  description: "Ends a user's sessions, all or all but some. Their access tokens are refused at the next request.",
  access: selfOr('delete:sessions'),
  owner: ({ userId }: RevokeSessionsInput) => userId.toLowerCase(),
  input: (t) => ({
    userId: t.id({ required: true, description: 'The user.' }),
    exceptSessionIds: t.idList({ description: 'Sessions that stay: 100 at most. Ids of no session of the user except nothing.' }),
  }),
  payload: (t: ObjectFieldBuilder<PayloadShape<{ userId: string; sessionsEnded: number }>>) => ({
    user: t.prismaField({
      type: User,
      nullable: true,
      description: 'Whose sessions ended; null when it did not happen.',
      resolve: (query, { result }, _args, { app }) =>
        result === null ? null : app.database.users.findFirst({ ...query, where: { id: result.userId } }),
    }),
    sessionsEnded: sessionsEnded(t),
  }),
  run: (scope, input, { app }) => revokeSessions({ ...scope, ...app.authentication }, input),
})
