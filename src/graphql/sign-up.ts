import { type SignUpInput, signUp } from '../domain/sign-up.ts'
import { everyone } from './access.ts'
import { mutation } from './mutation.ts'
import { ProfileInput } from './profile.ts'
import { proven, type SignedIn, signedInPayload } from './signed-in.ts'

mutation<SignUpInput, SignedIn>({
  name: 'signUp',
  description:
    'Signs a person up, by an e-mail address, a phone number or a username. Where e-mail addresses are confirmed and one is given, `user` and `tokens` are null and a mail is sent: to confirm it, or to tell the owner of an address that is registered. The answer is the same.',
  access: everyone,
  consumesCredential: true,
  input: (t) => ({
    email: t.string({ description: 'Kept as typed; unique in its normal form.' }),
    phoneNumber: t.string({ description: 'With + and the country code; kept in E.164 form; unique. Nothing is sent to it.' }),
    username: t.string({ description: '1 to 64 characters without spaces and @; unique in any case.' }),
    password: t.string({
      description:
        'At least `serverInfo { signIn { passwordMinLength } }` characters, at most 1024 bytes. May be left out where an e-mail address is confirmed.',
    }),
    profile: t.field({ type: ProfileInput, description: "The profile's attributes." }),
    userMetadata: t.field({ type: 'JSONObject', description: 'At most 16 KiB and 8 levels, keys of 1 to 64 characters.' }),
    redirectTo: t.string({ description: 'Where the link of the mail leads afterwards: one of ALLOWED_REDIRECTS.' }),
  }),
  payload: signedInPayload,
  run: (scope, input, context) => proven(context, signUp({ ...scope, ...context.app.authentication }, input)),
})
