// The pages of jobs that the filters ask for, and how many there are of each state.
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { client } from '../../api/client';
import { keys } from '../../api/queryKeys';
import type { Job } from '../../api/types';
import { useLiveInterval } from '../../live/LiveProvider';
import { useMe } from '../../session/useMe';
import { queryOf, type JobFilters } from './jobFilters';

const PAGE_SIZE = 50;

export function useJobList(filters: JobFilters) {
  const query = queryOf(filters, useMe().timeZone);
  const list = useInfiniteQuery({
    queryKey: keys.jobList(query),
    queryFn: ({ pageParam, signal }) => client.jobs({ ...query, limit: PAGE_SIZE, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: useLiveInterval(),
  });
  const seen = new Set<string>();
  // A job that moved between two pages while they were read is shown once.
  const jobs = (list.data?.pages ?? [])
    .flatMap((page) => page.items)
    .filter((job: Job) => !seen.has(job.id) && seen.add(job.id));
  return { list, jobs };
}

export function useStateCounts(filters: JobFilters) {
  const query = queryOf({ ...filters, states: [] }, useMe().timeZone);
  return useQuery({
    queryKey: keys.jobCounts(query),
    queryFn: ({ signal }) => client.jobCounts(query, signal),
    placeholderData: keepPreviousData,
    refetchInterval: useLiveInterval(),
    retry: false,
  });
}
