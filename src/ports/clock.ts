/** The time. Tests put a clock of their own here and move it. */
export type Clock = Readonly<{ now: () => Date }>

/** The machine's clock. */
export const systemClock: Clock = { now: () => new Date() }
