/** The providers whose identities Roster makes itself. Nobody brings one along, in a token or an input. */
export const ownProviders: readonly string[] = ['password', 'email', 'phone']
