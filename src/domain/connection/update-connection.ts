import type { AuthenticationScope } from '../authentication.ts'
import { change } from '../change.ts'
import { DomainErrors } from '../errors.ts'
import { connectionImage, keepClientSecret, lockConnection, readConnection } from './connection-record.ts'
import { type ConnectionSettings, settingColumns, settingProblems } from './connection-settings.ts'
import type { ConfiguredStrategy } from './strategy.ts'

/** Which connection, and what to set. Key, strategy and issuer stay: identities would become other people's. */
export type UpdateConnectionInput = ConnectionSettings & Readonly<{ id: string }>

/**
 * Changes a connection. Writes `connection.updated`, unless nothing changed.
 * @throws {DomainErrors} everything that is wrong with the input
 * @throws {DomainError} CONNECTION_NOT_FOUND
 */
export async function updateConnection(scope: AuthenticationScope, input: UpdateConnectionInput): Promise<{ connectionId: string }> {
  return change(scope, 'connection.updated', async (tx) => {
    const before = await lockConnection(tx, input.id)
    const strategy = before.strategy as ConfiguredStrategy
    const problems = settingProblems(strategy, input)
    if (problems.length > 0) throw new DomainErrors(problems)
    const { id } = before
    const clientId = input.clientId ?? before.clientId
    const data = { ...settingColumns(strategy, input), clientId, updatedAt: tx.now }
    await tx.db.connection.update({ where: { id }, data, select: { id: true } })
    await keepClientSecret(tx, scope.secrets, id, input.clientSecret)
    const after = connectionImage(await readConnection(tx, id))
    return { result: { connectionId: id }, subjectId: id, before: connectionImage(before), after }
  })
}
