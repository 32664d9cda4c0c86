// Shows the sign-in page to whoever is not signed in, and the rest to the others. The address stays as it is, so that one
// lands where one wanted to be.
import { Center, Loader } from '@mantine/core';
import { lazy, Suspense, type ReactNode } from 'react';
import { ErrorNote } from '../shell/ErrorNote';
import { MeContext, useMeQuery } from './useMe';

const SignInPage = lazy(() => import('./SignInPage').then((room) => ({ default: room.SignInPage })));

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
  if (me.data === null) {
    return (
      <Suspense fallback={null}>
        <SignInPage />
      </Suspense>
    );
  }
  return <MeContext.Provider value={me.data}>{children}</MeContext.Provider>;
}
