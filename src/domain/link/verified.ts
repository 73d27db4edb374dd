import type { AuthTokens } from '../session.ts'

/** Who has shown that the address is his, and the session this began. */
export type Verified = Readonly<{ userId: string | null; tokens: AuthTokens | null; redirectTo: string | null }>
