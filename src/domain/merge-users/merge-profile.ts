import type { Profile, ProfileSource } from '../../generated/prisma/client.ts'
import type { ChangeScope } from '../change.ts'
import { nameNormal, type ProfileAttribute, type ProfileInput, profileAttributes, profileColumns } from '../profile.ts'
import { attributesOf, forgetSources } from '../profile-source.ts'

/** A profile, and where each of its attributes came from. */
export type SourcedProfile = Readonly<{ profile: Profile | null; sources: readonly ProfileSource[] }>

/**
 * Gives a profile those attributes of another that it has not, or that people have edited there and not here. Each keeps the source it
 * came from. The identities among them must be in place.
 */
export async function mergeProfile(
  { db, now }: ChangeScope,
  userId: string,
  target: SourcedProfile,
  source: SourcedProfile,
  identityIds: ReadonlySet<string>,
): Promise<void> {
  const taken = profileAttributes.filter((attribute) => isTaken(attribute, target, source))
  if (taken.length === 0) return
  const brought = source.profile as ProfileInput
  await db.profile.update({ where: { userId }, data: { ...profileColumns(brought, taken), updatedAt: now }, select: { userId: true } })
  if (taken.includes('name'))
    await db.user.update({ where: { id: userId }, data: { nameNormal: nameNormal(brought) }, select: { id: true } })
  await forgetSources(db, [{ userId, attributes: taken }])
  await db.profileSource.createMany({
    data: source.sources.flatMap(({ origin, identityId, setAt, ...row }) => {
      const [attribute, ...others] = attributesOf(row).filter((name) => (taken as readonly string[]).includes(name))
      const isThere = identityId !== null && identityIds.has(identityId)
      return attribute === undefined ? [] : [{ userId, attribute, others, origin, identityId: isThere ? identityId : null, setAt }]
    }),
  })
}

function isTaken(attribute: ProfileAttribute, target: SourcedProfile, source: SourcedProfile): boolean {
  const [here, there] = [target.profile?.[attribute] ?? null, source.profile?.[attribute] ?? null]
  if (there === null || JSON.stringify(here) === JSON.stringify(there)) return false
  return here === null || (wasEdited(attribute, source) && !wasEdited(attribute, target))
}

/** By the user or an administrator. */
function wasEdited(attribute: ProfileAttribute, { sources }: SourcedProfile): boolean {
  return sources.some((source) => attributesOf(source).includes(attribute) && (source.origin === 'USER' || source.origin === 'ADMIN'))
}
