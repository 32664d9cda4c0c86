// Own jobs that go on or have just ended.
import { useQuery } from '@tanstack/react-query';
import { client } from '../api/client';
import { keys } from '../api/queryKeys';
import { useLiveInterval } from '../live/LiveProvider';

export function useNotifications() {
  return useQuery({
    queryKey: keys.notifications,
    queryFn: ({ signal }) => client.notifications(signal),
    refetchInterval: useLiveInterval(),
  });
}
