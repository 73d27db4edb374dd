import type { JobProblem } from '../job/save-job.ts'

/** What is wrong with a record, but for its line. `path` is as the file names it. Codes are Auth0's where it has one. */
export type Problem = Omit<JobProblem, 'line'>
