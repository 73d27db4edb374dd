/** Where what a job has exported is downloaded, below the public URL. */
export function downloadPath(jobId: string): string {
  return `/exports/${jobId}`
}
