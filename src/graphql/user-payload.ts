import type { FieldMap } from '@pothos/core'
import type { ObjectFieldBuilder } from './builder.ts'
import type { PayloadShape } from './mutation.ts'
import { User } from './user.ts'

type Payload = ObjectFieldBuilder<PayloadShape<{ userId: string | null }>>

/** `user`, read again after the change: null when nothing was changed, or the user is gone. */
export function userPayload(t: Payload): FieldMap {
  return {
    user: t.prismaField({
      type: User,
      nullable: true,
      description: 'The user after the change; null when it did not happen, or the user is gone.',
      resolve: (query, { result }, _args, { app }) =>
        result === null || result.userId === null ? null : app.database.users.findFirst({ ...query, where: { id: result.userId } }),
    }),
  }
}
