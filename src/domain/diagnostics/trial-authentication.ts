import { newOpaqueToken } from '../../crypto/opaque-token.ts'
import { createSecrets } from '../../crypto/secrets.ts'
import type { Authentication } from '../authentication.ts'
import { defaultBudgets } from '../budget.ts'

/** What use-cases work with where nothing that they make is to last: tokens are empty, secrets are nobody's, and no mail goes out. */
export function trialAuthentication({ passwords }: Pick<Authentication, 'passwords'>): Authentication {
  return {
    passwords,
    accessTokens: {
      issuer: '',
      audience: '',
      accessTokenSeconds: 60,
      isKnown: () => false,
      sign: async () => '',
      verify: async () => Promise.reject(new Error('there are no tokens here')),
    },
    secrets: createSecrets(newOpaqueToken()),
    budgets: defaultBudgets,
    sessionLifetime: { absoluteSeconds: 60, idleSeconds: 60 },
    signUpOpen: false,
    confirmsEmail: false,
    links: { publicUrl: '', allowedRedirects: [], emailChangeConfirmation: 'new' },
    mailEnabled: false,
    trustedProviders: new Map(),
    providers: { configuration: noProvider, keys: () => noProvider },
    askOldDirectory: async () => null,
  }
}

async function noProvider(): Promise<never> {
  throw new Error('there are no providers here')
}
