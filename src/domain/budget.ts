/** How many tries are allowed in how many seconds. */
export type Budget = Readonly<{ attempts: number; seconds: number }>

/**
 * What is limited, by name: the act, and what it is counted by. An `account` is the user, or the address or name that was sent;
 * a `network` is an IPv4 address or an IPv6 /64. The README's table is read back by a test.
 */
export const defaultBudgets = {
  'signIn.account': { attempts: 20, seconds: 600 },
  'signIn.accountDaily': { attempts: 100, seconds: 86_400 },
  'signIn.accountAndNetwork': { attempts: 10, seconds: 600 },
  'signIn.network': { attempts: 100, seconds: 600 },
  'signUp.network': { attempts: 30, seconds: 3600 },
  'refresh.network': { attempts: 1800, seconds: 600 },
  'mail.address': { attempts: 5, seconds: 3600 },
  'mail.network': { attempts: 30, seconds: 3600 },
  'code.account': { attempts: 20, seconds: 3600 },
  'verify.network': { attempts: 100, seconds: 600 },
  'reauthenticate.account': { attempts: 10, seconds: 600 },
} as const satisfies Record<string, Budget>

export type BudgetName = keyof typeof defaultBudgets

/** The budgets in force: the ones above, but for what the operator has set. */
export type Budgets = { readonly [Name in BudgetName]: Budget }

/**
 * Reads `signIn.network=1000/600, mail.address=20/3600`: tries and seconds, by the names above.
 * @throws {Error} that names what it does not understand
 */
export function parseBudgets(entries: readonly string[]): Partial<Budgets> {
  const parsed = entries.map((entry) => {
    const [, name = '', attempts, seconds] = /^([\w.]+)=([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(entry) ?? []
    if (!Object.hasOwn(defaultBudgets, name)) throw new Error(`"${entry}" is not of the form name=tries/seconds, with one of the names`)
    return [name, { attempts: Number(attempts), seconds: Number(seconds) }] as const
  })
  return Object.fromEntries(parsed)
}
