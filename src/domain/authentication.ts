import type { AccessTokens } from '../crypto/access-token.ts'
import type { Secrets } from '../crypto/secrets.ts'
import type { AskOldDirectory } from '../ports/old-directory.ts'
import type { Providers } from '../ports/providers.ts'
import type { Budgets } from './budget.ts'
import type { TrustedProviders } from './connection/foreign-providers.ts'
import type { Passwords } from './password/passwords.ts'
import type { Scope } from './scope.ts'

/** How long a session stands. NIST SP 800-63B-4 §2.1.3 allows 30 days for AAL1. */
export type SessionLifetime = Readonly<{
  /** Since it was started, whatever happens. */
  absoluteSeconds: number
  /** Since it was last renewed. */
  idleSeconds: number
}>

/** What is said of links and of what is done with them. */
export type LinkSettings = Readonly<{
  /** Where clients reach Roster, without a trailing slash. */
  publicUrl: string
  /** The URLs that browsers may be sent to, parsed; `loopback`: those of this machine. */
  allowedRedirects: readonly string[] | 'loopback'
  /** Which addresses confirm a change of the address. */
  emailChangeConfirmation: 'both' | 'new'
}>

/** What signing in works with, put together once; use-cases get it beside their scope. */
export type Authentication = Readonly<{
  accessTokens: AccessTokens
  secrets: Secrets
  budgets: Budgets
  sessionLifetime: SessionLifetime
  passwords: Passwords
  /** Whether people may sign up by themselves. */
  signUpOpen: boolean
  /** Whether somebody who has an e-mail address signs in only once it is verified. */
  confirmsEmail: boolean
  links: LinkSettings
  /** Whether mail goes out; what has to send some asks it first. */
  mailEnabled: boolean
  /** Whose tokens are accepted; no connection has their identities. */
  trustedProviders: TrustedProviders
  /** Those whom people sign in with. */
  providers: Providers
  /** Asks the old systems that connections name. */
  askOldDirectory: AskOldDirectory
}>

/** What a use-case of signing in works with. */
export type AuthenticationScope = Scope & Authentication
