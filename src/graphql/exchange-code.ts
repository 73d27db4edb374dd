import type { CodeInput } from '../domain/authorization/authorization-code.ts'
import { exchangeCode } from '../domain/authorization/exchange-code.ts'
import { everyone } from './access.ts'
import { mutation } from './mutation.ts'
import { SignInPayload } from './sign-in.ts'
import { proven, type SignedIn } from './signed-in.ts'

mutation<CodeInput, SignedIn>({
  name: 'exchangeCode',
  description:
    'Trades the one-time code that a browser sign-in came back with, under PKCE. It works once, for 60 seconds; a wrong verifier uses it up.',
  access: everyone,
  consumesCredential: true,
  input: (t) => ({
    code: t.string({ required: true, description: 'The `code` that `redirect_to` was called with.' }),
    codeVerifier: t.string({ required: true, description: 'What the `code_challenge` was made of, RFC 7636 §4.1.' }),
  }),
  payload: SignInPayload,
  run: (scope, input, context) => proven(context, exchangeCode({ ...scope, ...context.app.authentication }, input)),
})
