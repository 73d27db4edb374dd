import { type LinkAccountInput, linkAccount } from '../domain/identity/link-account.ts'
import { type UnlinkIdentityInput, unlinkIdentity } from '../domain/identity/unlink-identity.ts'
import { scopes, selfOr } from './access.ts'
import type { ObjectFieldBuilder } from './builder.ts'
import { Identity } from './identity.ts'
import { mutation, type PayloadShape } from './mutation.ts'
import { sessionsEnded } from './session-mutations.ts'
import { userPayload } from './user-payload.ts'

type Linked = Readonly<{ userId: string; identityId: string }>

mutation<LinkAccountInput, Linked>({
  name: 'linkIdentity',
  description:
    "Links an account at a provider to a user: whoever signs in with it there is this user from now on. The user shows with `code` or `idToken` that it is his, within 5 minutes of signing in, or with `currentPassword` or `nonce`. An administrator's word does with `providerUserId`: one that is the user's already is brought up to date, what is absent is left alone, null clears.",
  access: selfOr('update:users'),
  owner: (input, { principal }) => input.userId ?? principal.userId,
  input: (t) => ({
    userId: t.id({ description: 'The user; the caller when absent.' }),
    provider: t.string({
      description:
        "The key of the provider, 1 to 255 characters; none of Roster's own. With `idToken`: of a connection; not needed with `code`.",
    }),
    code: t.string({
      description: 'The code that the browser came back with from `GET /auth/authorize` with `intent=link`. It is good for one use.',
    }),
    codeVerifier: t.string({ description: 'With `code`: what the `code_challenge` was made of.' }),
    idToken: t.string({ description: 'An ID token that the provider has made for this connection a moment ago. It is good for one use.' }),
    idTokenNonce: t.string({ description: 'The nonce that the ID token was asked for with, if it was.' }),
    currentPassword: t.string({ description: 'The password, in a session that was not started a moment ago.' }),
    nonce: t.string({ description: 'A code from `requestReauthentication`, in place of `currentPassword`.' }),
    providerUserId: t.string({
      access: scopes('update:users'),
      description: "The provider's `sub`, 1 to 255 characters, exactly; in place of `code` or `idToken`.",
    }),
    email: t.string({
      access: scopes('update:users'),
      description: 'The address that the provider knows. It does not become the address of the user.',
    }),
    emailVerified: t.boolean({
      access: scopes('update:users'),
      description: 'Whether the provider vouches for the address; false for a new one when absent.',
    }),
    claims: t.field({
      type: 'JSONObject',
      access: scopes('update:users'),
      description: 'What the provider says: at most 16 KiB and 8 levels, keys of 1 to 64 characters.',
    }),
  }),
  payload: (t: ObjectFieldBuilder<PayloadShape<Linked>>) => ({
    ...userPayload(t),
    identity: t.prismaField({
      type: Identity,
      nullable: true,
      description: 'The identity that was linked; null when it was not.',
      resolve: (query, { result }, _args, { app }) =>
        result === null ? null : app.database.prisma.identity.findUnique({ ...query, where: { id: result.identityId } }),
    }),
  }),
  run: (scope, input: LinkAccountInput, { app }) => linkAccount({ ...scope, ...app.authentication }, input),
})

mutation({
  name: 'unlinkIdentity',
  description:
    'Unlinks one of the ways a user signs in, and ends the sessions that were started with it. The user does it within 5 minutes of signing in, or sends `currentPassword` or `nonce`. The last way is kept. Unlinking `password` takes the password away.',
  access: selfOr('update:users'),
  input: (t) => ({
    id: t.id({ required: true, description: 'The identity.' }),
    currentPassword: t.string({ description: 'The password, in a session that was not started a moment ago.' }),
    nonce: t.string({ description: 'A code from `requestReauthentication`, in place of `currentPassword`.' }),
    force: t.boolean({ access: scopes('update:users'), description: 'Whether it goes even if it is the last way the user signs in.' }),
  }),
  payload: (t: ObjectFieldBuilder<PayloadShape<{ userId: string; sessionsEnded: number }>>) => ({
    ...userPayload(t),
    sessionsEnded: sessionsEnded(t),
  }),
  run: (scope, input: UnlinkIdentityInput, { app }) => unlinkIdentity({ ...scope, ...app.authentication }, input),
})
