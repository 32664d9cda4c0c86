// Shows the sign-in page to whoever is not signed in, and the rest to the others. The address stays as it is, so that one
// lands where one wanted to be.
import { Center, Loader } from '@mantine/core';
import type { ReactNode } from 'react';
import { ErrorNote } from '../shell/ErrorNote';
import { SignInPage } from './SignInPage';
import { MeContext, useMeQuery } from './useMe';

export function SessionGate({ children }: { children: ReactNode }) {
  const me = useMeQuery();
  if (me.data === undefined) {
    return (
      <Center mih="100vh" p="md">
        {me.isError ? (
          <ErrorNote error={me.error} onRetry={() => void me.refetch()} />
        ) : (
          <Loader aria-label="Loading" />
        )}
      </Center>
    );
  }
  if (me.data === null) return <SignInPage />;
  return <MeContext.Provider value={me.data}>{children}</MeContext.Provider>;
}
