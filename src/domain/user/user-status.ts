/** The columns a user's state is read from. */
type StatusColumns = Readonly<{ deletedAt: Date | null; blockedAt: Date | null; blockedUntil: Date | null; invitedAt: Date | null }>

/** The state of a user at a time: deleted before blocked before invited. A block that has run out is no block. */
export function userStatus(user: StatusColumns, now: Date): 'ACTIVE' | 'INVITED' | 'BLOCKED' | 'DELETED' {
  if (user.deletedAt !== null) return 'DELETED'
  if (isBlocked(user, now)) return 'BLOCKED'
  return user.invitedAt !== null ? 'INVITED' : 'ACTIVE'
}

/** Whether a block stands at a time. */
export function isBlocked({ blockedAt, blockedUntil }: Pick<StatusColumns, 'blockedAt' | 'blockedUntil'>, now: Date): boolean {
  return blockedAt !== null && (blockedUntil === null || blockedUntil > now)
}
