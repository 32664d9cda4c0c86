// One job, kept fresh by the stream; where that is away it is asked for while it goes on.
import { useQuery } from '@tanstack/react-query';
import { client } from '../api/client';
import { keys } from '../api/queryKeys';
import { useLive } from '../live/LiveProvider';

const POLL_MS = 1500;

export function useJob(id: string, enabled = true) {
  const isLive = useLive();
  return useQuery({
    queryKey: keys.job(id),
    queryFn: ({ signal }) => client.job(id, signal),
    enabled,
    refetchInterval: (query) => (!isLive && query.state.data?.group === 'unprocessed' ? POLL_MS : false),
  });
}
