import type { FieldMap } from '@pothos/core'
import type { User as UserRow } from '../generated/prisma/client.ts'
import type { ObjectFieldBuilder } from './builder.ts'
import type { PayloadShape } from './mutation.ts'
import { User } from './user.ts'

type Result = Readonly<{ userId: string | null; user?: UserRow }>
type Payload = ObjectFieldBuilder<PayloadShape<Result>>

/** `user`, as the change left it, or read again for more than its row has: null when nothing was changed, or the user is gone. */
export function userPayload(t: Payload): FieldMap {
  return {
    user: t.prismaField({
      type: User,
      nullable: true,
      description: 'The user after the change; null when it did not happen, or the user is gone.',
      resolve: (query, { result }, _args, { app }) => {
        if (result === null || result.userId === null) return null
        if (result.user && selectsColumns(query.select)) return result.user
        return app.database.users.findFirst({ ...query, where: { id: result.userId } })
      },
    }),
  }
}

/** Whether nothing is selected but columns. */
function selectsColumns(select: object | null | undefined): boolean {
  return select != null && Object.values(select).every((value) => value === true)
}
