import type { FieldMap } from '@pothos/core'
import type { Context } from '../context.ts'
import type { AuthenticationScope } from '../domain/authentication.ts'
import { type GeneratedLink as GeneratedLinkShape, type GenerateLinkInput, generateLink } from '../domain/link/generate-link.ts'
import { inviteUser } from '../domain/link/invite-user.ts'
import { requestPasswordReset, requestSignIn } from '../domain/link/request-link.ts'
import { requestReauthentication } from '../domain/link/request-reauthentication.ts'
import { sendVerification } from '../domain/link/send-verification.ts'
import { type VerifyTokenInput, verifyToken } from '../domain/link/verify-token.ts'
import type { Scope } from '../domain/scope.ts'
import { everyone, scopes, selfOr } from './access.ts'
import { builder, type ObjectFieldBuilder } from './builder.ts'
import { mutation, type PayloadShape } from './mutation.ts'
import { proven, signedInPayload } from './signed-in.ts'
import { userPayload } from './user-payload.ts'

const LinkType = builder.enumType('LinkType', {
  description: 'What a link or code is for. It is good for nothing else.',
  values: {
    SIGNUP: { description: 'Verifies the address of somebody who signed up, and signs in.' },
    INVITE: { description: 'Accepts an invitation, verifies the address, and signs in.' },
    MAGIC_LINK: { description: 'Signs in, and verifies the address.' },
    RECOVERY: { description: 'Signs in to set a new password, and verifies the address.' },
    EMAIL_CHANGE_CURRENT: { description: 'The address that stands agrees to be changed.' },
    EMAIL_CHANGE_NEW: { description: 'The new address is shown to reach the person.' },
    REAUTHENTICATION: { description: 'A code only: it is sent as `nonce` with a sensitive change.' },
  },
})

const IfMissing = builder.enumType('IfMissing', {
  description: 'What to do for an address that nobody has.',
  values: { ERROR: { description: 'Answer UserNotFound.' }, CREATE: { description: 'Make the user.' } },
})

/** What the use-cases of links work with. */
function withAuthentication(scope: Scope, { app }: Context): AuthenticationScope {
  return { ...scope, ...app.authentication }
}

const nothing = (): FieldMap => ({})
const redirectTo = 'Where the browser goes from the page that the link opens: one of ALLOWED_REDIRECTS.'

mutation({
  name: 'requestSignIn',
  description: 'A magic link and a code, by e-mail. Answers the same for an unknown address.',
  access: everyone,
  consumesCredential: true,
  input: (t) => ({
    email: t.string({ required: true, description: 'The address.' }),
    createUser: t.boolean({ defaultValue: false, description: 'Whether somebody who is not known becomes a user.' }),
    redirectTo: t.string({ description: redirectTo }),
  }),
  payload: nothing,
  run: (scope, input: { email: string }, context) => requestSignIn(withAuthentication(scope, context), input),
})

mutation({
  name: 'requestPasswordReset',
  description: 'A link and a code to set a new password with, by e-mail. Answers the same for an unknown address.',
  access: everyone,
  consumesCredential: true,
  input: (t) => ({
    email: t.string({ required: true, description: 'The address.' }),
    redirectTo: t.string({ description: redirectTo }),
  }),
  payload: nothing,
  run: (scope, input: { email: string }, context) => requestPasswordReset(withAuthentication(scope, context), input),
})

mutation({
  name: 'requestReauthentication',
  description: 'A 6-digit code to the verified address, to be sent with a sensitive change as `nonce`. It works once, for 5 minutes.',
  access: selfOr(),
  consumesCredential: true,
  input: null,
  payload: nothing,
  run: (scope, _input, context) => requestReauthentication(withAuthentication(scope, context)),
})

mutation({
  name: 'sendVerification',
  description: 'Once more the mail that verifies an address: for oneself, or with create:user_tickets.',
  access: selfOr('create:user_tickets'),
  owner: ({ id, email }: { id?: string | null; email?: string | null }, { principal }) =>
    email == null ? (id?.toLowerCase() ?? principal.userId) : null,
  input: (t) => ({
    id: t.id({ description: 'The user; absent: the caller.' }),
    email: t.string({ access: scopes('create:user_tickets'), description: 'The user, by address. Not together with `id`.' }),
    redirectTo: t.string({ description: redirectTo }),
  }),
  payload: nothing,
  run: (scope, input, context) => sendVerification(withAuthentication(scope, context), input),
})

mutation({
  name: 'verifyToken',
  description:
    'Uses a link or code up, once. SIGNUP, INVITE, MAGIC_LINK and RECOVERY verify the address and sign in; the two of a change of the address confirm it and sign nobody in.',
  access: everyone,
  consumesCredential: true,
  owner: () => null,
  input: (t) => ({
    type: t.field({ type: LinkType, required: true, description: 'What the link or code is for.' }),
    tokenHash: t.string({ description: 'The `token` of the link. Not together with `email` and `code`.' }),
    email: t.string({ description: 'The address the code was mailed to.' }),
    code: t.string({ description: 'The code: 6 digits, good for 10 minutes and 5 tries.' }),
    newPassword: t.string({
      description: 'For RECOVERY and INVITE: the password from now on. It ends all sessions there were. Absent: the password stays.',
    }),
  }),
  payload: signedInPayload,
  run: (scope, input: VerifyTokenInput, context) => proven(context, verifyToken(withAuthentication(scope, context), input)),
})

mutation({
  name: 'inviteUser',
  description:
    'Makes a user and mails the link that accepts the invitation. Who was invited before and has not accepted is mailed a new one.',
  access: scopes('create:users'),
  owner: () => null,
  input: (t) => ({
    email: t.string({ required: true, description: 'The address.' }),
    userMetadata: t.field({ type: 'JSONObject', description: 'At most 16 KiB and 8 levels, keys of 1 to 64 characters.' }),
    appMetadata: t.field({
      type: 'JSONObject',
      access: scopes('update:users_app_metadata'),
      description: 'At most 16 KiB and 8 levels, keys of 1 to 64 characters.',
    }),
    redirectTo: t.string({ description: redirectTo }),
  }),
  payload: userPayload,
  run: (scope, input: { email: string }, context) => inviteUser(withAuthentication(scope, context), input),
})

const GeneratedLink = builder.objectRef<GeneratedLinkShape>('GeneratedLink').implement({
  description: 'What a mail would have brought.',
  fieldAccess: everyone,
  fields: (t) => ({
    actionLink: t.expose('actionLink', { type: 'URL', description: 'The link.' }),
    emailOtp: t.exposeString('emailOtp', { description: 'The code, good for 10 minutes at the most.' }),
    hashedToken: t.exposeString('hashedToken', { description: 'The token of the link: what `verifyToken` takes as `tokenHash`.' }),
    verificationType: t.expose('verificationType', { type: LinkType, description: 'What it is for.' }),
    redirectTo: t.expose('redirectTo', {
      type: 'URL',
      nullable: true,
      description: 'Where the browser goes from the page that the link opens.',
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When the link ends.' }),
  }),
})

mutation({
  name: 'generateLink',
  description: 'Makes the link and the code that a mail would bring, and sends nothing. What was mailed of this type before is void.',
  access: scopes('create:user_tickets'),
  owner: () => null,
  input: (t) => ({
    type: t.field({ type: LinkType, required: true, description: 'What for; there is none for REAUTHENTICATION.' }),
    email: t.string({ required: true, description: 'The address that the user has now.' }),
    newEmail: t.string({ description: 'For a change of the address: the new one.' }),
    password: t.string({ description: 'For a user who is made by this: the password.' }),
    userMetadata: t.field({ type: 'JSONObject', description: 'For a user who is made by this.' }),
    redirectTo: t.string({ description: redirectTo }),
    ifMissing: t.field({ type: IfMissing, defaultValue: 'ERROR', description: 'What to do for an address that nobody has.' }),
    expiresIn: t.field({
      type: 'Duration',
      description: 'How long the link works, ISO 8601: a minute to 30 days. Absent: as its type says.',
    }),
  }),
  payload: (t: ObjectFieldBuilder<PayloadShape<{ userId: string; link: GeneratedLinkShape }>>) => ({
    ...userPayload(t as never),
    link: t.field({
      type: GeneratedLink,
      nullable: true,
      description: 'The link; null when there is none.',
      resolve: ({ result }) => result?.link ?? null,
    }),
  }),
  run: (scope, input: GenerateLinkInput, context) => generateLink(withAuthentication(scope, context), input),
})
