import { type SignInWithIdTokenInput, signInWithIdToken } from '../domain/federation/sign-in-with-id-token.ts'
import { everyone } from './access.ts'
import { mutation } from './mutation.ts'
import { SignInPayload } from './sign-in.ts'
import { proven, type SignedIn } from './signed-in.ts'

mutation<SignInWithIdTokenInput, SignedIn>({
  name: 'signInWithIdToken',
  description:
    'Signs in with an ID token that the application holds already, as native ones get it from Google, Apple and others. It is good for one sign-in. Somebody who was never here becomes a user, where the connection lets him.',
  access: everyone,
  consumesCredential: true,
  input: (t) => ({
    connection: t.string({ required: true, description: 'The key of the connection. GitHub has no ID tokens.' }),
    idToken: t.string({ required: true, description: "The ID token, made for the connection's `clientId`." }),
    nonce: t.string({
      description: 'The nonce that the token was asked for with. The token may hold its SHA-256, in hexadecimal, in its place.',
    }),
  }),
  payload: SignInPayload,
  run: (scope, input, context) => proven(context, signInWithIdToken({ ...scope, ...context.app.authentication }, input)),
})
