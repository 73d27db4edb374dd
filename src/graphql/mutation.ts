import type { FieldMap, InputFieldsFromShape } from '@pothos/core'
import type { GraphQLSchema } from 'graphql'
import type { Context } from '../context.ts'
import { DomainError, DomainErrors } from '../domain/errors.ts'
import type { Scope } from '../domain/scope.ts'
import { type Access, everyone } from './access.ts'
import { builder, type GraphTypes, type InputObjectFieldBuilder, type ObjectFieldBuilder } from './builder.ts'
import { type Failure, toFailure, UserError } from './user-error.ts'

/** What a payload's fields are resolved from: what the use-case answered, or the failures that were expected. */
export type PayloadShape<Result> = Readonly<{ result: Result | null; errors: readonly Failure[] }>

/** The type that a mutation answers. */
export type Payload<Result> = PothosSchemaTypes.ObjectRef<Types, PayloadShape<Result>>

type Types = PothosSchemaTypes.ExtendDefaultTypes<GraphTypes>

type Mutation<Input extends object, Result> = Readonly<{
  name: string
  description: string
  /** Who may call it at all; what each input field adds is declared there. */
  access: Access
  /** Whether it tries a password, a code or a token: an operation holds one such mutation at most, whatever it is called there. */
  consumesCredential?: boolean
  /** The id of the user that the input names. Without it: the caller's own. */
  owner?: (input: Input, context: Context) => string | null
  /** The input's fields. What says nothing itself may be sent by whoever may call the mutation. */
  /** Null for a mutation that takes none. */
  input: ((t: InputObjectFieldBuilder) => InputFieldsFromShape<Types, Input, 'InputObject'>) | null
  /** The payload's fields; or the payload of another mutation, which answers the same. */
  payload: ((t: ObjectFieldBuilder<PayloadShape<Result>>) => FieldMap) | Payload<Result>
  run: (scope: Scope, input: Input, context: Context) => Promise<Result>
}>

/**
 * Declares a mutation: `<name>(input: <Name>Input!): <Name>Payload!`, or without an input. It calls the use-case, and answers the failures that
 * the use-case expects as data in `errors`; everything else goes on to be masked. Answers the payload's type, for others that answer the same.
 */
export function mutation<Input extends object, Result>({
  name,
  description,
  access,
  consumesCredential = false,
  owner,
  input,
  payload,
  run,
}: Mutation<Input, Result>): Payload<Result> {
  // `Mutation` has already held the fields against the shape; the builder cannot follow a shape it does not know.
  const Input = builder.inputRef<Record<string, unknown>>(`${typeNameOf(name)}Input`)
  if (input !== null) Input.implement({ description: `What \`${name}\` takes.`, fieldAccess: everyone, fields: input as never })
  const Payload = typeof payload === 'function' ? definePayload(name, payload) : payload
  builder.mutationField(name, (t) =>
    t.field({
      type: Payload,
      description,
      access,
      extensions: { consumesCredential },
      owner: (args, context) => (owner ? owner(inputOf<Input>(args), context) : context.principal.userId),
      args: input === null ? {} : { input: t.arg({ type: Input, required: true, description: 'What to do.' }) },
      resolve: (_root, args, context) => outcome(run(context.scope, inputOf<Input>(args), context)),
    }),
  )
  return Payload
}

function definePayload<Result>(name: string, fields: (t: ObjectFieldBuilder<PayloadShape<Result>>) => FieldMap): Payload<Result> {
  return builder.objectRef<PayloadShape<Result>>(`${typeNameOf(name)}Payload`).implement({
    description: `What \`${name}\` answers.`,
    fieldAccess: everyone,
    fields: (t) => ({
      ...fields(t),
      errors: t.field({
        type: [UserError],
        description: 'What kept it from happening; empty when it happened.',
        resolve: ({ errors }) => errors,
      }),
    }),
  })
}

function typeNameOf(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}

/** The names of the mutations that try a credential. */
export function credentialMutations(schema: GraphQLSchema): ReadonlySet<string> {
  const mutations = Object.values(schema.getMutationType()?.getFields() ?? {})
  return new Set(mutations.filter(({ extensions }) => extensions['consumesCredential'] === true).map(({ name }) => name))
}

/** What was sent; an empty object where nothing is taken. */
function inputOf<Input extends object>({ input = {} }: { input?: unknown }): Input {
  return input as Input
}

async function outcome<Result>(work: Promise<Result>): Promise<PayloadShape<Result>> {
  try {
    return { result: await work, errors: [] }
  } catch (error) {
    if (error instanceof DomainErrors) return { result: null, errors: error.errors.map(toFailure) }
    if (error instanceof DomainError) return { result: null, errors: [toFailure(error)] }
    throw error
  }
}
