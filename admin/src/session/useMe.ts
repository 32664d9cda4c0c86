// Who is signed in. SessionGate asks and shows its children only once the answer is there; below it useMe never waits.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import { client } from '../api/client';
import { isStatus } from '../api/errorText';
import { keys } from '../api/queryKeys';
import type { Me } from '../api/types';

export const MeContext = createContext<Me | null>(null);

/** Null: nobody is signed in. */
export function useMeQuery() {
  return useQuery({
    queryKey: keys.me,
    queryFn: async ({ signal }): Promise<Me | null> => {
      try {
        return await client.me(signal);
      } catch (error) {
        if (isStatus(error, 401)) return null;
        throw error;
      }
    },
    staleTime: 60_000,
  });
}

export function useMe(): Me {
  const me = useContext(MeContext);
  if (!me) throw new Error('useMe is for what SessionGate shows.');
  return me;
}

export function useSignOut(): () => Promise<void> {
  const cache = useQueryClient();
  return async () => {
    await client.signOut();
    // SignInPage drops the rest; clearing all here would cut SessionGate off from its own query.
    cache.setQueryData(keys.me, null);
  };
}
