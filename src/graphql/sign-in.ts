import { type SignInInput, signIn } from '../domain/sign-in.ts'
import { everyone } from './access.ts'
import { mutation } from './mutation.ts'
import { proven, type SignedIn, signedInPayload } from './signed-in.ts'

/** What every mutation answers that signs somebody in with what he already holds. */
export const SignInPayload = mutation<SignInInput, SignedIn>({
  name: 'signIn',
  description:
    'Signs in with a password and exactly one name. An unknown name, a wrong password, and a user who has none, is blocked or deleted are all answered INVALID_CREDENTIALS.',
  access: everyone,
  consumesCredential: true,
  input: (t) => ({
    email: t.string({ description: 'The e-mail address, in any case.' }),
    phoneNumber: t.string({ description: 'The phone number, with + and the country code.' }),
    username: t.string({ description: 'The username, in any case.' }),
    password: t.string({ required: true, description: 'The password.' }),
  }),
  payload: signedInPayload,
  run: (scope, input, context) => proven(context, signIn({ ...scope, ...context.app.authentication }, input)),
})
