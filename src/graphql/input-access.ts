import {
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputType,
  getNullableType,
  isInputObjectType,
  isListType,
} from 'graphql'
import type { Principal } from '../domain/principal.ts'
import { accessOf, allows, refusal } from './access.ts'

/**
 * Holds what was sent against the declarations on the input fields, all the way down.
 * @throws {RequestError} FORBIDDEN (UNAUTHENTICATED without a token) with `field`, the first input that the caller may not send
 */
export function assertInputAccess(args: readonly GraphQLArgument[], values: object, principal: Principal, owner: string | null): void {
  for (const { name, type } of args) assertValue(type, (values as Record<string, unknown>)[name], name, principal, owner)
}

/** The same for one value of an input type: what `search` was compiled to, for example. `path` names the value. */
export function assertValue(type: GraphQLInputType, value: unknown, path: string, principal: Principal, owner: string | null): void {
  if (value === undefined || value === null) return
  const nullable = getNullableType(type) as GraphQLInputType
  if (isListType(nullable)) {
    const items = Array.isArray(value) ? value : [value]
    items.forEach((item, index) => {
      assertValue(nullable.ofType, item, `${path}.${index}`, principal, owner)
    })
  } else if (isInputObjectType(nullable)) {
    const fields = nullable.getFields()
    for (const [name, member] of Object.entries(value)) assertMember(fields[name], member, `${path}.${name}`, principal, owner)
  }
}

function assertMember(
  field: GraphQLInputField | undefined,
  value: unknown,
  path: string,
  principal: Principal,
  owner: string | null,
): void {
  // What everybody sends who says nothing is nobody's to refuse.
  if (value === undefined || value === field?.defaultValue) return
  if (field === undefined) throw new Error(`${path} is no input of the graph: nothing says who may send it`)
  const access = accessOf(field)
  if (!allows(access, principal, owner)) throw refusal(access, principal, `\`${path}\``, path)
  assertValue(field.type, value, path, principal, owner)
}
