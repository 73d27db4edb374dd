import type { AdminToken } from '../generated/prisma/client.ts'
import { formatTable, formatTime } from './table.ts'

/** A table of tokens for people to read. */
export function formatTokens(tokens: readonly AdminToken[], now: Date): string {
  if (tokens.length === 0) return 'There are no admin tokens.\n'
  const rows = tokens.map((token) => [
    token.id,
    printable(token.name),
    status(token, now),
    formatTime(token.expiresAt),
    formatTime(token.lastUsedAt),
    token.scopes.join(' '),
  ])
  return formatTable([['ID', 'NAME', 'STATUS', 'EXPIRES', 'LAST USED', 'SCOPES'], ...rows])
}

function status({ revokedAt, expiresAt }: AdminToken, now: Date): string {
  if (revokedAt !== null) return 'revoked'
  return expiresAt !== null && expiresAt <= now ? 'expired' : 'active'
}

/** Whoever names a token must not get at the terminal of whoever lists it. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, '�')
}
