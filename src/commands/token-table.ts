import type { AdminToken } from '../generated/prisma/client.ts'

/** A table of tokens for people to read. */
export function formatTokens(tokens: readonly AdminToken[], now: Date): string {
  if (tokens.length === 0) return 'There are no admin tokens.\n'
  const rows = tokens.map((token) => [
    token.id,
    printable(token.name),
    status(token, now),
    date(token.expiresAt),
    date(token.lastUsedAt),
    token.scopes.join(' '),
  ])
  return table([['ID', 'NAME', 'STATUS', 'EXPIRES', 'LAST USED', 'SCOPES'], ...rows])
}

function status({ revokedAt, expiresAt }: AdminToken, now: Date): string {
  if (revokedAt !== null) return 'revoked'
  return expiresAt !== null && expiresAt <= now ? 'expired' : 'active'
}

function date(value: Date | null): string {
  return value === null ? 'never' : `${value.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** Whoever names a token must not get at the terminal of whoever lists it. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, '�')
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return `${rows.map(line).join('\n')}\n`
}
