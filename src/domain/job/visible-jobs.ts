import type { Prisma } from '../../generated/prisma/client.ts'
import { hasScope, type Principal } from '../principal.ts'

/** The jobs that a caller may know of: imports and exports, each with the scope that makes one. */
export function visibleJobs(principal: Principal): Prisma.JobWhereInput {
  const kinds = [...(hasScope(principal, 'import:users') ? ['IMPORT'] : []), ...(hasScope(principal, 'export:users') ? ['EXPORT'] : [])]
  return { kind: { in: kinds } }
}
