// Why jobs of a set are left out, in words; for each job the server says it itself. Pure.
const WORDS: Record<string, string> = {
  not_found: 'they are gone, or not yours',
  forbidden: 'your role does not allow it',
  already_so: 'they are so already',
  job_state_forbids: 'their state does not allow it',
  job_not_final: 'they have not ended; cancel them first',
  not_pausable: 'they run through once they have begun',
  not_cancelable: 'their kind runs through once it has begun',
  not_requeueable: 'their kind runs once',
  kind_gone: 'their kind does not exist any more',
  takes_no_rows: 'they take no rows',
};

export function skipWords(reason: string): string {
  return WORDS[reason] ?? reason;
}
