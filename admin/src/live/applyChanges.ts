// Makes the cache follow the stream: a job that is on the screen is read again and put into its lists, anything else makes
// the lists stale. Called by LiveProvider with the changes of one short while.
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import { client } from '../api/client';
import { keys } from '../api/queryKeys';
import type { Job, JobPage } from '../api/types';
import type { Change } from './eventStream';

type List = InfiniteData<JobPage>;

/** More than these at once are cheaper as one list. */
const SINGLE_READS = 4;

function listedJobs(cache: QueryClient): Map<string, Job> {
  const jobs = new Map<string, Job>();
  for (const [, list] of cache.getQueriesData<List>({ queryKey: [...keys.jobLists, 'list'] })) {
    for (const page of list?.pages ?? []) for (const job of page.items) jobs.set(job.id, job);
  }
  return jobs;
}

/** Puts a newer document into every list that shows the job. */
export function putJob(cache: QueryClient, job: Job): void {
  cache.setQueryData<Job>(keys.job(job.id), (known) => (known && known.version > job.version ? known : job));
  cache.setQueriesData<List>({ queryKey: [...keys.jobLists, 'list'] }, (list) => {
    if (!list?.pages.some((page) => page.items.some((known) => known.id === job.id))) return list;
    const pages = list.pages.map((page) => ({
      ...page,
      items: page.items.map((known) => (known.id === job.id && known.version <= job.version ? job : known)),
    }));
    return { ...list, pages };
  });
}

async function refreshJob(cache: QueryClient, id: string): Promise<void> {
  try {
    putJob(cache, await client.job(id));
  } catch {
    // Gone or out of reach: the list tells which.
    await cache.invalidateQueries({ queryKey: keys.jobLists });
  }
}

export function applyChanges(cache: QueryClient, changes: Change[]): void {
  const jobs = changes.filter((change) => change.topic === 'job');
  const listed = listedJobs(cache);
  let isListStale = false;
  const single: string[] = [];
  for (const change of jobs) {
    const known = listed.get(change.id);
    if (!known || known.state !== change.state) isListStale = true;
    if (known && known.version < change.version) single.push(change.id);
    // The job's page and its parts, if they are open.
    void cache.invalidateQueries({ queryKey: keys.job(change.id) });
  }
  if (isListStale || single.length > SINGLE_READS) void cache.invalidateQueries({ queryKey: keys.jobLists });
  else for (const id of single) void refreshJob(cache, id);

  if (changes.some((change) => change.topic !== 'deployment')) {
    void cache.invalidateQueries({ queryKey: keys.notifications });
  }
  if (changes.some((change) => change.topic === 'deployment')) {
    void cache.invalidateQueries({ queryKey: keys.historyLists });
    void cache.invalidateQueries({ queryKey: keys.deployments });
  }
}
