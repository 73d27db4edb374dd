import SchemaBuilder, {
  BasePlugin,
  type FieldNullability,
  type InputFieldMap,
  type InputShapeFromFields,
  type PothosInputFieldConfig,
  type PothosOutputFieldConfig,
  PothosSchemaError,
  type PothosTypeConfig,
  type SchemaTypes,
  type TypeParam,
} from '@pothos/core'
import type { GraphQLFieldResolver } from 'graphql'
import type { Context } from '../context.ts'
import type { Principal } from '../domain/principal.ts'
import { type Access, accessOf, allows, isRestricted, refusal } from './access.ts'
import { assertInputAccess } from './input-access.ts'
import { readOrResolve } from './read-or-resolve.ts'

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      access: AccessPlugin<Types>
    }
    export interface ObjectTypeOptions<Types extends SchemaTypes, Shape> {
      /** The id of the user whose record a row is; without it, nobody is `self` here. What it reads must be selected. */
      owner?: (row: Shape) => string | null
      /** The declaration of each field that has none of its own. */
      fieldAccess?: Access
    }
    export interface InterfaceTypeOptions<Types extends SchemaTypes, Shape, Interfaces> {
      fieldAccess?: Access
    }
    export interface InputObjectTypeOptions<Types extends SchemaTypes, Fields> {
      fieldAccess?: Access
    }
    export interface FieldOptions<Types, ParentShape, Type, Nullable, Args, ResolveShape, ResolveReturnShape> {
      access?: Access
    }
    export interface QueryFieldOptions<
      Types extends SchemaTypes,
      Type extends TypeParam<Types>,
      Nullable extends FieldNullability<Type>,
      Args extends InputFieldMap,
      ResolveReturnShape,
    > {
      /** The id of the user whose record the arguments name; without it, any signed-in user's own. */
      owner?: (args: InputShapeFromFields<Args>, context: Context) => string | null
    }
    export interface MutationFieldOptions<
      Types extends SchemaTypes,
      Type extends TypeParam<Types>,
      Nullable extends FieldNullability<Type>,
      Args extends InputFieldMap,
      ResolveReturnShape,
    > {
      owner?: (args: InputShapeFromFields<Args>, context: Context) => string | null
    }
    export interface InputObjectFieldOptions<Types, Type, Req> {
      access?: Access
    }
  }
}

type Options = { access?: Access; fieldAccess?: Access; owner?: (subject: unknown, context: Context) => string | null }
type Resolve<Types extends SchemaTypes> = GraphQLFieldResolver<unknown, Types['Context'], object>
type Subscribe<Types extends SchemaTypes> = GraphQLFieldResolver<unknown, Types['Context'], object, Promise<AsyncIterable<unknown>>>

/**
 * Declares access on the field, refuses to build a schema with a field that declares none, prints the declaration as
 * `@access`, and enforces it: a forbidden output is null with an error at its path, a forbidden input refuses its field.
 */
export class AccessPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  readonly #types = new Map<string, Options>()

  override onTypeConfig(typeConfig: PothosTypeConfig): PothosTypeConfig {
    this.#types.set(typeConfig.name, typeConfig.pothosOptions as Options)
    return typeConfig
  }

  override onOutputFieldConfig(fieldConfig: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    return this.#declared(fieldConfig)
  }

  override onInputFieldConfig(fieldConfig: PothosInputFieldConfig<Types>): PothosInputFieldConfig<Types> {
    return fieldConfig.kind === 'Arg' ? fieldConfig : this.#declared(fieldConfig)
  }

  override wrapResolve(inner: Resolve<Types>, fieldConfig: PothosOutputFieldConfig<Types>): Resolve<Types> {
    const resolver = readOrResolve(inner, fieldConfig)
    const access = accessOf(fieldConfig)
    const owner = this.#owner(fieldConfig)
    const what = `\`${fieldConfig.parentType}.${fieldConfig.name}\``
    const hasInput = Object.keys(fieldConfig.args ?? {}).length > 0
    if (!isRestricted(access) && !hasInput) return resolver
    const isRoot = isRootKind(fieldConfig.kind)
    return (parent, args, context, info) => {
      const { principal, ending } = context as Context
      ending.throwIfAborted()
      const ownerId = owner(parent, args, context as Context)
      const reader = isRoot ? principal : provenReader(context as Context, ownerId)
      if (!allows(access, reader, ownerId)) throw refusal(access, principal, what)
      if (hasInput) assertInputAccess(info.parentType.getFields()[info.fieldName]?.args ?? [], args, principal, ownerId)
      return resolver(parent, args, context, info)
    }
  }

  /** Before anything is told: each event is held to the same again. */
  override wrapSubscribe(
    subscriber: Subscribe<Types> | undefined,
    fieldConfig: PothosOutputFieldConfig<Types>,
  ): Subscribe<Types> | undefined {
    if (subscriber === undefined) return undefined
    return this.wrapResolve(subscriber as Resolve<Types>, fieldConfig) as Subscribe<Types>
  }

  #declared<Config extends PothosOutputFieldConfig<Types> | PothosInputFieldConfig<Types>>(config: Config): Config {
    const access = (config.pothosOptions as Options).access ?? this.#types.get(config.parentType)?.fieldAccess
    if (access === undefined)
      throw new PothosSchemaError(
        `${config.parentType}.${config.name} does not say who may ${config.kind === 'InputObject' ? 'send' : 'read'} it: add \`access\`.`,
      )
    const directives = isRestricted(access) ? { access: printed(access) } : undefined
    return { ...config, extensions: { ...config.extensions, access, ...(directives ? { directives } : {}) } }
  }

  #owner({
    kind,
    parentType,
    pothosOptions,
  }: PothosOutputFieldConfig<Types>): (parent: unknown, args: object, context: Context) => string | null {
    if (isRootKind(kind)) {
      const { owner } = pothosOptions as Options
      return (_parent, args, context) => (owner ? owner(args, context) : context.principal.userId)
    }
    const owner = this.#types.get(parentType)?.owner
    return (parent, _args, context) => owner?.(parent, context) ?? null
  }
}

function isRootKind(kind: string): boolean {
  return kind === 'Query' || kind === 'Mutation' || kind === 'Subscription'
}

/** Who reads a record: the caller, or its owner when this very operation has brought the owner's credentials. */
function provenReader({ principal, proven }: Context, ownerId: string | null): Principal {
  return ownerId !== null && proven.has(ownerId) ? { ...principal, userId: ownerId } : principal
}

/** What `@access` says, without the defaults. */
function printed({ self, scopes }: Access): { self?: true; scopes?: readonly string[] } {
  return { ...(self ? { self } : {}), ...(scopes.length > 0 ? { scopes } : {}) }
}

/** The plugin's name, as the builder lists it. */
export const accessPlugin = 'access'

SchemaBuilder.registerPlugin(accessPlugin, AccessPlugin)
