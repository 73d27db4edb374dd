import { change } from '../change.ts'
import { DomainError } from '../errors.ts'
import type { Scope } from '../scope.ts'
import { connectionImage, lockConnection } from './connection-record.ts'

/**
 * Deletes a connection that nobody has an identity of: under the same key, another provider's people would be taken for them. Writes
 * `connection.deleted`.
 * @throws {DomainError} CONNECTION_NOT_FOUND, CONNECTION_IN_USE
 */
export async function deleteConnection(scope: Scope, { id }: { id: string }): Promise<{ connectionId: string }> {
  return change(scope, 'connection.deleted', async (tx) => {
    const before = await lockConnection(tx, id)
    const identity = await tx.db.identity.findFirst({ where: { provider: before.key }, select: { id: true } })
    if (identity !== null) throw connectionInUse()
    await tx.db.connection.delete({ where: { id: before.id }, select: { id: true } })
    return { result: { connectionId: before.id }, subjectId: before.id, before: connectionImage(before), after: null }
  })
}

function connectionInUse(): DomainError<'CONNECTION_IN_USE'> {
  const message = 'Users have identities of this connection. Unlink them first, or disable the connection.'
  return new DomainError('CONNECTION_IN_USE', message, ['input', 'id'], {})
}
